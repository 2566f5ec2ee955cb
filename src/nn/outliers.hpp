#pragma once
// The inner loops of int8's outliers (see LinearInt8): finding them, and adding their products. One variant an
// instruction set, compiled with its own flags; all give the same bits (no fused multiply-add, fixed order).

#include <cstddef>
#include <cstdint>

namespace scalestyle::nn {

struct RowShape {
  float largest = 0;         // magnitude
  float sum_of_squares = 0;  // over 16 lanes joined in one fixed tree
};

// One packed int8 weight matrix as PackedInt8 lays it out, and the column of it that an outlier multiplies.
struct OutlierColumn {
  const std::int8_t* weights = nullptr;  // first panel
  std::size_t panel_bytes = 0;           // from one panel to the next
  const float* scales = nullptr;         // [panels * 64]
};

struct OutlierArgs {
  OutlierColumn coarse;
  OutlierColumn fine;
  std::size_t column = 0;
  float value = 0;
  float* out = nullptr;
  std::size_t out_features = 0;
};

struct OutlierKernels {
  RowShape (*row_shape)(const float* row, std::size_t columns) = nullptr;
  // Writes the columns whose magnitude is above `limit`, ascending, to `found`; returns how many. Room for `columns`.
  std::size_t (*find_above)(const float* row, std::size_t columns, float limit, std::uint32_t* found) = nullptr;
  // out[j] += value * (coarse[j][column] + fine[j][column]) for every output feature j.
  void (*add)(const OutlierArgs& args) = nullptr;
};

// The variant for kernels::active_isa().
[[nodiscard]] const OutlierKernels& active_outlier_kernels();

[[nodiscard]] OutlierKernels outlier_kernels_scalar();
[[nodiscard]] OutlierKernels outlier_kernels_avx2();
[[nodiscard]] OutlierKernels outlier_kernels_avx512();

}  // namespace scalestyle::nn
