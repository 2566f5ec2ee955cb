#pragma once
// Pre-computed vectors of texts or photos from a Parquet file, matched to the rows of a catalogue and compared with the
// live model. Immutable after leave_out(): safe to share.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/table_reader.hpp"
#include "ingest/embedding_source.hpp"
#include "ingest/ingest.hpp"
#include "ingest/rejects.hpp"

namespace scalestyle::ingest {

inline constexpr double kMaxNormError = 1e-3;      // | ‖v‖ − 1 |
inline constexpr double kLeastSampleCosine = 0.99;
inline constexpr std::size_t kSampleArticles = 32;

[[nodiscard]] double length_of(std::span<const float> vector);  // Euclidean

// A file of vectors, and what must have made them.
struct SuppliedFile {
  std::filesystem::path path;
  catalog::EmbeddingKind kind = catalog::EmbeddingKind::kTexts;
  const ports::EncoderInfo& encoder;

  // "embeddings" or "image_embeddings": the option, the input's name among rejects.
  [[nodiscard]] std::string_view option() const;
};

class SuppliedVectors {
 public:
  // Rows of another length, without unit norm, with a repeated id … are rejected one by one; vectors of articles that
  // the catalogue does not have are counted. Errors: those of catalog::read_embeddings; kInvalidArgument when no row
  // can be used.
  [[nodiscard]] static core::Result<SuppliedVectors> read(const SuppliedFile& file, const IngestOptions& options,
                                                          const IngestContext& context, const catalog::Catalog& catalog,
                                                          RejectsFile& rejects);

  // Embeds up to kSampleArticles articles, evenly spread over those that have a vector and pass `can_compare`, and compares.
  // Returns how many were compared (none where the source rejects what it is given). kFailedPrecondition naming article and
  // cosine when one is below kLeastSampleCosine; the source's errors.
  [[nodiscard]] core::Result<std::size_t> check_sample(const catalog::Catalog& catalog, EmbeddingSource& source,
                                                       const std::function<bool(catalog::RowIndex)>& can_compare) const;

  // Forgets the vectors of these rows (of the catalogue's size, or 0: none): they are of other contents.
  void leave_out(const catalog::Bitmap& rows);

  // The vector of a row; empty when the file has none.
  [[nodiscard]] std::span<const float> find(catalog::RowIndex row) const;
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::uint64_t unknown() const { return unknown_; }  // of articles that the catalogue does not have

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  std::string option_;
  std::size_t dimension_ = 0;
  std::size_t count_ = 0;
  std::uint64_t unknown_ = 0;
  std::vector<std::uint32_t> place_of_row_;  // kNone without a vector
  std::vector<float> values_;
};

}  // namespace scalestyle::ingest
