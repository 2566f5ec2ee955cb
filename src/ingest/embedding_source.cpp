#include "ingest/embedding_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "ingest/supplied_vectors.hpp"

namespace scalestyle::ingest {

core::Status check_batch(const EmbeddedBatch& batch, std::size_t rows, const EmbeddingSource& source) {
  const std::size_t dimension = source.info().dimension;
  if (batch.values.size() != rows * dimension) {
    return core::fail(core::ErrorCode::kInternal, fmt::format("the encoder {} gave {} values for {} {}s of dimension {}",
                                                              source.info().model, batch.values.size(), rows, source.noun(),
                                                              dimension));
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const double length = length_of(std::span(batch.values).subspan(row * dimension, dimension));
    const bool is_rejected = std::ranges::find(batch.rejected, row, &RejectedItem::item) != batch.rejected.end();
    if (is_rejected ? length == 0 : std::abs(length - 1) <= kMaxNormError) continue;
    return core::fail(core::ErrorCode::kInternal, fmt::format("the encoder {} gave {} {} of a batch a vector of length {}",
                                                              source.info().model, source.noun(), row, length));
  }
  return {};
}

}  // namespace scalestyle::ingest
