#pragma once
// Matrix products over F32x16: the f32 micro-kernel, bf16 in software, the epilogue, and the loop over tiles that all
// products share. Internal; include after one simd header.

#include <utility>

#include "nn/kernels/generic_math.hpp"
#include "nn/kernels/kernel_table.hpp"

namespace scalestyle::nn::kernels {
namespace {

inline constexpr std::size_t kPanel = 64;
// Rows taken through all panels together: this much of A and of the output stays in the second-level cache beside the
// weights. Each panel touches all of it.
inline constexpr std::size_t kRowBlockBytes = 384 * 1024;
// Each block reads all weights. More than this is not read again to keep the output near, only to keep A.
inline constexpr std::size_t kWeightBytesReadAgain = 4 * 1024 * 1024;

inline constexpr std::size_t kPrefetchRows = 24;

// out[r][0 .. 16 * Vectors) = sum over k of a[r][k] * b[k][...], k ascending, one fused multiply-add each.
// Rows are addressed in groups of three from one pointer, so that their addresses fit the general registers.
template <std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void multiply_f32(const float* a, std::size_t a_stride, const float* b, std::size_t b_stride,
                                    std::size_t depth, float* out, std::size_t out_stride) {
  constexpr std::size_t kGroups = (Rows + 2) / 3;
  F32x16 sum[Rows][Vectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) sum[r][v] = F32x16::zero();
  }
  const float* group[kGroups];
#pragma GCC unroll 16
  for (std::size_t g = 0; g < kGroups; ++g) group[g] = a + 3 * g * a_stride;
  const std::size_t ahead = kPrefetchRows * b_stride;
#pragma GCC unroll 1
  for (std::size_t k = 0; k < depth; ++k) {
    F32x16 column[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      column[v] = F32x16::load(b + 16 * v);
      __builtin_prefetch(b + ahead + 16 * v);  // panels come from the second-level cache or beyond
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
      const F32x16 value = F32x16::broadcast(group[r / 3][(r % 3) * a_stride]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) sum[r][v] = F32x16::fma(value, column[v], sum[r][v]);
    }
    b += b_stride;
#pragma GCC unroll 16
    for (std::size_t g = 0; g < kGroups; ++g) ++group[g];
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) sum[r][v].store(out + r * out_stride + 16 * v);
  }
}

using MultiplyF32 = void (*)(const float*, std::size_t, const float*, std::size_t, std::size_t, float*, std::size_t);

template <std::size_t Vectors, std::size_t... Index>
inline MultiplyF32 choose_f32(std::size_t rows, std::index_sequence<Index...>) {
  static constexpr MultiplyF32 kFunctions[] = {multiply_f32<Index + 1, Vectors>...};
  return kFunctions[rows - 1];
}

struct F32Operands {
  const float* a;
  std::size_t a_stride;
  const float* b;
  std::size_t b_stride;
  std::size_t depth;
};

// rows <= kTileRows, columns a multiple of 16.
inline void multiply_f32_tile(const F32Operands& in, std::size_t rows, std::size_t columns, float* out,
                              std::size_t out_stride) {
  constexpr std::size_t kWide = 16 * F32x16::kTileVectors;
  using RowCounts = std::make_index_sequence<F32x16::kTileRows>;
  const MultiplyF32 wide = choose_f32<F32x16::kTileVectors>(rows, RowCounts{});
  std::size_t column = 0;
  for (; column + kWide <= columns; column += kWide) {
    wide(in.a, in.a_stride, in.b + column, in.b_stride, in.depth, out + column, out_stride);
  }
  if constexpr (F32x16::kTileVectors > 1) {
    const MultiplyF32 narrow = choose_f32<1>(rows, RowCounts{});
    for (; column < columns; column += 16) {
      narrow(in.a, in.a_stride, in.b + column, in.b_stride, in.depth, out + column, out_stride);
    }
  }
}

// The tile's place in the output, and what is to be done to it.
struct TilePlace {
  std::size_t row;
  std::size_t rows;
  std::size_t panel;
};

inline constexpr std::size_t kPanelVectors = kPanel / 16;

// What belongs to the columns of a panel, loaded once a tile.
struct PanelColumns {
  F32x16 bias[kPanelVectors];
  F32x16 scale[kPanelVectors];  // int8 only
};

// The epilogue of a tile, row by row: a row's output lines are then written one after the other, which the caches take
// much faster than one line of each row in turn. value(row, vector) is the product with its bias.
template <Activation Function, bool Residual, class Value>
inline void finish_rows(const EpilogueArgs& epilogue, const TilePlace& place, std::size_t columns, Value value) {
  const std::size_t first = place.panel * kPanel;
  float* out = epilogue.out + place.row * epilogue.out_stride + first;
  const float* residual = Residual ? epilogue.residual + place.row * epilogue.residual_stride + first : nullptr;
  const auto finish_vector = [&](std::size_t r, std::size_t v, std::size_t lanes) {
    F32x16 result = activate<Function>(value(r, v));
    if constexpr (Residual) result = result + load_lanes(residual + r * epilogue.residual_stride + 16 * v, lanes);
    store_lanes(result, out + r * epilogue.out_stride + 16 * v, lanes);
  };
  if (columns == kPanel) {
    for (std::size_t r = 0; r < place.rows; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kPanelVectors; ++v) finish_vector(r, v, 16);
    }
    return;
  }
  for (std::size_t r = 0; r < place.rows; ++r) {
    for_each_vector(columns, [&](std::size_t column, std::size_t lanes) { finish_vector(r, column / 16, lanes); });
  }
}

template <Activation Function, class Value>
inline void finish_rows(const EpilogueArgs& epilogue, const TilePlace& place, std::size_t columns, Value value) {
  if (epilogue.residual != nullptr) return finish_rows<Function, true>(epilogue, place, columns, value);
  finish_rows<Function, false>(epilogue, place, columns, value);
}

template <class Value>
inline void finish_rows(const EpilogueArgs& epilogue, const TilePlace& place, std::size_t columns, Value value) {
  switch (epilogue.activation) {
    case Activation::kNone: return finish_rows<Activation::kNone>(epilogue, place, columns, value);
    case Activation::kGeluErf: return finish_rows<Activation::kGeluErf>(epilogue, place, columns, value);
    case Activation::kQuickGelu: return finish_rows<Activation::kQuickGelu>(epilogue, place, columns, value);
  }
}

inline std::size_t columns_of(std::size_t out_features, std::size_t panel) {
  const std::size_t first = panel * kPanel;
  return out_features - first < kPanel ? out_features - first : kPanel;
}

inline void load_bias(const EpilogueArgs& epilogue, std::size_t first, std::size_t columns, PanelColumns& panel) {
  for (F32x16& bias : panel.bias) bias = F32x16::zero();
  if (epilogue.bias == nullptr) return;
  for_each_vector(columns, [&](std::size_t column, std::size_t lanes) {
    panel.bias[column / 16] = load_lanes(epilogue.bias + first + column, lanes);
  });
}

template <class Args>
inline void finish_tile(const Args& args, const float* tile, const TilePlace& place) {
  const std::size_t columns = columns_of(args.out_features, place.panel);
  PanelColumns panel;
  load_bias(args.epilogue, place.panel * kPanel, columns, panel);
  finish_rows(args.epilogue, place, columns, [&](std::size_t r, std::size_t v) {
    return F32x16::load(tile + r * kPanel + 16 * v) + panel.bias[v];
  });
}

inline void finish_tile(const GemmInt8Args& args, const std::int32_t* tile, const TilePlace& place) {
  const std::size_t first = place.panel * kPanel;
  const std::size_t columns = columns_of(args.out_features, place.panel);
  const float* row_scales = args.row_scales + place.row;
  const std::int32_t* zero_points = args.row_zero_points + place.row;
  const std::int32_t* sums = args.column_sums + first;
  PanelColumns panel;
  load_bias(args.epilogue, first, columns, panel);
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kPanelVectors; ++v) panel.scale[v] = F32x16::load(args.column_scales + first + 16 * v);
  finish_rows(args.epilogue, place, columns, [&](std::size_t r, std::size_t v) {
    const F32x16 value = F32x16::load_compensated(tile + r * kPanel + 16 * v, sums + 16 * v, zero_points[r]);
    return F32x16::fma(value * panel.scale[v], F32x16::broadcast(row_scales[r]), panel.bias[v]);
  });
}

inline void finish_tile(const GemmF32Int8Args& args, const float* tile, const TilePlace& place) {
  const std::size_t first = place.panel * kPanel;
  const std::size_t columns = columns_of(args.out_features, place.panel);
  PanelColumns panel;
  load_bias(args.epilogue, first, columns, panel);
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kPanelVectors; ++v) panel.scale[v] = F32x16::load(args.column_scales + first + 16 * v);
  finish_rows(args.epilogue, place, columns, [&](std::size_t r, std::size_t v) {
    return F32x16::fma(F32x16::load(tile + r * kPanel + 16 * v), panel.scale[v], panel.bias[v]);
  });
}

// Kernel: kTileRows, kSpreadRows, Sum, and multiply(args, place, tile) writing tile[rows][64]. Rows are spread evenly
// over the tiles, or fill all tiles but the last.
template <class Kernel, class Args>
inline void for_each_tile(const Args& args) {
  alignas(64) typename Kernel::Sum tile[Kernel::kTileRows * kPanel];
  const std::size_t out_columns = (args.panel_end - args.panel_first) * kPanel;
  const bool is_wide = out_columns * args.depth * sizeof(*args.panels) > kWeightBytesReadAgain;
  const std::size_t row_bytes = args.depth * sizeof(*args.a) + (is_wide ? 0 : out_columns * sizeof(float));
  const std::size_t fitting = kRowBlockBytes / row_bytes / Kernel::kTileRows * Kernel::kTileRows;
  const std::size_t block_rows = fitting < Kernel::kTileRows ? Kernel::kTileRows : fitting;
  const std::size_t blocks = (args.rows + block_rows - 1) / block_rows;
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t block = Kernel::kSpreadRows ? args.rows * b / blocks : b * block_rows;
    const std::size_t block_end = Kernel::kSpreadRows ? args.rows * (b + 1) / blocks : block + block_rows;
    const std::size_t rows = (block_end < args.rows ? block_end : args.rows) - block;
    const std::size_t tiles = (rows + Kernel::kTileRows - 1) / Kernel::kTileRows;
    for (std::size_t panel = args.panel_first; panel < args.panel_end; ++panel) {
      for (std::size_t t = 0; t < tiles; ++t) {
        const std::size_t begin = Kernel::kSpreadRows ? rows * t / tiles : t * Kernel::kTileRows;
        const std::size_t next = Kernel::kSpreadRows ? rows * (t + 1) / tiles : begin + Kernel::kTileRows;
        const TilePlace place{block + begin, (next < rows ? next : rows) - begin, panel};
        Kernel::multiply(args, place, tile);
        finish_tile(args, tile, place);
      }
    }
  }
}

struct F32Kernel {
  using Sum = float;
  static constexpr std::size_t kTileRows = F32x16::kTileRows;
  static constexpr bool kSpreadRows = true;
  static void multiply(const GemmF32Args& args, const TilePlace& place, float* tile) {
    const float* panel = args.panels + place.panel * args.depth * kPanel;
    const F32Operands in{args.a + place.row * args.a_stride, args.a_stride, panel, kPanel, args.depth};
    multiply_f32_tile(in, place.rows, kPanel, tile, kPanel);
  }
};

struct SoftwareBf16Kernel {
  using Sum = float;
  static constexpr std::size_t kTileRows = 4;
  static constexpr bool kSpreadRows = false;
  static F32x16 broadcast_bf16(std::uint16_t bits) {
    return F32x16::broadcast(__builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16U));
  }
  static void multiply(const GemmBf16Args& args, const TilePlace& place, float* tile) {
    const std::uint16_t* panel = args.panels + place.panel * args.depth * kPanel;
    for (std::size_t column = 0; column < kPanel; column += 16) {
      F32x16 sum[kTileRows] = {F32x16::zero(), F32x16::zero(), F32x16::zero(), F32x16::zero()};
      for (std::size_t k = 0; k < args.depth; k += 2) {
        F32x16 even;
        F32x16 odd;
        F32x16::load_bf16_pairs(panel + k * kPanel + 2 * column, even, odd);
#pragma GCC unroll 4
        for (std::size_t r = 0; r < kTileRows; ++r) {
          // A short tile repeats its last row, which is then not stored.
          const std::size_t row = place.row + (r < place.rows ? r : place.rows - 1);
          const std::uint16_t* pair = args.a + row * args.a_stride + k;
          sum[r] = F32x16::fma(broadcast_bf16(pair[0]), even, sum[r]);
          sum[r] = F32x16::fma(broadcast_bf16(pair[1]), odd, sum[r]);
        }
      }
      for (std::size_t r = 0; r < place.rows; ++r) sum[r].store(tile + r * kPanel + column);
    }
  }
};

}  // namespace
}  // namespace scalestyle::nn::kernels
