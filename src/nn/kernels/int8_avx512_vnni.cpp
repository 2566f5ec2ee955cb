#include "nn/kernels/simd_avx512.hpp"

#include "nn/kernels/generic_dot512.hpp"

namespace scalestyle::nn::kernels {
namespace {

struct VnniDot {
  using Scalar = std::int32_t;
  using Sum = __m512i;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Sum add(Sum sum, __m512i value, __m512i column) { return _mm512_dpbusd_epi32(sum, value, column); }
  static void store(std::byte* to, Sum sum) { _mm512_storeu_si512(to, sum); }
};

// A whole matrix comes from beyond the second cache, where the processor alone does not read far enough ahead.
constexpr std::size_t kPrefetchBytes = 6144;

// Four vectors against `Queries` queries. The instruction multiplies unsigned by signed bytes: flipping the sign bit
// of a vector's bytes adds 128 to each, which adds 128 * (sum of the query) to the result.
template <std::size_t Queries>
inline void dot_four(const std::int8_t* const* vectors, const ScanArgs& args, std::size_t query, __m128i* results) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  const std::int8_t* queries = args.queries + query * args.dimension;
  __m512i sum[Queries][4];
#pragma GCC unroll 4
  for (std::size_t q = 0; q < Queries; ++q) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) sum[q][i] = _mm512_setzero_si512();
  }
#pragma GCC unroll 1
  for (std::size_t k = 0; k < args.dimension; k += 64) {
    __m512i vector[4];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      vector[i] = _mm512_xor_si512(_mm512_loadu_si512(vectors[i] + k), flip);
      __builtin_prefetch(vectors[i] + k + kPrefetchBytes);
    }
#pragma GCC unroll 4
    for (std::size_t q = 0; q < Queries; ++q) {
      const __m512i value = _mm512_loadu_si512(queries + q * args.dimension + k);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) sum[q][i] = _mm512_dpbusd_epi32(sum[q][i], vector[i], value);
    }
  }
#pragma GCC unroll 4
  for (std::size_t q = 0; q < Queries; ++q) {
    __m256i half[4];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      half[i] = _mm256_add_epi32(_mm512_castsi512_si256(sum[q][i]), _mm512_extracti64x4_epi64(sum[q][i], 1));
    }
    const __m256i pairs =
        _mm256_hadd_epi32(_mm256_hadd_epi32(half[0], half[1]), _mm256_hadd_epi32(half[2], half[3]));
    const __m128i total = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
    results[q] = _mm_sub_epi32(total, _mm_set1_epi32(args.sums[query + q] * 128));
  }
}

inline void dot_queries(const std::int8_t* const* vectors, const ScanArgs& args, std::size_t query, std::size_t count,
                        __m128i* results) {
  switch (count) {
    case 1: return dot_four<1>(vectors, args, query, results);
    case 2: return dot_four<2>(vectors, args, query, results);
    case 3: return dot_four<3>(vectors, args, query, results);
    default: return dot_four<4>(vectors, args, query, results);
  }
}

}  // namespace

void gemm_int8_avx512_vnni(const GemmInt8Args& args) { for_each_tile<Dot512Kernel<VnniDot>>(args); }

void dot_int8_avx512_vnni(const ScanArgs& args) {
  for (std::size_t i = 0; i < args.count; i += 4) {
    const std::size_t present = args.count - i < 4 ? args.count - i : 4;
    const std::int8_t* vectors[4];
    for (std::size_t j = 0; j < 4; ++j) {
      const std::size_t index = i + (j < present ? j : present - 1);
      vectors[j] = args.vectors + (args.rows == nullptr ? index : args.rows[index]) * args.dimension;
    }
    for (std::size_t query = 0; query < args.query_count; query += 4) {
      const std::size_t count = args.query_count - query < 4 ? args.query_count - query : 4;
      __m128i results[4];
      dot_queries(vectors, args, query, count, results);
      for (std::size_t q = 0; q < count; ++q) {
        _mm_mask_storeu_epi32(args.out + (query + q) * args.out_stride + i,
                              static_cast<__mmask8>((1U << present) - 1U), results[q]);
      }
    }
  }
}

}  // namespace scalestyle::nn::kernels
