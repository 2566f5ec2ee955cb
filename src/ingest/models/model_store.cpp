#include "ingest/models/model_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/files.hpp"
#include "core/hash.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;
namespace fs = std::filesystem;

constexpr std::string_view kWeightsFile = "model.safetensors";

// The pins that a file called `name` may have, one a source.
std::vector<PinnedFile> pins_of(const Model& model, std::string_view name) {
  std::vector<PinnedFile> pins;
  for (const PinnedFile& file : model.hub.files) {
    if (file.name == name) pins.push_back(file);
  }
  if (model.package) {
    for (const PackagedFile& packaged : model.package->files) {
      if (packaged.file.name == name) pins.push_back(packaged.file);
    }
  }
  return pins;
}

FileReport inspect_file(const fs::path& path, const std::string& name, const std::vector<PinnedFile>& pins,
                        CheckDepth depth) {
  FileReport report{name, FileState::kMissing, fmt::format("{} is missing", path.string()), ""};
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  if (error) {
    if (error != std::errc::no_such_file_or_directory) {
      report = {name, FileState::kDamaged, fmt::format("{}: {}", path.string(), error.message()), ""};
    }
    return report;
  }
  std::vector<std::string> sizes;
  for (const PinnedFile& pin : pins) {
    if (pin.size_bytes != size) {
      sizes.push_back(fmt::to_string(pin.size_bytes));
      continue;
    }
    if (depth == CheckDepth::kSizes) return {name, FileState::kGood, "", ""};
    const auto status = check_file(path, pin);
    if (status) return {name, FileState::kGood, "", pin.sha256};
    report = {name, FileState::kDamaged, status.error().message, ""};
  }
  if (sizes.size() == pins.size()) {
    report = {name, FileState::kDamaged, fmt::format("{} is damaged: {} bytes instead of {}", path.string(), size,
                                                     fmt::join(sizes, " or ")), ""};
  }
  return report;
}

core::Status delete_all(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return std::unexpected(core::system_error("remove", path, error.value()));
  return {};
}

core::Status move_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return std::unexpected(core::system_error(fmt::format("move {} to", from.string()), to, error.value()));
  return {};
}

}  // namespace

bool ModelReport::is_good() const {
  return std::ranges::all_of(files, [](const FileReport& file) { return file.state == FileState::kGood; });
}

bool ModelReport::is_absent() const {
  return std::ranges::all_of(files, [](const FileReport& file) { return file.state == FileState::kMissing; });
}

std::string ModelReport::problems() const {
  std::vector<std::string> details;
  for (const FileReport& file : files) {
    if (file.state != FileState::kGood) details.push_back(file.detail);
  }
  return fmt::format("{}", fmt::join(details, "; "));
}

core::Status check_file(const fs::path& path, const PinnedFile& pin) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  if (error) return std::unexpected(core::system_error("read", path, error.value()));
  if (size != pin.size_bytes) {
    return fail(ErrorCode::kDataLoss,
                fmt::format("{} is damaged: {} bytes instead of {}", path.string(), size, pin.size_bytes));
  }
  CORE_TRY(const std::string sha256, core::sha256_file_hex(path));
  if (sha256 == pin.sha256) return {};
  return fail(ErrorCode::kDataLoss,
              fmt::format("{} is damaged: SHA-256 {} instead of {}", path.string(), sha256, pin.sha256));
}

ModelReport inspect_model(const Model& model, const fs::path& folder, CheckDepth depth) {
  ModelReport report;
  for (const PinnedFile& file : model.hub.files) {
    report.files.push_back(inspect_file(folder / file.name, file.name, pins_of(model, file.name), depth));
  }
  return report;
}

core::Result<InstalledModel> open_model(const fs::path& models_folder, std::string_view name) {
  CORE_TRY(const Manifest manifest, Manifest::built_in());
  CORE_TRY(const Model* model, manifest.find(name));
  const fs::path folder = models_folder / model->name;
  const ModelReport report = inspect_model(*model, folder, CheckDepth::kChecksums);
  if (report.is_absent()) {
    return fail(ErrorCode::kNotFound, fmt::format("model {} is not in {}: run `scalestyle models fetch {}`", name,
                                                  models_folder.string(), name));
  }
  if (!report.is_good()) {
    return fail(ErrorCode::kDataLoss, fmt::format("model {} is refused: {}; run `scalestyle models fetch {}`", name,
                                                  report.problems(), name));
  }
  const auto weights = std::ranges::find(report.files, kWeightsFile, &FileReport::name);
  return InstalledModel{folder, weights == report.files.end() ? std::string() : weights->sha256};
}

fs::path staging_folder(const fs::path& models_folder, const Model& model) {
  return models_folder / ".fetch" / model.name;
}

core::Status install_staged(const fs::path& models_folder, const Model& model,
                            const std::vector<std::string>& names) {
  const fs::path staging = staging_folder(models_folder, model);
  const fs::path target = models_folder / model.name;
  const fs::path replaced = models_folder / ".fetch" / (model.name + ".replaced");
  // Left-overs of another source are not part of the model.
  std::error_code error;
  for (const auto& item : fs::directory_iterator(staging, error)) {
    if (std::ranges::find(names, item.path().filename().string()) == names.end()) CORE_CHECK(delete_all(item.path()));
  }
  if (error) return std::unexpected(core::system_error("read", staging, error.value()));
  for (const std::string& name : names) CORE_CHECK(core::sync_file(staging / name));
  CORE_CHECK(core::sync_folder(staging));
  CORE_CHECK(delete_all(replaced));
  if (fs::exists(fs::symlink_status(target, error))) CORE_CHECK(move_to(target, replaced));
  CORE_CHECK(move_to(staging, target));
  CORE_CHECK(core::sync_folder(models_folder));
  return delete_all(replaced);
}

}  // namespace scalestyle::ingest::models
