#pragma once
// What a collection is called and says of itself. One collection holds the vectors of a generation's texts, another those
// of its photos; its properties say what made them, so that nothing else is ever asked in it. Pure.
// Format: docs/formats/milvus.md.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::adapters::milvus {

enum class MilvusCollectionKind : std::uint8_t { kTexts, kPhotos };

enum class MilvusIndexType : std::uint8_t {
  kHnsw,     // a graph: `m` neighbours a node, built with `ef_construction` candidates, searched with `ef`
  kIvfFlat,  // `nlist` cells, `nprobe` of them searched
  kFlat,     // every vector: exact
};
[[nodiscard]] std::string_view to_string(MilvusIndexType type);  // as Milvus names it: "HNSW", "IVF_FLAT", "FLAT"
[[nodiscard]] std::optional<MilvusIndexType> milvus_index_type(std::string_view name);

inline constexpr std::string_view kMetric = "IP";  // of unit vectors: the cosine
inline constexpr int kSchemaVersion = 1;

// `prefix` of letters, digits and "_", beginning with a letter or "_"; at most 64 bytes.
[[nodiscard]] bool is_collection_prefix(std::string_view prefix);

// "scalestyle_text_20260301T120000Z_2d1a2b3c4d": bytes that Milvus allows in no name, and "_" itself, are "_" and two hex
// digits, so that no two generations share a name.
[[nodiscard]] std::string collection_name(std::string_view prefix, MilvusCollectionKind kind, const core::GenerationId& id);

// The reverse; nothing for names that it did not make.
struct NamedCollection {
  MilvusCollectionKind kind = MilvusCollectionKind::kTexts;
  core::GenerationId generation;
};
[[nodiscard]] std::optional<NamedCollection> parse_collection_name(std::string_view prefix, std::string_view name);

struct CollectionFacts {
  core::GenerationId generation;
  ports::EncoderInfo encoder;      // of the vectors
  MilvusIndexType index = MilvusIndexType::kHnsw;
  std::uint64_t articles = 0;      // when it was completed
  std::int64_t created_ms = 0;     // since 1970
  bool is_complete = false;        // all articles are in it, it was indexed and counted
  std::string metric{kMetric};
  int schema_version = kSchemaVersion;
};

using CollectionProperties = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] CollectionProperties to_properties(const CollectionFacts& facts);

// Other properties are left alone. kFailedPrecondition, naming `collection`, for one that ingest did not make.
[[nodiscard]] core::Result<CollectionFacts> from_properties(const CollectionProperties& properties, std::string_view collection);

// Whether a collection may be searched for `generation` with vectors of `query` (an empty model or a dimension of 0 is not
// asked for). kFailedPrecondition, naming both sides: incomplete; another schema, generation, metric, dimension, model or
// weights (where both are known).
[[nodiscard]] core::Status check_collection(const CollectionFacts& facts, const core::GenerationId& generation,
                                            const ports::EncoderInfo& query, std::string_view collection);

}  // namespace scalestyle::adapters::milvus
