#pragma once
// A query as the int8 scan sees it: q ≈ β · mean + scale₀ · plane₀ + scale₁ · plane₁. The share of the collection's mean
// is exact (rows know theirs); the rest is one int8 vector, or two where that is wanted; and there are the figures that
// bound what the approximation loses on any row.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::retrieval {

inline constexpr std::size_t kMaxPlanes = 2;

// The estimate of row i is common · projections[i] + rows.scales[i] · Σ_p scales[p] · (planes[p] · codes_i), and
//   |score_i − estimate_i| ≤ norm · errors[i] + loss · norms[i] + slack
// where slack covers the rounding of f32 in the projections, the estimate and the score.
struct QueryPlanes {
  std::array<float, kMaxPlanes> scales{};
  float common = 0;  // q · mean
  float norm = 0;    // ≥ |q − β · mean|
  float loss = 0;    // ≥ |q − β · mean − Σ scales · planes|
  float slack = 0;
  float range = 0;   // no estimate is larger in magnitude
};

// Writes plane_count rows of `vectors.stride` codes to `planes`, zero-padded. `query` has finite values up to 1e6.
[[nodiscard]] QueryPlanes quantize_query(std::span<const float> query, const QuantizedVectors& vectors,
                                         std::span<std::int8_t> planes, std::size_t plane_count);

}  // namespace scalestyle::retrieval
