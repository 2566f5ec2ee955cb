#include "adapters/redis/catalogue_manifest.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <utility>

#include "adapters/redis/catalogue_blocks.hpp"
#include "adapters/redis/catalogue_keys.hpp"
#include "core/hash.hpp"

namespace scalestyle::adapters::redis {

namespace json = boost::json;

namespace {

constexpr std::size_t kHashDigits = 64;

std::unexpected<core::Error> damaged(std::string_view key, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}; it is damaged, ingest again", key, what));
}

// Reads fields and remembers the first that is missing or of another type.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  void read(std::string_view name, std::string& value) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_string()) value = found->get_string();
    else blame(name);
  }
  void read(std::string_view name, std::uint64_t& value) {
    const json::value* found = find(name);
    const bool is_signed = found != nullptr && found->is_int64() && found->get_int64() >= 0;
    if (is_signed) value = static_cast<std::uint64_t>(found->get_int64());
    else if (found != nullptr && found->is_uint64()) value = found->get_uint64();
    else blame(name);
  }
  void read(std::string_view name, std::int64_t& value) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_int64()) value = found->get_int64();
    else blame(name);
  }
  // A number that is kept as text, so that it comes back bit for bit.
  void read(std::string_view name, double& value) {
    std::string text;
    read(name, text);
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || !std::isfinite(value)) blame(name);
  }
  void read(std::string_view name, std::vector<std::string>& hashes) {
    const json::value* found = find(name);
    if (found == nullptr || !found->is_array()) return blame(name);
    for (const json::value& hash : found->get_array()) {
      if (!hash.is_string() || hash.get_string().size() != kHashDigits) return blame(name);
      hashes.emplace_back(hash.get_string());
    }
  }
  [[nodiscard]] const json::object* object(std::string_view name) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_object()) return &found->get_object();
    blame(name);
    return nullptr;
  }
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  [[nodiscard]] const std::string& bad() const { return bad_; }

 private:
  [[nodiscard]] const json::value* find(std::string_view name) const { return object_.if_contains(name); }
  void blame(std::string_view name) {
    if (bad_.empty()) bad_ = name;
  }

  const json::object& object_;
  std::string bad_;
};

json::object to_object(const ports::EncoderInfo& encoder) {
  return {{"model", encoder.model},
          {"weights_sha256", encoder.weights_hash},
          {"precision", encoder.precision},
          {"dimension", encoder.dimension},
          {"max_tokens", encoder.max_tokens}};
}

json::array to_array(const std::vector<std::string>& hashes) {
  json::array array;
  for (const std::string& hash : hashes) array.emplace_back(hash);
  return array;
}

// Each of these returns the name of the field at fault.
std::string read_encoder(const json::object& object, ports::EncoderInfo& encoder) {
  Fields fields(object);
  std::uint64_t size = 0;
  fields.read("model", encoder.model);
  fields.read("weights_sha256", encoder.weights_hash);
  fields.read("precision", encoder.precision);
  fields.read("dimension", size);
  encoder.dimension = size;
  fields.read("max_tokens", size);
  encoder.max_tokens = size;
  return fields.bad();
}

std::string read_images(const json::object& object, ports::GenerationInfo& info) {
  Fields fields(object);
  std::uint64_t vectors = 0;
  fields.read("vectors", vectors);
  info.image_vectors = vectors;
  if (const json::object* encoder = fields.object("encoder")) {
    info.image_encoder.emplace();
    if (const std::string bad = read_encoder(*encoder, *info.image_encoder); !bad.empty()) return "encoder." + bad;
  }
  return fields.bad();
}

std::string read_neighbours(const json::object& object, CatalogueManifest::Neighbours& neighbours) {
  Fields fields(object);
  fields.read("total", neighbours.total);
  fields.read("blocks", neighbours.blocks);
  return fields.bad();
}

std::string read_version_1(const json::object& object, CatalogueManifest& manifest) {
  Fields fields(object);
  std::string id;
  std::uint64_t size = 0;
  fields.read("id", id);
  manifest.info.id = core::GenerationId(id);
  fields.read("created_at", manifest.info.created_at);
  fields.read("text_format", manifest.info.text_format);
  fields.read("currency", manifest.info.currency);
  fields.read("price_scale", manifest.info.price_scale);
  fields.read("image_folder", manifest.info.image_folder);
  fields.read("purchases_from", manifest.info.purchases_from);
  fields.read("purchases_to", manifest.info.purchases_to);
  fields.read("changes_through", manifest.info.changes_through);
  fields.read("changes_overruled_ms", manifest.info.changes_overruled_ms);
  fields.read("articles", size);
  manifest.info.articles = size;
  fields.read("numbering", manifest.numbering);
  fields.read("blocks", manifest.blocks);
  if (const json::object* encoder = fields.object("encoder")) {
    if (const std::string bad = read_encoder(*encoder, manifest.info.document_encoder); !bad.empty()) return "encoder." + bad;
  }
  if (fields.has("images")) {
    const json::object* images = fields.object("images");
    if (images == nullptr) return "images";
    if (const std::string bad = read_images(*images, manifest.info); !bad.empty()) return "images." + bad;
  }
  if (fields.has("neighbours")) {
    const json::object* neighbours = fields.object("neighbours");
    if (neighbours == nullptr) return "neighbours";
    manifest.neighbours.emplace();
    if (const std::string bad = read_neighbours(*neighbours, *manifest.neighbours); !bad.empty()) return "neighbours." + bad;
  }
  if (!fields.bad().empty()) return fields.bad();
  if (!is_generation_name(id)) return "id";
  if (manifest.blocks.size() != blocks_of(manifest.info.articles, kArticlesABlock)) return "blocks";
  const bool fits = !manifest.neighbours ||
                    manifest.neighbours->blocks.size() == blocks_of(manifest.info.articles, kNeighbourRowsABlock);
  return fits ? "" : "neighbours.blocks";
}

}  // namespace

std::string CatalogueManifest::to_text() const {
  json::object object{{"format_version", kCatalogueFormatVersion},
                      {"id", info.id.value()},
                      {"created_at", info.created_at},
                      {"text_format", info.text_format},
                      {"currency", info.currency},
                      {"price_scale", fmt::format("{}", info.price_scale)},
                      {"image_folder", info.image_folder},
                      {"purchases_from", info.purchases_from},
                      {"purchases_to", info.purchases_to},
                      {"changes_through", info.changes_through},
                      {"changes_overruled_ms", info.changes_overruled_ms},
                      {"encoder", to_object(info.document_encoder)},
                      {"articles", info.articles},
                      {"numbering", numbering},
                      {"blocks", to_array(blocks)}};
  if (info.image_encoder) {
    object["images"] = json::object{{"encoder", to_object(*info.image_encoder)}, {"vectors", info.image_vectors}};
  }
  if (neighbours) object["neighbours"] = json::object{{"total", neighbours->total}, {"blocks", to_array(neighbours->blocks)}};
  const std::string body = json::serialize(object);
  return core::sha256_hex(body) + "\n" + body;
}

core::Result<CatalogueManifest> CatalogueManifest::parse(std::string_view text, std::string_view key) {
  if (text.size() <= kHashDigits || text[kHashDigits] != '\n') return damaged(key, "not the manifest of a generation");
  const std::string_view body = text.substr(kHashDigits + 1);
  if (core::sha256_hex(body) != text.substr(0, kHashDigits)) return damaged(key, "its checksum is wrong");
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error || !value.is_object()) return damaged(key, "not JSON");
  std::uint64_t version = 0;
  Fields head(value.get_object());
  head.read("format_version", version);
  if (!head.bad().empty()) return damaged(key, "the field \"format_version\" is missing or of another type");
  if (version != kCatalogueFormatVersion) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{}: format version {}, this program reads version {}; use the program that made it, or "
                                  "ingest again",
                                  key, version, kCatalogueFormatVersion));
  }
  CatalogueManifest manifest;
  if (const std::string bad = read_version_1(value.get_object(), manifest); !bad.empty()) {
    return damaged(key, fmt::format("the field \"{}\" is missing or cannot be", bad));
  }
  return manifest;
}

}  // namespace scalestyle::adapters::redis
