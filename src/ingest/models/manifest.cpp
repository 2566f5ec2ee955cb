#include "ingest/models/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <initializer_list>
#include <utility>

#include "core/text_distance.hpp"
#include "ingest/models/manifest_text.hpp"

namespace scalestyle::ingest::models {
namespace {

using boost::json::object;
using core::ErrorCode;
using core::fail;

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Plain: no separator and no leading dot, so that it cannot leave its folder.
bool is_plain_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !text.empty() && text.front() != '.' && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

// Reads the members of one JSON object; `where` names it in messages.
class Members {
 public:
  Members(const object& members, std::string where) : members_(members), where_(std::move(where)) {}

  [[nodiscard]] const std::string& where() const { return where_; }

  core::Status allow_only(std::initializer_list<std::string_view> known) const {
    for (const auto& member : members_) {
      if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
        return fail(ErrorCode::kDataLoss, fmt::format("{}: unknown key '{}'", where_, std::string_view(member.key())));
      }
    }
    return {};
  }
  core::Result<std::string> text(const char* key) const {
    const auto* value = members_.if_contains(key);
    if (value == nullptr || !value->is_string() || value->get_string().empty()) return wrong(key, "a text");
    return std::string(value->get_string());
  }
  core::Result<std::uint64_t> size(const char* key) const {
    const auto* value = members_.if_contains(key);
    if (value == nullptr || !value->is_int64() || value->get_int64() < 1) return wrong(key, "a whole number from 1");
    return static_cast<std::uint64_t>(value->get_int64());
  }
  core::Result<bool> flag(const char* key) const {
    const auto* value = members_.if_contains(key);
    if (value == nullptr) return false;
    if (!value->is_bool()) return wrong(key, "true or false");
    return value->get_bool();
  }
  core::Result<Members> child(const char* key) const {
    const auto* value = members_.if_contains(key);
    if (value == nullptr || !value->is_object()) return wrong(key, "an object");
    return Members(value->get_object(), fmt::format("{}.{}", where_, key));
  }
  [[nodiscard]] bool has(const char* key) const { return members_.contains(key); }

  // Calls `read(member)` for each object of the array `key`, which must not be empty.
  template <class Read>
  core::Status each(const char* key, Read&& read) const {
    const auto* value = members_.if_contains(key);
    if (value == nullptr || !value->is_array() || value->get_array().empty()) return wrong(key, "a list");
    std::size_t index = 0;
    for (const auto& item : value->get_array()) {
      const std::string where = fmt::format("{}.{}[{}]", where_, key, index++);
      if (!item.is_object()) return fail(ErrorCode::kDataLoss, fmt::format("{} must be an object", where));
      CORE_CHECK(read(Members(item.get_object(), where)));
    }
    return {};
  }
  core::Result<std::string> joined_lines(const char* key) const {
    const auto* value = members_.if_contains(key);
    if (value == nullptr || !value->is_array()) return wrong(key, "a list of lines");
    std::string joined;
    for (const auto& line : value->get_array()) {
      if (!line.is_string()) return wrong(key, "a list of lines");
      joined.append(line.get_string()).push_back('\n');
    }
    return joined;
  }
  [[nodiscard]] std::unexpected<core::Error> wrong(const char* key, std::string_view needed) const {
    return fail(ErrorCode::kDataLoss, fmt::format("{}: '{}' must be {}", where_, key, needed));
  }

 private:
  const object& members_;
  std::string where_;
};

core::Result<PinnedFile> read_pin(const Members& members) {
  PinnedFile file;
  CORE_TRY(file.name, members.text("name"));
  CORE_TRY(file.size_bytes, members.size("size_bytes"));
  CORE_TRY(file.sha256, members.text("sha256"));
  if (!is_plain_name(file.name)) return members.wrong("name", "a plain file name");
  if (!is_hex(file.sha256, 64)) return members.wrong("sha256", "64 hex digits");
  return file;
}

core::Result<HubSource> read_hub(const Members& members) {
  CORE_CHECK(members.allow_only({"repository", "revision", "files"}));
  HubSource hub;
  CORE_TRY(hub.repository, members.text("repository"));
  CORE_TRY(hub.revision, members.text("revision"));
  const auto slash = hub.repository.find('/');
  if (slash == std::string::npos || !is_plain_name(hub.repository.substr(0, slash)) ||
      !is_plain_name(hub.repository.substr(slash + 1))) {
    return members.wrong("repository", "of the form owner/name");
  }
  if (!is_hex(hub.revision, 40)) return members.wrong("revision", "a commit of 40 hex digits");
  CORE_CHECK(members.each("files", [&](const Members& item) -> core::Status {
    CORE_CHECK(item.allow_only({"name", "size_bytes", "sha256"}));
    CORE_TRY(auto file, read_pin(item));
    hub.files.push_back(std::move(file));
    return {};
  }));
  return hub;
}

core::Result<PackagedFile> read_packaged_file(const Members& members) {
  CORE_CHECK(members.allow_only({"name", "size_bytes", "sha256", "recipe", "lines", "entry", "entry_size_bytes"}));
  PackagedFile packaged;
  CORE_TRY(packaged.file, read_pin(members));
  CORE_TRY(const std::string recipe, members.text("recipe"));
  if (recipe == "text") {
    packaged.recipe = Recipe::kText;
    CORE_TRY(packaged.text, members.joined_lines("lines"));
    return packaged;
  }
  if (recipe != "copy" && recipe != "bert_from_onnx") return members.wrong("recipe", "text, copy or bert_from_onnx");
  packaged.recipe = recipe == "copy" ? Recipe::kCopy : Recipe::kBertFromOnnx;
  CORE_TRY(packaged.entry, members.text("entry"));
  packaged.entry_size_bytes = packaged.file.size_bytes;
  if (packaged.recipe == Recipe::kBertFromOnnx) {
    CORE_TRY(packaged.entry_size_bytes, members.size("entry_size_bytes"));
  }
  return packaged;
}

core::Result<PackageSource> read_package(const Members& members) {
  CORE_CHECK(members.allow_only({"kind", "coordinates", "archive", "files"}));
  PackageSource package;
  CORE_TRY(const std::string kind, members.text("kind"));
  if (kind != "maven" && kind != "pypi") return members.wrong("kind", "maven or pypi");
  package.kind = kind == "maven" ? PackageKind::kMaven : PackageKind::kPyPi;
  CORE_TRY(package.coordinates, members.text("coordinates"));
  const bool well_formed = package.kind == PackageKind::kMaven
                               ? std::ranges::count(package.coordinates, ':') == 2
                               : package.coordinates.find("==") != std::string::npos;
  if (!well_formed || package.coordinates.front() == '-') {
    return members.wrong("coordinates", "group:artifact:version or name==version");
  }
  CORE_TRY(const auto archive, members.child("archive"));
  CORE_TRY(package.archive, read_pin(archive));
  CORE_CHECK(members.each("files", [&](const Members& item) -> core::Status {
    CORE_TRY(auto file, read_packaged_file(item));
    package.files.push_back(std::move(file));
    return {};
  }));
  return package;
}

core::Result<Model> read_model(const Members& members) {
  CORE_CHECK(members.allow_only({"name", "purpose", "licence", "default", "required", "hub", "package"}));
  Model model;
  CORE_TRY(model.name, members.text("name"));
  if (!is_plain_name(model.name)) return members.wrong("name", "a plain name");
  CORE_TRY(model.purpose, members.text("purpose"));
  CORE_TRY(model.licence, members.text("licence"));
  CORE_TRY(model.is_default, members.flag("default"));
  CORE_TRY(model.is_required, members.flag("required"));
  CORE_TRY(const auto hub, members.child("hub"));
  CORE_TRY(model.hub, read_hub(hub));
  if (!members.has("package")) return model;
  CORE_TRY(const auto package, members.child("package"));
  CORE_TRY(auto source, read_package(package));
  // Whatever the source, a model is the same set of files.
  const auto same_names = std::ranges::is_permutation(
      model.hub.files, source.files, {}, &PinnedFile::name,
      [](const PackagedFile& packaged) -> const std::string& { return packaged.file.name; });
  if (!same_names) return members.wrong("package", "a source of the same file names as 'hub'");
  model.package = std::move(source);
  return model;
}

}  // namespace

std::uint64_t Model::size_bytes() const {
  std::uint64_t total = 0;
  for (const PinnedFile& file : hub.files) total += file.size_bytes;
  return total;
}

core::Result<Manifest> Manifest::parse(std::string_view json) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(json, error);
  if (error) return fail(ErrorCode::kDataLoss, fmt::format("model manifest: not JSON ({})", error.message()));
  if (!parsed.is_object()) return fail(ErrorCode::kDataLoss, "model manifest: must be an object");
  const Members root(parsed.get_object(), "model manifest");
  CORE_CHECK(root.allow_only({"format", "models"}));
  CORE_TRY(const auto format, root.size("format"));
  if (format != 1) return root.wrong("format", "1");
  Manifest manifest;
  CORE_CHECK(root.each("models", [&](const Members& item) -> core::Status {
    CORE_TRY(auto model, read_model(item));
    if (std::ranges::find(manifest.models_, model.name, &Model::name) != manifest.models_.end()) {
      return item.wrong("name", "given once");
    }
    manifest.models_.push_back(std::move(model));
    return {};
  }));
  return manifest;
}

core::Result<Manifest> Manifest::built_in() { return parse(manifest_text()); }

core::Result<const Model*> Manifest::find(std::string_view name) const {
  const auto found = std::ranges::find(models_, name, &Model::name);
  if (found != models_.end()) return &*found;
  std::vector<std::string> names;
  for (const Model& model : models_) names.push_back(model.name);
  const std::string nearest = core::nearest_name(name, names);
  return fail(ErrorCode::kNotFound,
              fmt::format("no model is called '{}'{}; known: {}", name,
                          nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest), fmt::join(names, ", ")));
}

}  // namespace scalestyle::ingest::models
