#pragma once
// The inner loops of int8's outliers (see LinearInt8): which rows have them, finding them, and adding their products.
// One variant an instruction set, compiled with its own flags; all give the same bits (no fused multiply-add, fixed
// order).

#include <cstddef>
#include <cstdint>

namespace scalestyle::nn {

// One value of a row that is too large to share a scale with the others.
struct Outlier {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  float value = 0;
};

// The outliers of one row against weights by input feature.
struct OutlierProducts {
  const std::int16_t* weights = nullptr;  // [in][stride], one scale an input feature
  std::size_t stride = 0;                 // a multiple of 64; the weights past out_features are zeros
  const float* scales = nullptr;          // [in]
  const Outlier* outliers = nullptr;
  std::size_t count = 0;
  float* out = nullptr;  // [out_features]
  std::size_t out_features = 0;
};

struct OutlierKernels {
  // Sum of |byte - zero_point| over a quantised row: its mean magnitude in steps.
  std::uint64_t (*deviation)(const std::uint8_t* bytes, std::size_t columns, std::int32_t zero_point) = nullptr;
  // Writes the columns whose magnitude is above `limit`, ascending, to `found`; returns how many. Room for `columns`.
  std::size_t (*find_above)(const float* row, std::size_t columns, float limit, std::uint32_t* found) = nullptr;
  // out[j] += value * scale[column] * weight[column][j] for every outlier, in their order, and every output feature j.
  void (*add)(const OutlierProducts& products) = nullptr;
};

// The variant for kernels::active_isa().
[[nodiscard]] const OutlierKernels& active_outlier_kernels();

[[nodiscard]] OutlierKernels outlier_kernels_scalar();
[[nodiscard]] OutlierKernels outlier_kernels_avx2();
[[nodiscard]] OutlierKernels outlier_kernels_avx512();

}  // namespace scalestyle::nn
