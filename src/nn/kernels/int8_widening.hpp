#pragma once
// int8 products without VNNI: bytes widened to 16 bits, so that no sum saturates. Internal; for AVX2 and for AVX-512
// processors that lack VNNI. Include after a simd header.

#include <immintrin.h>

#include "nn/kernels/generic_gemm.hpp"

namespace scalestyle::nn::kernels {
namespace {

inline __m256i load_widened_s8(const std::int8_t* from) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(from))));
}

// GCC 12 gives the old and the new sum a register each, and has then too few of them.
inline void add_in_place(__m256i& sum, __m256i value) { asm("vpaddd %1, %0, %0" : "+x"(sum) : "x"(value)); }

// The widened rows of a block: what is broadcast is then a load, where widening it in the inner loop would cost as much as its
// products.
inline constexpr std::size_t kWidenedValues = 96 * 1024;
inline constexpr std::size_t kWideningRows = 6;
inline constexpr std::size_t kWidenedDepth = kWidenedValues / kWideningRows / 32 * 32;  // of one pass over the columns

inline void widen_rows(const std::uint8_t* from, std::size_t stride, std::size_t rows, std::size_t depth, std::int16_t* to) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < depth; k += 16) {
      const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(from + r * stride + k)));
      _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to + r * depth + k)), _mm256_cvtepu8_epi16(bytes));
    }
  }
}

// 8 columns; a register of sums holds 4 columns x (k, k + 1 | k + 2, k + 3), joined at the end. 12 sums, 2 columns, a row value
// and a product fill the 16 registers. `add`: to what is in `out`.
template <std::size_t Rows>
[[gnu::noinline]] void multiply_widened(const std::int16_t* a, std::size_t depth, const std::int8_t* b, std::int32_t* out,
                                        bool add) {
  __m256i sum[Rows][2];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  const std::int16_t* upper = a + 3 * depth;
#pragma GCC unroll 1
  for (std::size_t k = 0; k < depth; k += 4) {
    const __m256i left = load_widened_s8(b);
    const __m256i right = load_widened_s8(b + 16);
    __builtin_prefetch(b + 16 * 4 * kPanel);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      long long four;
      __builtin_memcpy(&four, r < 3 ? a + r * depth : upper + (r - 3) * depth, sizeof(four));
      const __m256i value = _mm256_set1_epi64x(four);
      add_in_place(sum[r][0], _mm256_madd_epi16(value, left));
      add_in_place(sum[r][1], _mm256_madd_epi16(value, right));
      asm volatile("" ::: "memory");  // a later row's value, loaded early, would push a sum out of its register
    }
    b += 4 * kPanel;
    a += 4;
    upper += 4;
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) {
    auto* const to = static_cast<__m256i*>(static_cast<void*>(out + r * kPanel));
    const __m256i joined = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sum[r][0], sum[r][1]), 0xd8);
    _mm256_storeu_si256(to, add ? _mm256_add_epi32(joined, _mm256_loadu_si256(to)) : joined);
  }
}

// Of a tile, `depth` of the packed inputs from `first` on.
inline void multiply_widened_tile(const GemmInt8Args& args, const TilePlace& place, const std::int16_t* a, std::size_t first,
                                  std::size_t depth, std::int32_t* tile) {
  using Function = void (*)(const std::int16_t*, std::size_t, const std::int8_t*, std::int32_t*, bool);
  static constexpr Function kByRows[] = {multiply_widened<1>, multiply_widened<2>, multiply_widened<3>,
                                         multiply_widened<4>, multiply_widened<5>, multiply_widened<6>};
  const Function function = kByRows[place.rows - 1];
  const std::int8_t* panel = args.panels + (place.panel * args.depth + first) * kPanel;
  for (std::size_t column = 0; column < kPanel; column += 8) function(a, depth, panel + 4 * column, tile + column, first > 0);
}

inline void gemm_int8_widening(const GemmInt8Args& args) {
  alignas(64) std::int16_t widened[kWidenedValues];
  alignas(64) std::int32_t tile[kWideningRows * kPanel];
  const bool whole = args.depth <= kWidenedDepth;
  const std::size_t block_rows = whole ? kWidenedValues / args.depth / kWideningRows * kWideningRows : kWideningRows;
  for (std::size_t block = 0; block < args.rows; block += block_rows) {
    const std::size_t rows = args.rows - block < block_rows ? args.rows - block : block_rows;
    const std::size_t tiles = (rows + kWideningRows - 1) / kWideningRows;
    const std::uint8_t* from = args.a + block * args.a_stride;
    if (whole) widen_rows(from, args.a_stride, rows, args.depth, widened);
    for (std::size_t panel = args.panel_first; panel < args.panel_end; ++panel) {
      for (std::size_t t = 0; t < tiles; ++t) {
        const std::size_t begin = rows * t / tiles;
        const TilePlace place{block + begin, rows * (t + 1) / tiles - begin, panel};
        if (whole) multiply_widened_tile(args, place, widened + begin * args.depth, 0, args.depth, tile);
        for (std::size_t k = 0; !whole && k < args.depth; k += kWidenedDepth) {
          const std::size_t depth = args.depth - k < kWidenedDepth ? args.depth - k : kWidenedDepth;
          widen_rows(from + k, args.a_stride, rows, depth, widened);
          multiply_widened_tile(args, place, widened, k, depth, tile);
        }
        finish_tile(args, tile, place);
      }
    }
  }
}

// Two vectors, widened once for Queries queries, whose products are then an instruction and a sum each.
template <std::size_t Queries>
inline void dot_two_widened(const std::int8_t* const* vectors, const ScanArgs& args, std::size_t first,
                            std::int32_t* const* results) {
  __m256i sum[Queries][2];
#pragma GCC unroll 4
  for (std::size_t q = 0; q < Queries; ++q) sum[q][0] = sum[q][1] = _mm256_setzero_si256();
  const std::int16_t* const queries = args.wide + first * args.dimension;
#pragma GCC unroll 1
  for (std::size_t k = 0; k < args.dimension; k += 16) {
    const __m256i left = load_widened_s8(vectors[0] + k);
    const __m256i right = load_widened_s8(vectors[1] + k);
#pragma GCC unroll 4
    for (std::size_t q = 0; q < Queries; ++q) {
      const auto* const from = static_cast<const __m256i*>(static_cast<const void*>(queries + q * args.dimension + k));
      const __m256i value = _mm256_loadu_si256(from);
      add_in_place(sum[q][0], _mm256_madd_epi16(left, value));
      add_in_place(sum[q][1], _mm256_madd_epi16(right, value));
    }
  }
#pragma GCC unroll 4
  for (std::size_t q = 0; q < Queries; ++q) {
    const __m256i pairs = _mm256_hadd_epi32(sum[q][0], sum[q][1]);
    const __m256i totals = _mm256_hadd_epi32(pairs, pairs);
    const __m128i total = _mm_add_epi32(_mm256_castsi256_si128(totals), _mm256_extracti128_si256(totals, 1));
    results[0][q * args.out_stride] = _mm_extract_epi32(total, 0);
    results[1][q * args.out_stride] = _mm_extract_epi32(total, 1);
  }
}

inline void dot_int8_widening(const ScanArgs& args) {
  const auto vector = [&args](std::size_t i) {
    return args.vectors + (args.rows == nullptr ? i : std::size_t{args.rows[i]}) * args.dimension;
  };
  for (std::size_t i = 0; i < args.count; i += 2) {
    const std::size_t second = i + 1 < args.count ? i + 1 : i;  // the last one is taken twice
    const std::int8_t* const vectors[2] = {vector(i), vector(second)};
    for (std::size_t q = 0; q < args.query_count;) {
      std::int32_t* const from = args.out + q * args.out_stride;
      std::int32_t* const results[2] = {from + i, from + second};
      switch (args.query_count - q) {
        case 1: dot_two_widened<1>(vectors, args, q, results); q += 1; break;
        case 2: dot_two_widened<2>(vectors, args, q, results); q += 2; break;
        case 3: dot_two_widened<3>(vectors, args, q, results); q += 3; break;
        default: dot_two_widened<4>(vectors, args, q, results); q += 4; break;
      }
    }
  }
}

}  // namespace
}  // namespace scalestyle::nn::kernels
