#pragma once
// Products of f32 rows with weights of 16 or 8 bits over F32x16: each weight is widened to f32 where it is used, which is
// exact, and every output is one chain of fused multiply-adds over ascending k. Internal; include after one simd header.

#include <utility>

#include "nn/kernels/generic_gemm.hpp"

namespace scalestyle::nn::kernels {
namespace {

// kGroup successive k of a column lie side by side: [k / kGroup][64][kGroup].
struct Bf16Weights {
  using Element = std::uint16_t;
  static constexpr std::size_t kGroup = 2;
  static constexpr std::size_t kTileRows = F32x16::kTileRows;
  template <std::size_t Step>
  static F32x16 load(const Element* from) {
    if constexpr (Step == 0) return F32x16::load_bf16_even(from);
    return F32x16::load_bf16_odd(from);
  }
};

struct Int8Weights {
  using Element = std::int8_t;
  static constexpr std::size_t kGroup = 4;
  static constexpr std::size_t kTileRows = F32x16::kTileRows * 5 / 7;  // widening bytes takes registers: 4 of 6, 10 of 14
  template <std::size_t Step>
  static F32x16 load(const Element* from) {
    return F32x16::load_int8_of_four<Step>(from);
  }
};

// Groups of k read ahead of their use. A single row takes its weights from memory.
inline constexpr std::size_t kPrefetchGroups = 16;

template <class Weights, std::size_t Step, std::size_t Rows, std::size_t Vectors>
[[gnu::always_inline]] inline void accumulate(const float* const (&group)[(Rows + 2) / 3], std::size_t a_stride,
                                              const typename Weights::Element* b, F32x16 (&sum)[Rows][Vectors]) {
  // Without it the compiler would keep what one step has loaded for the next, for which there are no registers.
  asm volatile("" ::: "memory");
  if constexpr (Rows == 1) {
    const F32x16 value = F32x16::broadcast(group[0][Step]);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      sum[0][v] = F32x16::fma(value, Weights::template load<Step>(b + 16 * Weights::kGroup * v), sum[0][v]);
    }
    return;
  }
  F32x16 column[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) column[v] = Weights::template load<Step>(b + 16 * Weights::kGroup * v);
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
    const F32x16 value = F32x16::broadcast(group[r / 3][(r % 3) * a_stride + Step]);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) sum[r][v] = F32x16::fma(value, column[v], sum[r][v]);
  }
}

struct RestRows {
  const float* a;
  std::size_t a_stride;
  std::size_t rows;
};

// The last group of k, of which only `rest` are there: past them the rows of A may not be read. Apart from the rest, whose
// registers it would cost.
template <class Weights>
[[gnu::noinline]] void add_rest(const RestRows& rows, const typename Weights::Element* b, std::size_t rest, float* out,
                                std::size_t vectors) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const float* a = rows.a + r * rows.a_stride;
    for (std::size_t v = 0; v < vectors; ++v) {
      const auto* from = b + 16 * Weights::kGroup * v;
      float* to = out + r * kPanel + 16 * v;
      F32x16 sum = F32x16::fma(F32x16::broadcast(a[0]), Weights::template load<0>(from), F32x16::load(to));
      if constexpr (Weights::kGroup == 4) {
        if (rest > 1) sum = F32x16::fma(F32x16::broadcast(a[1]), Weights::template load<1>(from), sum);
        if (rest > 2) sum = F32x16::fma(F32x16::broadcast(a[2]), Weights::template load<2>(from), sum);
      }
      sum.store(to);
    }
  }
}

// out[r][0 .. 16 * Vectors), rows of `out` 64 apart. Rows of A are addressed as in multiply_f32.
template <class Weights, std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void multiply_stored(const float* a, std::size_t a_stride, const typename Weights::Element* b,
                                       std::size_t depth, float* out) {
  constexpr std::size_t kGroup = Weights::kGroup;
  constexpr std::size_t kRowGroups = (Rows + 2) / 3;
  F32x16 sum[Rows][Vectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) sum[r][v] = F32x16::zero();
  }
  const float* group[kRowGroups];
#pragma GCC unroll 16
  for (std::size_t g = 0; g < kRowGroups; ++g) group[g] = a + 3 * g * a_stride;
#pragma GCC unroll 1
  for (std::size_t k = 0; k + kGroup <= depth; k += kGroup) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) __builtin_prefetch(b + kPrefetchGroups * kPanel * kGroup + 16 * kGroup * v);
    accumulate<Weights, 0>(group, a_stride, b, sum);
    accumulate<Weights, 1>(group, a_stride, b, sum);
    if constexpr (kGroup == 4) {
      accumulate<Weights, 2>(group, a_stride, b, sum);
      accumulate<Weights, 3>(group, a_stride, b, sum);
    }
    b += kPanel * kGroup;
#pragma GCC unroll 16
    for (std::size_t g = 0; g < kRowGroups; ++g) group[g] += kGroup;
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) sum[r][v].store(out + r * kPanel + 16 * v);
  }
  const std::size_t rest = depth % kGroup;
  if (rest > 0) add_rest<Weights>({a + depth - rest, a_stride, Rows}, b, rest, out, Vectors);
}

template <class Weights>
using MultiplyStored = void (*)(const float*, std::size_t, const typename Weights::Element*, std::size_t, float*);

template <class Weights, std::size_t Vectors, std::size_t... Index>
inline MultiplyStored<Weights> choose_stored(std::size_t rows, std::index_sequence<Index...>) {
  static constexpr MultiplyStored<Weights> kFunctions[] = {multiply_stored<Weights, Index + 1, Vectors>...};
  return kFunctions[rows - 1];
}

template <class Weights>
struct WideningKernel {
  using Sum = float;
  static constexpr std::size_t kTileRows = Weights::kTileRows;
  static constexpr bool kSpreadRows = true;
  static void multiply(const GemmWideningArgs<typename Weights::Element>& args, const TilePlace& place, float* tile) {
    const auto* panel = args.panels + place.panel * args.padded_depth * kPanel;
    const float* a = args.a + place.row * args.a_stride;
    // One row goes through the whole panel at once: the weights then come in the order in which they lie.
    if (place.rows == 1) {
      return multiply_stored<Weights, 1, kPanelVectors>(a, args.a_stride, panel, args.depth, tile);
    }
    constexpr std::size_t kWide = 16 * F32x16::kTileVectors;
    const auto multiply_strip =
        choose_stored<Weights, F32x16::kTileVectors>(place.rows, std::make_index_sequence<kTileRows>{});
    for (std::size_t column = 0; column < kPanel; column += kWide) {
      multiply_strip(a, args.a_stride, panel + column * Weights::kGroup, args.depth, tile + column);
    }
  }
};

}  // namespace
}  // namespace scalestyle::nn::kernels
