#include "adapters/milvus/milvus_collection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

constexpr std::size_t kMaxPrefixBytes = 64;
constexpr std::array<std::pair<MilvusCollectionKind, std::string_view>, 2> kKinds = {
    {{MilvusCollectionKind::kTexts, "text_"}, {MilvusCollectionKind::kPhotos, "image_"}}};
constexpr std::array<std::pair<MilvusIndexType, std::string_view>, 3> kIndexTypes = {
    {{MilvusIndexType::kHnsw, "HNSW"}, {MilvusIndexType::kIvfFlat, "IVF_FLAT"}, {MilvusIndexType::kFlat, "FLAT"}}};

constexpr std::string_view kSchema = "scalestyle.schema";
constexpr std::string_view kGeneration = "scalestyle.generation";
constexpr std::string_view kModel = "scalestyle.model";
constexpr std::string_view kWeights = "scalestyle.weights";
constexpr std::string_view kPrecision = "scalestyle.precision";
constexpr std::string_view kDimension = "scalestyle.dimension";
constexpr std::string_view kMaxTokens = "scalestyle.max_tokens";
constexpr std::string_view kMetricKey = "scalestyle.metric";
constexpr std::string_view kIndex = "scalestyle.index";
constexpr std::string_view kArticles = "scalestyle.articles";
constexpr std::string_view kCreated = "scalestyle.created_ms";
constexpr std::string_view kState = "scalestyle.state";
constexpr std::string_view kComplete = "complete";
constexpr std::string_view kFilling = "filling";

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

class Reader {
 public:
  Reader(const CollectionProperties& properties, std::string_view collection)
      : properties_(properties), collection_(collection) {}

  core::Result<std::string> text(std::string_view key) const {
    const auto found = std::ranges::find(properties_, key, &std::pair<std::string, std::string>::first);
    if (found != properties_.end()) return found->second;
    return core::fail(
        ErrorCode::kFailedPrecondition,
        fmt::format("the Milvus collection {} has no property {}: it was not made by scalestyle ingest", collection_, key));
  }
  template <class Number>
  core::Result<Number> number(std::string_view key) const {
    CORE_TRY(const std::string value, text(key));
    Number parsed{};
    const char* const end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, parsed);
    if (error == std::errc() && at == end) return parsed;
    return core::fail(
        ErrorCode::kFailedPrecondition,
        fmt::format("the Milvus collection {} has the property {} = {:.64}: not a number", collection_, key, value));
  }

 private:
  const CollectionProperties& properties_;
  std::string_view collection_;
};

}  // namespace

std::string_view to_string(MilvusIndexType type) {
  return std::ranges::find(kIndexTypes, type, &std::pair<MilvusIndexType, std::string_view>::first)->second;
}

std::optional<MilvusIndexType> milvus_index_type(std::string_view name) {
  const auto found = std::ranges::find(kIndexTypes, name, &std::pair<MilvusIndexType, std::string_view>::second);
  if (found == kIndexTypes.end()) return std::nullopt;
  return found->first;
}

bool is_collection_prefix(std::string_view prefix) {
  if (prefix.empty() || prefix.size() > kMaxPrefixBytes || (prefix.front() >= '0' && prefix.front() <= '9')) return false;
  return std::ranges::all_of(prefix, [](char c) { return c == '_' || is_letter_or_digit(c); });
}

std::string collection_name(std::string_view prefix, MilvusCollectionKind kind, const core::GenerationId& id) {
  std::string name(prefix);
  name += std::ranges::find(kKinds, kind, &std::pair<MilvusCollectionKind, std::string_view>::first)->second;
  for (const char c : id.value()) {
    if (is_letter_or_digit(c)) {
      name += c;
    } else {
      name += fmt::format("_{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

std::optional<NamedCollection> parse_collection_name(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = name.substr(prefix.size());
  for (const auto& [kind, word] : kKinds) {
    if (!rest.starts_with(word)) continue;
    const std::string_view coded = rest.substr(word.size());
    std::string id;
    for (std::size_t i = 0; i < coded.size(); ++i) {
      if (coded[i] != '_') {
        id += coded[i];
        continue;
      }
      if (coded.size() - i < 3) return std::nullopt;
      const int high = hex_digit(coded[i + 1]);
      const int low = hex_digit(coded[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      id += static_cast<char>(high * 16 + low);
      i += 2;
    }
    NamedCollection parsed{kind, core::GenerationId(std::move(id))};
    if (parsed.generation.empty() || collection_name(prefix, kind, parsed.generation) != name) return std::nullopt;
    return parsed;
  }
  return std::nullopt;
}

CollectionProperties to_properties(const CollectionFacts& facts) {
  const auto entry = [](std::string_view key, std::string value) { return std::pair(std::string(key), std::move(value)); };
  return {entry(kSchema, std::to_string(facts.schema_version)),
          entry(kGeneration, facts.generation.value()),
          entry(kModel, facts.encoder.model),
          entry(kWeights, facts.encoder.weights_hash),
          entry(kPrecision, facts.encoder.precision),
          entry(kDimension, std::to_string(facts.encoder.dimension)),
          entry(kMaxTokens, std::to_string(facts.encoder.max_tokens)),
          entry(kMetricKey, facts.metric),
          entry(kIndex, std::string(to_string(facts.index))),
          entry(kArticles, std::to_string(facts.articles)),
          entry(kCreated, std::to_string(facts.created_ms)),
          entry(kState, std::string(facts.is_complete ? kComplete : kFilling))};
}

core::Result<CollectionFacts> from_properties(const CollectionProperties& properties, std::string_view collection) {
  const Reader read(properties, collection);
  CollectionFacts facts;
  CORE_TRY(facts.schema_version, read.number<int>(kSchema));
  CORE_TRY(std::string generation, read.text(kGeneration));
  facts.generation = core::GenerationId(std::move(generation));
  CORE_TRY(facts.encoder.model, read.text(kModel));
  CORE_TRY(facts.encoder.weights_hash, read.text(kWeights));
  CORE_TRY(facts.encoder.precision, read.text(kPrecision));
  CORE_TRY(facts.encoder.dimension, read.number<std::size_t>(kDimension));
  CORE_TRY(facts.encoder.max_tokens, read.number<std::size_t>(kMaxTokens));
  CORE_TRY(facts.metric, read.text(kMetricKey));
  CORE_TRY(facts.articles, read.number<std::uint64_t>(kArticles));
  CORE_TRY(facts.created_ms, read.number<std::int64_t>(kCreated));
  CORE_TRY(const std::string state, read.text(kState));
  facts.is_complete = state == kComplete;
  CORE_TRY(const std::string index, read.text(kIndex));
  const auto type = milvus_index_type(index);
  if (!type) {
    return core::fail(ErrorCode::kFailedPrecondition,
                      fmt::format("the Milvus collection {} has an index of the unknown type {:.64}", collection, index));
  }
  facts.index = *type;
  return facts;
}

core::Status check_collection(const CollectionFacts& facts, const core::GenerationId& generation, const ports::EncoderInfo& query,
                              std::string_view collection) {
  const auto refuse = [&](const std::string& what) {
    return core::fail(ErrorCode::kFailedPrecondition, fmt::format("the Milvus collection {} {}", collection, what));
  };
  if (facts.schema_version != kSchemaVersion) {
    return refuse(
        fmt::format("has schema version {}, this program reads {}: ingest again", facts.schema_version, kSchemaVersion));
  }
  if (facts.generation != generation) {
    return refuse(fmt::format("holds generation {}, not {}", facts.generation.value(), generation.value()));
  }
  if (!facts.is_complete) return refuse("is not complete: its ingest is still running, or was interrupted and must run again");
  if (facts.metric != kMetric) return refuse(fmt::format("measures by {}, this program by {}", facts.metric, kMetric));
  if (query.dimension != 0 && facts.encoder.dimension != query.dimension) {
    return refuse(fmt::format("has vectors of {} dimensions, the query model {} gives {}", facts.encoder.dimension, query.model,
                              query.dimension));
  }
  if (!query.model.empty() && facts.encoder.model != query.model) {
    return refuse(
        fmt::format("has vectors made by the model \"{}\", queries are embedded by \"{}\"", facts.encoder.model, query.model));
  }
  const bool both_known = !facts.encoder.weights_hash.empty() && !query.weights_hash.empty();
  if (both_known && facts.encoder.weights_hash != query.weights_hash) {
    return refuse(fmt::format("has vectors made by other weights of {} (SHA-256 {:.12}...) than the query's ({:.12}...)",
                              query.model, facts.encoder.weights_hash, query.weights_hash));
  }
  return {};
}

}  // namespace scalestyle::adapters::milvus
