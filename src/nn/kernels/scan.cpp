#include "nn/kernels/scan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "nn/kernels/kernel_table.hpp"

namespace scalestyle::nn::kernels {

core::Result<ScanQueries> ScanQueries::prepare(std::span<const std::int8_t> queries, std::size_t dimension) {
  if (dimension == 0 || dimension % 64 != 0 || dimension > kMaxScanDimension) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("scan dimension {}: it must be a multiple of 64, at most {}", dimension,
                                  kMaxScanDimension));
  }
  const std::size_t count = queries.size() / dimension;
  if (count == 0 || count > kMaxScanQueries || queries.size() % dimension != 0) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{} query values at dimension {}: 1 to {} whole queries are scanned together",
                                  queries.size(), dimension, kMaxScanQueries));
  }
  ScanQueries prepared;
  prepared.count_ = count;
  prepared.dimension_ = dimension;
  prepared.rows_ = AlignedBuffer(kMaxScanQueries * dimension);
  prepared.tiles_ = AlignedBuffer(kMaxScanQueries * dimension);
  prepared.sums_ = AlignedBuffer(kMaxScanQueries * sizeof(std::int32_t));
  prepared.wide_ = AlignedBuffer(count * dimension * sizeof(std::int16_t));
  std::copy(queries.begin(), queries.end(), prepared.rows_.as<std::int8_t>());
  std::copy(queries.begin(), queries.end(), prepared.wide_.as<std::int16_t>());
  for (std::size_t q = 0; q < count; ++q) {
    std::int32_t sum = 0;
    for (std::size_t k = 0; k < dimension; ++k) {
      const std::int8_t value = queries[q * dimension + k];
      prepared.tiles_.as<std::int8_t>()[k / 4 * 4 * kMaxScanQueries + q * 4 + k % 4] = value;
      sum += value;
    }
    prepared.sums_.as<std::int32_t>()[q] = sum;
  }
  return prepared;
}

void dot_int8(const ScanQueries& queries, const std::int8_t* vectors, std::size_t count, std::int32_t* out,
              std::size_t out_stride) {
  assert(out_stride >= count);
  active_kernels().dot_int8({queries.row(0), queries.tiles(), queries.wide(), queries.sums(), queries.count(), queries.dimension(),
                             vectors, nullptr, count, out, out_stride});
}

void dot_int8_rows(const ScanQueries& queries, const std::int8_t* vectors, std::span<const std::uint32_t> rows,
                   std::int32_t* out, std::size_t out_stride) {
  assert(out_stride >= rows.size());
  if (rows.empty()) return;
  active_kernels().dot_int8({queries.row(0), queries.tiles(), queries.wide(), queries.sums(), queries.count(), queries.dimension(),
                             vectors, rows.data(), rows.size(), out, out_stride});
}

std::uint64_t score_intervals(const IntervalQuery& query, const IntervalRows& rows, float threshold, Intervals& out) {
  assert(rows.count <= kIntervalRows);
  return active_kernels().score_intervals({query.common, {query.scales[0], query.scales[1]}, query.norm, query.loss,
                                           query.slack, threshold, rows.scales, rows.errors, rows.norms,
                                           rows.projections, {rows.dots[0], rows.dots[1]}, rows.count,
                                           out.estimates.data(), out.bounds.data()});
}

float dot_f32(const float* a, const float* b, std::size_t dimension) {
  return active_kernels().dot_f32(a, b, dimension);
}

void dot_f32_rows(std::span<const float> query, const float* vectors, std::span<const std::uint32_t> rows, float* out) {
  const auto dot = active_kernels().dot_f32;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out[i] = dot(query.data(), vectors + std::size_t{rows[i]} * query.size(), query.size());
  }
}

float quantize_symmetric(std::span<const float> values, std::int8_t* out) {
  float largest = 0.0F;
  for (const float value : values) largest = std::max(largest, std::abs(value));  // skips not-a-number
  const bool flat = largest < 1e-30F || !std::isfinite(largest);
  const float inverse = flat ? 0.0F : 127.0F / largest;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float scaled = values[i] * inverse;
    const float rounded = std::isfinite(scaled) ? std::clamp(std::nearbyint(scaled), -127.0F, 127.0F) : 0.0F;
    out[i] = static_cast<std::int8_t>(rounded);
  }
  return flat ? 1.0F : largest / 127.0F;
}

}  // namespace scalestyle::nn::kernels
