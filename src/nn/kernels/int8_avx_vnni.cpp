#include "nn/kernels/simd_avx2.hpp"

#include "nn/kernels/generic_gemm.hpp"

namespace scalestyle::nn::kernels {
namespace {

inline __m256i load_bytes(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

// 16 columns; 12 sums, 2 columns and a row value fill the 16 registers.
template <std::size_t Rows>
[[gnu::noinline]] void multiply_vnni(const std::uint8_t* a, std::size_t a_stride, const std::int8_t* b,
                                     std::size_t depth, std::int32_t* out) {
  __m256i sum[Rows][2];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  const std::uint8_t* upper = a + 3 * a_stride;
#pragma GCC unroll 1
  for (std::size_t k = 0; k < depth; k += 4) {
    const __m256i left = load_bytes(b);
    const __m256i right = load_bytes(b + 32);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      int four;
      __builtin_memcpy(&four, r < 3 ? a + r * a_stride : upper + (r - 3) * a_stride, sizeof(four));
      const __m256i value = _mm256_set1_epi32(four);
      sum[r][0] = _mm256_dpbusd_avx_epi32(sum[r][0], value, left);
      sum[r][1] = _mm256_dpbusd_avx_epi32(sum[r][1], value, right);
    }
    b += 4 * kPanel;
    a += 4;
    upper += 4;
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) {
    auto* to = static_cast<__m256i*>(static_cast<void*>(out + r * kPanel));
    _mm256_storeu_si256(to, sum[r][0]);
    _mm256_storeu_si256(to + 1, sum[r][1]);
  }
}

struct AvxVnniKernel {
  using Sum = std::int32_t;
  static constexpr std::size_t kTileRows = 6;
  static constexpr bool kSpreadRows = true;
  static void multiply(const GemmInt8Args& args, const TilePlace& place, std::int32_t* tile) {
    const std::int8_t* panel = args.panels + place.panel * args.depth * kPanel;
    const std::uint8_t* a = args.a + place.row * args.a_stride;
    using Function = void (*)(const std::uint8_t*, std::size_t, const std::int8_t*, std::size_t, std::int32_t*);
    static constexpr Function kByRows[] = {multiply_vnni<1>, multiply_vnni<2>, multiply_vnni<3>,
                                           multiply_vnni<4>, multiply_vnni<5>, multiply_vnni<6>};
    const Function function = kByRows[place.rows - 1];
    for (std::size_t column = 0; column < kPanel; column += 16) {
      function(a, args.a_stride, panel + 4 * column, args.depth, tile + column);
    }
  }
};

// Two vectors against one query; see int8_avx512_vnni.cpp for the sign bits.
inline void dot_two(const std::int8_t* const* vectors, const ScanArgs& args, std::size_t query, std::int32_t* results) {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(0x80));
  const std::int8_t* row = args.queries + query * args.dimension;
  __m256i sum[2][2] = {{_mm256_setzero_si256(), _mm256_setzero_si256()},
                       {_mm256_setzero_si256(), _mm256_setzero_si256()}};
  for (std::size_t k = 0; k < args.dimension; k += 64) {
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i value = load_bytes(row + k + 32 * half);
#pragma GCC unroll 2
      for (std::size_t i = 0; i < 2; ++i) {
        const __m256i vector = _mm256_xor_si256(load_bytes(vectors[i] + k + 32 * half), flip);
        sum[i][half] = _mm256_dpbusd_avx_epi32(sum[i][half], vector, value);
      }
    }
  }
  const __m256i pairs = _mm256_hadd_epi32(_mm256_add_epi32(sum[0][0], sum[0][1]), _mm256_add_epi32(sum[1][0], sum[1][1]));
  const __m256i totals = _mm256_hadd_epi32(pairs, pairs);
  const __m128i total = _mm_add_epi32(_mm256_castsi256_si128(totals), _mm256_extracti128_si256(totals, 1));
  results[0] = _mm_extract_epi32(total, 0) - args.sums[query] * 128;
  results[1] = _mm_extract_epi32(total, 1) - args.sums[query] * 128;
}

}  // namespace

void gemm_int8_avx_vnni(const GemmInt8Args& args) { for_each_tile<AvxVnniKernel>(args); }

void dot_int8_avx_vnni(const ScanArgs& args) {
  for (std::size_t i = 0; i < args.count; i += 2) {
    const std::size_t second = i + 1 < args.count ? i + 1 : i;
    const std::size_t first_row = args.rows == nullptr ? i : args.rows[i];
    const std::size_t second_row = args.rows == nullptr ? second : args.rows[second];
    const std::int8_t* vectors[2] = {args.vectors + first_row * args.dimension,
                                     args.vectors + second_row * args.dimension};
    for (std::size_t query = 0; query < args.query_count; ++query) {
      std::int32_t results[2];
      dot_two(vectors, args, query, results);
      std::int32_t* to = args.out + query * args.out_stride + i;
      to[0] = results[0];
      if (second != i) to[1] = results[1];
    }
  }
}

}  // namespace scalestyle::nn::kernels
