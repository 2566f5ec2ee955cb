#pragma once
// manifest.json of a generation: what it holds, what made it, and the size and SHA-256 of each of its files.
// The manifest carries its own SHA-256. Bytes: docs/formats/generation.md. Pure values: no thread safety needed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ports/catalog_store.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::adapters::embedded {

inline constexpr std::uint32_t kGenerationFormatVersion = 1;

// One file of the generation, or one input of the ingest.
struct FileRecord {
  std::string name;  // of a generation's file: its name; of an input: the path as given
  std::string role{};  // of an input: "articles", "transactions", "embeddings", "image_embeddings"
  std::uint64_t size_bytes = 0;
  std::string sha256;  // hex
  friend bool operator==(const FileRecord&, const FileRecord&) = default;
};

struct GenerationCounts {
  std::uint64_t articles = 0;
  std::uint64_t distinct_texts = 0;
  std::uint64_t rejected_rows = 0;  // of the articles file
  std::uint64_t with_price = 0;
  std::uint64_t with_image = 0;
  std::uint64_t supplied_vectors = 0;  // articles whose vector came from a file
  std::uint64_t reused_vectors = 0;    // distinct texts whose vector an earlier generation had
  friend bool operator==(const GenerationCounts&, const GenerationCounts&) = default;
};

// Of the vectors of photos; how many there are is GenerationInfo::image_vectors.
struct ImageFacts {
  std::string format{};                // what was embedded: "photo_v1"
  std::uint64_t distinct_photos = 0;   // photos that differ in their bytes
  std::uint64_t rejected_photos = 0;   // articles whose photo could not be used
  std::uint64_t supplied_vectors = 0;  // articles whose vector came from a file
  std::uint64_t reused_vectors = 0;    // distinct photos whose vector an earlier generation had
  friend bool operator==(const ImageFacts&, const ImageFacts&) = default;
};

// Of the neighbours of articles: what they were made of and how.
struct NeighbourFacts {
  std::uint64_t purchases = 0;     // of the catalogue's articles by known customers on known days
  std::string first_day{};         // of these, "YYYY-MM-DD"
  std::string last_day{};
  ranking::NeighbourOptions options{};
  std::uint64_t neighbours = 0;    // of all articles
};

// Of the graphs of vectors: what they were built with.
struct GraphFacts {
  std::uint64_t neighbours = 0;    // m
  std::uint64_t construction = 0;  // candidates when a node was added
  friend bool operator==(const GraphFacts&, const GraphFacts&) = default;
};

struct GenerationManifest {
  std::uint32_t format_version = kGenerationFormatVersion;
  ports::GenerationInfo info;
  GenerationCounts counts;
  ImageFacts images{};  // all 0 without info.image_encoder
  std::optional<NeighbourFacts> neighbours{};  // absent: the generation has none
  std::optional<GraphFacts> graph{};  // absent: the generation has none
  std::string price_source;  // "none", "articles", "transactions"
  std::vector<FileRecord> sources;
  std::vector<FileRecord> files;

  [[nodiscard]] std::string to_json() const;
  // `name` (the file's path) appears in errors. Errors: kDataLoss (damaged, or a field missing: named),
  // kFailedPrecondition (a newer format version).
  [[nodiscard]] static core::Result<GenerationManifest> parse(std::string_view json, std::string_view name);
};

}  // namespace scalestyle::adapters::embedded
