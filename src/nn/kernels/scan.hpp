#pragma once
// Dot products of a few queries with many vectors: the inner loop of exact retrieval.
// Results are the same bits on every instruction set. Calls run on the calling thread and allocate nothing.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/result.hpp"
#include "nn/kernels/matrix.hpp"

namespace scalestyle::nn::kernels {

inline constexpr std::size_t kMaxScanQueries = 16;
inline constexpr std::size_t kMaxScanDimension = 8192;

// Up to 16 int8 queries laid out for the scan, with what makes signed x signed products exact. Immutable; may be shared.
class ScanQueries {
 public:
  // queries: row-major [count, dimension], 1..16 of them; dimension a multiple of 64, at most 8192.
  // Errors: invalid_argument.
  static core::Result<ScanQueries> prepare(std::span<const std::int8_t> queries, std::size_t dimension);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t dimension() const { return dimension_; }
  [[nodiscard]] const std::int8_t* row(std::size_t query) const { return rows_.as<std::int8_t>() + query * dimension_; }
  [[nodiscard]] const std::int8_t* tiles() const { return tiles_.as<std::int8_t>(); }  // [dimension/4][16][4]
  [[nodiscard]] const std::int16_t* wide() const { return wide_.as<std::int16_t>(); }  // [count, dimension], as the rows
  [[nodiscard]] const std::int32_t* sums() const { return sums_.as<std::int32_t>(); }  // [16]

 private:
  std::size_t count_ = 0;
  std::size_t dimension_ = 0;
  AlignedBuffer rows_;
  AlignedBuffer tiles_;
  AlignedBuffer wide_;
  AlignedBuffer sums_;
};

// out[q * out_stride + i] = queries[q] . vectors[i], exactly. vectors: row-major [count, dimension], any alignment
// (64 bytes is fastest). Nothing outside the block is read. out_stride >= count.
void dot_int8(const ScanQueries& queries, const std::int8_t* vectors, std::size_t count, std::int32_t* out,
              std::size_t out_stride);

// The same for chosen rows of the block: out[q * out_stride + i] = queries[q] . vectors[rows[i]].
void dot_int8_rows(const ScanQueries& queries, const std::int8_t* vectors, std::span<const std::uint32_t> rows,
                   std::int32_t* out, std::size_t out_stride);

// What turns int8 products into intervals that hold the scores of up to 64 rows:
//   estimate = common * projection + row scale * (scales[0] * dots[0] + scales[1] * dots[1])
//   bound    = norm * row error + loss * row norm + slack
inline constexpr std::size_t kIntervalRows = 64;

struct IntervalQuery {
  std::array<float, 2> scales{};
  float common = 0;
  float norm = 0;
  float loss = 0;
  float slack = 0;
};

struct IntervalRows {
  const float* scales = nullptr;
  const float* errors = nullptr;
  const float* norms = nullptr;
  const float* projections = nullptr;
  std::array<const std::int32_t*, 2> dots{};  // 64 readable values each, whatever the count; the second may be null
  std::size_t count = 0;                      // at most 64
};

struct Intervals {
  std::array<float, kIntervalRows> estimates;  // from `count` on unspecified
  std::array<float, kIntervalRows> bounds;
};

// Bit i of the result: estimate + bound of row i is at least `threshold` (never for not-a-number).
std::uint64_t score_intervals(const IntervalQuery& query, const IntervalRows& rows, float threshold, Intervals& out);

// f32 dot product over 64 virtual lanes with fused multiply-adds, joined in one fixed tree.
[[nodiscard]] float dot_f32(const float* a, const float* b, std::size_t dimension);

// out[i] = query . vectors[rows[i]]: rescoring of a short list.
void dot_f32_rows(std::span<const float> query, const float* vectors, std::span<const std::uint32_t> rows, float* out);

// Symmetric quantisation of one vector for the scan: scale = max|x| / 127, out[i] = round(x / scale) in [-127, 127].
// Returns the scale (1 for a vector of zeros). Not-a-number counts as zero.
float quantize_symmetric(std::span<const float> values, std::int8_t* out);

}  // namespace scalestyle::nn::kernels
