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

inline std::int32_t load_four(const std::uint8_t* from) {
  std::int32_t four;
  __builtin_memcpy(&four, from, sizeof(four));
  return four;
}

// 8 columns: a register holds 4 columns x (k, k + 1 | k + 2, k + 3), joined at the end.
template <std::size_t Rows>
[[gnu::noinline]] void multiply_widened(const std::uint8_t* a, std::size_t a_stride, const std::int8_t* b,
                                        std::size_t depth, std::int32_t* out) {
  __m256i sum[Rows][2];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  for (std::size_t k = 0; k < depth; k += 4) {
    const __m256i left = load_widened_s8(b + k * kPanel);
    const __m256i right = load_widened_s8(b + k * kPanel + 16);
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) {
      const __m256i value = _mm256_cvtepu8_epi16(_mm_set1_epi32(load_four(a + r * a_stride + k)));
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(value, left));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(value, right));
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) {
    const __m256i joined = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sum[r][0], sum[r][1]), 0xd8);
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(out + r * kPanel)), joined);
  }
}

struct WideningInt8Kernel {
  using Sum = std::int32_t;
  static constexpr std::size_t kTileRows = 3;  // 4 would need more than 16 registers
  static constexpr bool kSpreadRows = false;
  static void multiply(const GemmInt8Args& args, const TilePlace& place, std::int32_t* tile) {
    const std::int8_t* panel = args.panels + place.panel * args.depth * kPanel;
    const std::uint8_t* a = args.a + place.row * args.a_stride;
    using Function = void (*)(const std::uint8_t*, std::size_t, const std::int8_t*, std::size_t, std::int32_t*);
    static constexpr Function kByRows[] = {multiply_widened<1>, multiply_widened<2>, multiply_widened<3>};
    const Function function = kByRows[place.rows - 1];
    for (std::size_t column = 0; column < kPanel; column += 8) {
      function(a, args.a_stride, panel + 4 * column, args.depth, tile + column);
    }
  }
};

inline std::int32_t sum_lanes(__m256i v) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

inline void dot_int8_widening(const ScanArgs& args) {
  for (std::size_t i = 0; i < args.count; ++i) {
    const std::size_t row = args.rows == nullptr ? i : args.rows[i];
    const std::int8_t* vector = args.vectors + row * args.dimension;
    for (std::size_t q = 0; q < args.query_count; ++q) {
      const std::int8_t* query = args.queries + q * args.dimension;
      __m256i even = _mm256_setzero_si256();
      __m256i odd = _mm256_setzero_si256();
      for (std::size_t k = 0; k < args.dimension; k += 32) {
        even = _mm256_add_epi32(even, _mm256_madd_epi16(load_widened_s8(vector + k), load_widened_s8(query + k)));
        const __m256i upper = _mm256_madd_epi16(load_widened_s8(vector + k + 16), load_widened_s8(query + k + 16));
        odd = _mm256_add_epi32(odd, upper);
      }
      args.out[q * args.out_stride + i] = sum_lanes(_mm256_add_epi32(even, odd));
    }
  }
}

}  // namespace
}  // namespace scalestyle::nn::kernels
