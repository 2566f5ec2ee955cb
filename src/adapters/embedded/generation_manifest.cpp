#include "adapters/embedded/generation_manifest.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <utility>

#include "adapters/embedded/data_folder.hpp"
#include "catalog/date.hpp"
#include "core/hash.hpp"

namespace scalestyle::adapters::embedded {

namespace json = boost::json;

namespace {

// The file is {"sha256":"<64 hex digits>",\n"manifest":<the hashed bytes>\n}\n.
constexpr std::string_view kBeforeHash = "{\"sha256\":\"";
constexpr std::string_view kAfterHash = "\",\n\"manifest\":";
constexpr std::string_view kEnd = "\n}\n";
constexpr std::size_t kHashDigits = 64;

json::array to_array(const std::vector<FileRecord>& records) {
  json::array array;
  for (const FileRecord& record : records) {
    json::object object{{"name", record.name}, {"size_bytes", record.size_bytes}, {"sha256", record.sha256}};
    if (!record.role.empty()) object["role"] = record.role;
    array.push_back(std::move(object));
  }
  return array;
}

// Reads fields and remembers the first that is missing or of another type.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  void read(std::string_view name, std::string& value) {
    if (const json::value* found = find(name); found != nullptr && found->is_string()) value = found->get_string();
    else blame(name);
  }
  void read(std::string_view name, std::uint64_t& value) {
    if (const json::value* found = find(name); found != nullptr && found->is_uint64()) value = found->get_uint64();
    else if (found != nullptr && found->is_int64() && found->get_int64() >= 0)
      value = static_cast<std::uint64_t>(found->get_int64());
    else blame(name);
  }
  // From 0 on.
  void read(std::string_view name, std::int64_t& value) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_int64() && found->get_int64() >= 0) value = found->get_int64();
    else blame(name);
  }
  void read(std::string_view name, double& value) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_number()) value = found->to_number<double>();
    else blame(name);
  }
  [[nodiscard]] const json::object* object(std::string_view name) {
    const json::value* found = find(name);
    if (found != nullptr && found->is_object()) return &found->get_object();
    blame(name);
    return nullptr;
  }
  void read(std::string_view name, std::vector<FileRecord>& records) {
    const json::value* found = find(name);
    if (found == nullptr || !found->is_array()) return blame(name);
    for (const json::value& entry : found->get_array()) {
      if (!entry.is_object()) return blame(name);
      FileRecord record;
      Fields fields(entry.get_object());
      fields.read("name", record.name);
      fields.read("size_bytes", record.size_bytes);
      fields.read("sha256", record.sha256);
      if (entry.get_object().contains("role")) fields.read("role", record.role);
      if (!fields.bad().empty()) return blame(name);
      records.push_back(std::move(record));
    }
  }
  [[nodiscard]] const std::string& bad() const { return bad_; }

 private:
  [[nodiscard]] const json::value* find(std::string_view name) const { return object_.if_contains(name); }
  void blame(std::string_view name) {
    if (bad_.empty()) bad_ = name;
  }

  const json::object& object_;
  std::string bad_;
};

std::unexpected<core::Error> damaged(std::string_view name, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}; the file is damaged, ingest again", name, what));
}

// The two fields are optional, together. Returns the name of the one at fault.
std::string read_purchase_period(const json::object& object, ports::GenerationInfo& info) {
  if (!object.contains("purchases_from") && !object.contains("purchases_to")) return {};
  Fields fields(object);
  fields.read("purchases_from", info.purchases_from);
  fields.read("purchases_to", info.purchases_to);
  if (!fields.bad().empty()) return fields.bad();
  if (info.purchases_from.empty() && info.purchases_to.empty()) return {};
  const auto first = catalog::parse_date(info.purchases_from);
  const auto last = catalog::parse_date(info.purchases_to);
  if (!first) return "purchases_from";
  return !last || *last < *first ? "purchases_to" : "";
}

// Both return the name of the field at fault.
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

std::string read_images(const json::object& object, GenerationManifest& manifest) {
  Fields fields(object);
  std::uint64_t vectors = 0;
  if (const json::object* encoder = fields.object("encoder")) {
    manifest.info.image_encoder.emplace();
    if (const std::string bad = read_encoder(*encoder, *manifest.info.image_encoder); !bad.empty()) return "encoder." + bad;
  }
  fields.read("vectors", vectors);
  manifest.info.image_vectors = vectors;
  fields.read("format", manifest.images.format);
  fields.read("distinct_photos", manifest.images.distinct_photos);
  fields.read("rejected_photos", manifest.images.rejected_photos);
  fields.read("supplied_vectors", manifest.images.supplied_vectors);
  fields.read("reused_vectors", manifest.images.reused_vectors);
  if (fields.bad().empty() && (vectors == 0 || vectors > manifest.info.articles)) return "vectors";
  return fields.bad();
}

json::object to_object(const ports::EncoderInfo& encoder) {
  return {{"model", encoder.model},
          {"weights_sha256", encoder.weights_hash},
          {"precision", encoder.precision},
          {"dimension", encoder.dimension},
          {"max_tokens", encoder.max_tokens}};
}

std::string read_neighbour_facts(const json::object& object, NeighbourFacts& facts) {
  Fields fields(object);
  std::uint64_t size = 0;
  fields.read("purchases", facts.purchases);
  fields.read("first_day", facts.first_day);
  fields.read("last_day", facts.last_day);
  fields.read("neighbours", facts.neighbours);
  fields.read("half_life_days", facts.options.half_life_days);
  fields.read("shrinkage", facts.options.shrinkage);
  fields.read("min_score", facts.options.min_score);
  fields.read("per_item", size);
  facts.options.per_item = size;
  fields.read("max_customer_items", size);
  facts.options.max_customer_items = size;
  if (!fields.bad().empty()) return fields.bad();
  if (const auto valid = facts.options.validate(); !valid) return valid.error().field;
  const auto first = catalog::parse_date(facts.first_day);
  const auto last = catalog::parse_date(facts.last_day);
  if (!first) return "first_day";
  return !last || *last < *first ? "last_day" : "";
}

json::object to_object(const NeighbourFacts& facts) {
  return {{"purchases", facts.purchases},
          {"first_day", facts.first_day},
          {"last_day", facts.last_day},
          {"neighbours", facts.neighbours},
          {"half_life_days", facts.options.half_life_days},
          {"shrinkage", facts.options.shrinkage},
          {"min_score", facts.options.min_score},
          {"per_item", facts.options.per_item},
          {"max_customer_items", facts.options.max_customer_items}};
}

std::string read_graph_facts(const json::object& object, GraphFacts& facts) {
  Fields fields(object);
  fields.read("m", facts.neighbours);
  fields.read("ef_construction", facts.construction);
  return fields.bad();
}

// Reads what format version 1 has; returns the name of the field at fault, empty when all is well.
std::string read_version_1(const json::object& object, GenerationManifest& manifest) {
  Fields fields(object);
  std::string id;
  fields.read("id", id);
  manifest.info.id = core::GenerationId(id);
  fields.read("created_at", manifest.info.created_at);
  fields.read("text_format", manifest.info.text_format);
  fields.read("currency", manifest.info.currency);
  fields.read("price_scale", manifest.info.price_scale);
  fields.read("price_source", manifest.price_source);
  fields.read("image_folder", manifest.info.image_folder);
  fields.read("sources", manifest.sources);
  fields.read("files", manifest.files);
  if (const json::object* encoder = fields.object("encoder")) {
    if (const std::string bad = read_encoder(*encoder, manifest.info.document_encoder); !bad.empty()) return "encoder." + bad;
  }
  if (const json::object* counts = fields.object("counts")) {
    Fields inner(*counts);
    inner.read("articles", manifest.counts.articles);
    inner.read("distinct_texts", manifest.counts.distinct_texts);
    inner.read("rejected_rows", manifest.counts.rejected_rows);
    inner.read("with_price", manifest.counts.with_price);
    inner.read("with_image", manifest.counts.with_image);
    inner.read("supplied_vectors", manifest.counts.supplied_vectors);
    inner.read("reused_vectors", manifest.counts.reused_vectors);
    if (!inner.bad().empty()) return "counts." + inner.bad();
  }
  manifest.info.articles = manifest.counts.articles;
  if (const std::string bad = read_purchase_period(object, manifest.info); !bad.empty()) return bad;
  if (object.contains("images")) {
    const json::object* images = fields.object("images");
    if (images == nullptr) return "images";
    if (const std::string bad = read_images(*images, manifest); !bad.empty()) return "images." + bad;
  }
  if (object.contains("neighbours")) {
    const json::object* neighbours = fields.object("neighbours");
    if (neighbours == nullptr) return "neighbours";
    manifest.neighbours.emplace();
    if (const std::string bad = read_neighbour_facts(*neighbours, *manifest.neighbours); !bad.empty()) return "neighbours." + bad;
  }
  if (object.contains("graph")) {
    const json::object* graph = fields.object("graph");
    if (graph == nullptr) return "graph";
    manifest.graph.emplace();
    if (const std::string bad = read_graph_facts(*graph, *manifest.graph); !bad.empty()) return "graph." + bad;
  }
  if (object.contains("changes_through")) {
    fields.read("changes_through", manifest.info.changes_through);
    fields.read("changes_overruled_ms", manifest.info.changes_overruled_ms);
  }
  if (fields.bad().empty() && !is_generation_id(id)) return "id";
  return fields.bad();
}

}  // namespace

std::string GenerationManifest::to_json() const {
  json::object object{
      {"format_version", format_version},
      {"id", info.id.value()},
      {"created_at", info.created_at},
      {"text_format", info.text_format},
      {"currency", info.currency},
      {"price_scale", info.price_scale},
      {"price_source", price_source},
      {"image_folder", info.image_folder},
      {"purchases_from", info.purchases_from},
      {"purchases_to", info.purchases_to},
      {"changes_through", info.changes_through},
      {"changes_overruled_ms", info.changes_overruled_ms},
      {"encoder", to_object(info.document_encoder)},
      {"counts",
       {{"articles", counts.articles},
        {"distinct_texts", counts.distinct_texts},
        {"rejected_rows", counts.rejected_rows},
        {"with_price", counts.with_price},
        {"with_image", counts.with_image},
        {"supplied_vectors", counts.supplied_vectors},
        {"reused_vectors", counts.reused_vectors}}},
      {"sources", to_array(sources)},
      {"files", to_array(files)}};
  if (info.image_encoder) {
    object["images"] = json::object{{"encoder", to_object(*info.image_encoder)},
                                    {"format", images.format},
                                    {"vectors", info.image_vectors},
                                    {"distinct_photos", images.distinct_photos},
                                    {"rejected_photos", images.rejected_photos},
                                    {"supplied_vectors", images.supplied_vectors},
                                    {"reused_vectors", images.reused_vectors}};
  }
  if (neighbours) object["neighbours"] = to_object(*neighbours);
  if (graph) object["graph"] = json::object{{"m", graph->neighbours}, {"ef_construction", graph->construction}};
  const std::string body = json::serialize(object);
  return fmt::format("{}{}{}{}{}", kBeforeHash, core::sha256_hex(body), kAfterHash, body, kEnd);
}

core::Result<GenerationManifest> GenerationManifest::parse(std::string_view text, std::string_view name) {
  const std::size_t body_at = kBeforeHash.size() + kHashDigits + kAfterHash.size();
  if (text.size() < body_at + kEnd.size() || !text.starts_with(kBeforeHash) || !text.ends_with(kEnd) ||
      text.substr(kBeforeHash.size() + kHashDigits, kAfterHash.size()) != kAfterHash) {
    return damaged(name, "not the manifest of a generation");
  }
  const std::string_view body = text.substr(body_at, text.size() - body_at - kEnd.size());
  if (core::sha256_hex(body) != text.substr(kBeforeHash.size(), kHashDigits)) {
    return damaged(name, "its checksum is wrong");
  }
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error || !value.is_object()) return damaged(name, "not JSON");
  std::uint64_t version = 0;
  Fields head(value.get_object());
  head.read("format_version", version);
  if (!head.bad().empty()) return damaged(name, "the field \"format_version\" is missing or of another type");
  if (version != kGenerationFormatVersion) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{}: format version {}, this program reads version {}; use the program that made it, or "
                                  "ingest again",
                                  name, version, kGenerationFormatVersion));
  }
  GenerationManifest manifest;
  if (const std::string bad = read_version_1(value.get_object(), manifest); !bad.empty()) {
    return damaged(name, fmt::format("the field \"{}\" is missing or of another type", bad));
  }
  return manifest;
}

}  // namespace scalestyle::adapters::embedded
