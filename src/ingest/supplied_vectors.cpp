#include "ingest/supplied_vectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/task.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

namespace {

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  for (std::size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  const double norms = length_of(a) * length_of(b);
  return norms > 0 ? dot / norms : 0;
}

}  // namespace

double length_of(std::span<const float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

std::string_view SuppliedFile::option() const {
  return kind == catalog::EmbeddingKind::kTexts ? "embeddings" : "image_embeddings";
}

core::Result<SuppliedVectors> SuppliedVectors::read(const SuppliedFile& file, const IngestOptions& options,
                                                    const IngestContext& context, const catalog::Catalog& catalog,
                                                    RejectsFile& rejects) {
  SuppliedVectors supplied;
  supplied.option_ = file.option();
  supplied.dimension_ = file.encoder.dimension;
  supplied.place_of_row_.assign(catalog.size(), kNone);
  std::uint64_t rejected = 0;
  std::string first_cause;
  const auto reject = [&](const catalog::RejectedRow& row) {
    if (rejected++ == 0) first_cause = row.cause;
    return rejects.add(supplied.option_, row);
  };
  const auto sink = [&](const catalog::EmbeddingChunk& chunk) -> core::Status {
    CORE_CHECK(check_stop(context));
    for (const catalog::RejectedRow& row : chunk.rejected) CORE_CHECK(reject(row));
    for (std::size_t i = 0; i < chunk.ids.size(); ++i) {
      const auto vector = chunk.values.subspan(i * chunk.dimension, chunk.dimension);
      if (const double length = length_of(vector); !(std::abs(length - 1) <= kMaxNormError)) {
        CORE_CHECK(reject({.column = "vector", .excerpt = chunk.ids[i].text(), .cause = fmt::format("its length is {:.4g}, not 1", length)}));
        continue;
      }
      const auto row = catalog.find(chunk.ids[i]);
      if (!row) {
        ++supplied.unknown_;
        continue;
      }
      supplied.place_of_row_[row->value] = static_cast<std::uint32_t>(supplied.count_++);
      supplied.values_.insert(supplied.values_.end(), vector.begin(), vector.end());
    }
    context.progress.reading(supplied.option_, chunk.rows_read, 0);
    return {};
  };
  auto read_outcome = catalog::read_embeddings(file.path, supplied.dimension_, options.reader, sink, file.kind);
  if (!read_outcome && read_outcome.error().field.empty()) read_outcome.error().field = supplied.option_;
  CORE_TRY(const auto read, std::move(read_outcome));
  if (read.rows_read == rejected) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{} has no usable vector for the model {} of dimension {}: {} rows read, the first cause: {}",
                                  file.path.string(), file.encoder.model, supplied.dimension_, read.rows_read,
                                  first_cause.empty() ? "the table is empty" : first_cause),
                      supplied.option_);
  }
  return supplied;
}

std::span<const float> SuppliedVectors::find(catalog::RowIndex row) const {
  const std::uint32_t place = place_of_row_[row.value];
  if (place == kNone) return {};
  return std::span(values_).subspan(place * dimension_, dimension_);
}

void SuppliedVectors::leave_out(const catalog::Bitmap& rows) {
  rows.for_each([this](catalog::RowIndex row) {
    if (place_of_row_[row.value] == kNone) return;
    place_of_row_[row.value] = kNone;
    --count_;
  });
}

core::Result<std::size_t> SuppliedVectors::check_sample(const catalog::Catalog& catalog, EmbeddingSource& source,
                                                        const std::function<bool(catalog::RowIndex)>& can_compare) const {
  std::vector<catalog::RowIndex> rows;
  for (std::uint32_t row = 0; row < place_of_row_.size(); ++row) {
    if (place_of_row_[row] != kNone && can_compare({row})) rows.push_back({row});
  }
  std::vector<catalog::RowIndex> sample;
  const std::size_t wanted = std::min(rows.size(), kSampleArticles);
  for (std::size_t i = 0; i < wanted; ++i) sample.push_back(rows[i * rows.size() / wanted]);
  if (sample.empty()) return std::size_t{0};
  CORE_TRY(const auto batch, core::sync_wait(source.embed(sample)));
  for (std::size_t i = 0; i < sample.size(); ++i) {
    if (std::ranges::find(batch.rejected, i, &RejectedItem::item) != batch.rejected.end()) continue;
    const double similarity = cosine(std::span(batch.values).subspan(i * dimension_, dimension_), find(sample[i]));
    if (similarity >= kLeastSampleCosine) continue;
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("the supplied vector of article {} has cosine {:.4f} with the one that {} makes of its {}; at "
                                  "least {} is needed. It was made by another model or from another {}; leave --{} out to embed "
                                  "here",
                                  catalog.row(sample[i]).id(), similarity, source.info().model, source.noun(),
                                  kLeastSampleCosine, source.noun(), option_ == "embeddings" ? "embeddings" : "image-embeddings"),
                      option_);
  }
  return sample.size() - batch.rejected.size();
}

}  // namespace scalestyle::ingest
