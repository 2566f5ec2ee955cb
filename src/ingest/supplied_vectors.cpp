#include "ingest/supplied_vectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "catalog/product_text.hpp"
#include "core/task.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

namespace {

double norm_of(std::span<const float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  for (std::size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  const double norms = norm_of(a) * norm_of(b);
  return norms > 0 ? dot / norms : 0;
}

}  // namespace

core::Result<SuppliedVectors> SuppliedVectors::read(const IngestOptions& options, const catalog::Catalog& catalog,
                                                    const IngestContext& context, RejectsFile& rejects,
                                                    IngestSummary& summary) {
  SuppliedVectors supplied;
  supplied.dimension_ = context.encoder.info().dimension;
  supplied.place_of_row_.assign(catalog.size(), kNone);
  std::uint64_t rejected = 0;
  std::string first_cause;
  const auto reject = [&](const catalog::RejectedRow& row) {
    if (rejected++ == 0) first_cause = row.cause;
    return rejects.add("embeddings", row);
  };
  const auto sink = [&](const catalog::EmbeddingChunk& chunk) -> core::Status {
    CORE_CHECK(check_stop(context));
    for (const catalog::RejectedRow& row : chunk.rejected) CORE_CHECK(reject(row));
    for (std::size_t i = 0; i < chunk.ids.size(); ++i) {
      const auto vector = chunk.values.subspan(i * chunk.dimension, chunk.dimension);
      if (const double norm = norm_of(vector); !(std::abs(norm - 1) <= kMaxNormError)) {
        CORE_CHECK(reject({.column = "vector", .excerpt = chunk.ids[i].text(), .cause = fmt::format("its length is {:.4g}, not 1", norm)}));
        continue;
      }
      const auto row = catalog.find(chunk.ids[i]);
      if (!row) {
        ++summary.unknown_vectors;
        continue;
      }
      supplied.place_of_row_[row->value] = static_cast<std::uint32_t>(supplied.count_++);
      supplied.values_.insert(supplied.values_.end(), vector.begin(), vector.end());
    }
    context.progress.reading("embeddings", chunk.rows_read, 0);
    return {};
  };
  auto read_outcome = catalog::read_embeddings(options.embeddings, supplied.dimension_, options.reader, sink);
  if (!read_outcome && read_outcome.error().field.empty()) read_outcome.error().field = "embeddings";
  CORE_TRY(const auto read, std::move(read_outcome));
  if (read.rows_read == rejected) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{} has no usable vector for the model {} of dimension {}: {} rows read, the first cause: {}",
                                  options.embeddings.string(), context.encoder.info().model, supplied.dimension_,
                                  read.rows_read, first_cause.empty() ? "the table is empty" : first_cause),
                      "embeddings");
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

core::Status SuppliedVectors::check_sample(const catalog::Catalog& catalog, const IngestContext& context) const {
  std::vector<catalog::RowIndex> rows;
  for (std::uint32_t row = 0; row < place_of_row_.size(); ++row) {
    if (place_of_row_[row] != kNone) rows.push_back({row});
  }
  const std::size_t wanted = std::min(rows.size(), kSampleArticles);
  std::vector<catalog::RowIndex> sample;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < wanted; ++i) {
    sample.push_back(rows[i * rows.size() / wanted]);
    texts.push_back(catalog::product_text_v1(catalog.row(sample.back()).to_article()));
  }
  CORE_TRY(const auto batch, core::sync_wait(context.encoder.encode(std::move(texts), core::Deadline::never())));
  for (std::size_t i = 0; i < wanted; ++i) {
    const double similarity = cosine(std::span(batch.values).subspan(i * batch.dimension, batch.dimension), find(sample[i]));
    if (similarity >= kLeastSampleCosine) continue;
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("the supplied vector of article {} has cosine {:.4f} with the one that {} makes of its "
                                  "text; at least {} is needed. It was made by another model or from another text than {}; "
                                  "leave --embeddings out to embed the catalogue here",
                                  catalog.row(sample[i]).id(), similarity, context.encoder.info().model, kLeastSampleCosine,
                                  catalog::kTextFormat),
                      "embeddings");
  }
  return {};
}

}  // namespace scalestyle::ingest
