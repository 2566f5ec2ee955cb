#pragma once
// The 512-bit micro-kernel over groups of four bytes (four int8 or two bf16): Dot says which. Internal; include after
// simd_avx512.hpp.

#include "nn/kernels/generic_gemm.hpp"

namespace scalestyle::nn::kernels {
namespace {

inline constexpr std::size_t kGroupBytes = 4 * kPanel;  // one group of k, all columns of a panel

// Tall and narrow: 14 x 32 needs 16 loads for 28 products, and 28 sums + 2 columns + 1 row value fill the registers.
inline constexpr std::size_t kDotRows = 14;
inline constexpr std::size_t kDotVectors = 2;
inline constexpr std::size_t kPrefetchGroups = 12;

// Rows are addressed in groups of three from one pointer, so that their addresses fit the general registers.
template <class Dot, std::size_t Rows>
[[gnu::noinline]] void multiply_dot512(const std::byte* a, std::size_t a_stride, const std::byte* b,
                                       std::size_t depth_bytes, std::byte* out) {
  constexpr std::size_t kGroups = (Rows + 2) / 3;
  typename Dot::Sum sum[Rows][kDotVectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kDotVectors; ++v) sum[r][v] = Dot::zero();
  }
  const std::byte* group[kGroups];
#pragma GCC unroll 16
  for (std::size_t g = 0; g < kGroups; ++g) group[g] = a + 3 * g * a_stride;
  // Four groups a round (the depth is padded to 64 bytes): fewer pointer updates to compete with the products.
#pragma GCC unroll 1
  for (std::size_t k = 0; k < depth_bytes; k += 16) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      __m512i column[kDotVectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kDotVectors; ++v) {
        column[v] = _mm512_loadu_si512(b + i * kGroupBytes + 64 * v);
        __builtin_prefetch(b + (i + kPrefetchGroups) * kGroupBytes + 64 * v);
      }
#pragma GCC unroll 16
      for (std::size_t r = 0; r < Rows; ++r) {
        int four;
        __builtin_memcpy(&four, group[r / 3] + (r % 3) * a_stride + 4 * i, sizeof(four));
        const __m512i value = _mm512_set1_epi32(four);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kDotVectors; ++v) sum[r][v] = Dot::add(sum[r][v], value, column[v]);
      }
    }
    b += 4 * kGroupBytes;
#pragma GCC unroll 16
    for (std::size_t g = 0; g < kGroups; ++g) group[g] += 16;
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kDotVectors; ++v) Dot::store(out + r * kGroupBytes + 64 * v, sum[r][v]);
  }
}

template <class Dot>
struct Dot512Kernel {
  using Sum = typename Dot::Scalar;
  static constexpr std::size_t kTileRows = kDotRows;
  static constexpr bool kSpreadRows = true;
  using Function = void (*)(const std::byte*, std::size_t, const std::byte*, std::size_t, std::byte*);

  template <std::size_t... Index>
  static Function choose(std::size_t rows, std::index_sequence<Index...>) {
    static constexpr Function kByRows[] = {multiply_dot512<Dot, Index + 1>...};
    return kByRows[rows - 1];
  }

  template <class Args>
  static void multiply(const Args& args, const TilePlace& place, Sum* tile) {
    const Function function = choose(place.rows, std::make_index_sequence<kDotRows>{});
    const auto* panel =
        static_cast<const std::byte*>(static_cast<const void*>(args.panels + place.panel * args.depth * kPanel));
    const auto* a = static_cast<const std::byte*>(static_cast<const void*>(args.a + place.row * args.a_stride));
    auto* out = static_cast<std::byte*>(static_cast<void*>(tile));
    for (std::size_t column = 0; column < kGroupBytes; column += 64 * kDotVectors) {
      function(a, args.a_stride * sizeof(*args.a), panel + column, args.depth * sizeof(*args.a), out + column);
    }
  }
};

}  // namespace
}  // namespace scalestyle::nn::kernels
