#pragma once
// Pre-computed vectors from a Parquet file, matched to the rows of a catalogue and compared with the live model.
// Immutable after read(): safe to share.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "catalog/catalog.hpp"
#include "ingest/ingest.hpp"
#include "ingest/rejects.hpp"

namespace scalestyle::ingest {

inline constexpr double kMaxNormError = 1e-3;      // | ‖v‖ − 1 |
inline constexpr double kLeastSampleCosine = 0.99;
inline constexpr std::size_t kSampleArticles = 32;

class SuppliedVectors {
 public:
  // Rows of another length, without unit norm, with a repeated id … are rejected one by one; vectors of articles that
  // the catalogue does not have are counted. Errors: those of catalog::read_embeddings; kInvalidArgument when no row
  // can be used.
  [[nodiscard]] static core::Result<SuppliedVectors> read(const IngestOptions& options, const catalog::Catalog& catalog,
                                                          const IngestContext& context, RejectsFile& rejects,
                                                          IngestSummary& summary);

  // Embeds the texts of up to kSampleArticles articles, evenly spread over those that have a vector, and compares.
  // kFailedPrecondition naming article and cosine when one is below kLeastSampleCosine.
  [[nodiscard]] core::Status check_sample(const catalog::Catalog& catalog, const IngestContext& context) const;

  // Forgets the vectors of these rows (of the catalogue's size, or 0: none): they are of other texts.
  void leave_out(const catalog::Bitmap& rows);

  // The vector of a row; empty when the file has none.
  [[nodiscard]] std::span<const float> find(catalog::RowIndex row) const;
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  std::size_t dimension_ = 0;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> place_of_row_;  // kNone without a vector
  std::vector<float> values_;
};

}  // namespace scalestyle::ingest
