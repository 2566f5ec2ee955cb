#pragma once
// Where the vector of each row comes from: the embeddings file, the served generation, or the model, which is asked
// once for each distinct text, in the order of article ids.

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/embedded/catalog_file.hpp"
#include "catalog/catalog.hpp"
#include "ingest/reusable_vectors.hpp"
#include "ingest/supplied_vectors.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ingest {

struct RowVector {
  enum class From : std::uint8_t { kEmbedded, kReused, kSupplied };
  From from = From::kEmbedded;
  std::uint32_t index = 0;  // kEmbedded: place in EmbeddingPlan::texts; kReused: row of the old generation
};

struct EmbeddingPlan {
  std::vector<RowVector> rows;
  std::vector<adapters::embedded::VectorOrigin> origins;  // by row
  std::vector<catalog::RowIndex> texts;                   // to embed: the first row that has each text
  std::uint64_t distinct_texts = 0;                       // of the catalogue
  std::uint64_t reused_texts = 0;
  // SHA-256, hex, of all that decides the bits of the embedded vectors: encoder, text format, the texts in order.
  std::string fingerprint;
};

// `reusable` and `supplied` may be null; a supplied vector goes first.
[[nodiscard]] EmbeddingPlan plan_embeddings(const catalog::Catalog& catalog, const ports::EncoderInfo& encoder,
                                            const ReusableVectors* reusable, const SuppliedVectors* supplied);

}  // namespace scalestyle::ingest
