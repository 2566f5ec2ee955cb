#pragma once
// Where the vector of each row comes from: an embeddings file, the served generation, or the model, which is asked once for
// each distinct text or photo, in the order of article ids.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/embedded/catalog_file.hpp"
#include "catalog/catalog.hpp"
#include "ingest/reusable_vectors.hpp"
#include "ingest/supplied_vectors.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ingest {

struct RowVector {
  enum class From : std::uint8_t { kNone, kEmbedded, kReused, kSupplied };
  From from = From::kNone;
  std::uint32_t index = 0;  // kEmbedded: place in EmbeddingPlan::items; kReused: row of the old vectors; kSupplied: this row
};

struct EmbeddingPlan {
  std::vector<RowVector> rows;
  std::vector<adapters::embedded::VectorOrigin> origins;  // by row; of a zero hash where there is no content
  std::vector<catalog::RowIndex> items;                   // to embed: the first row that has each content
  std::uint64_t distinct = 0;                             // contents of the catalogue
  std::uint64_t reused = 0;                               // of them, from the served generation
  // SHA-256, hex, of all that decides the bits of the embedded vectors: encoder, format, the contents in order.
  std::string fingerprint;
};

struct PlanInput {
  const catalog::Catalog& catalog;
  const ports::EncoderInfo& encoder;
  std::string_view format;                                          // "product_text_v1"
  std::span<const std::optional<catalog::TextHash>> contents;       // by row: the hash of its text or photo; nothing: none
  const ReusableVectors* reusable = nullptr;                        // null: none
  const SuppliedVectors* supplied = nullptr;                        // null: none; a supplied vector goes first
};

[[nodiscard]] EmbeddingPlan plan_embeddings(const PlanInput& input);

}  // namespace scalestyle::ingest
