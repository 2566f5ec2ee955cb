// Compiled with AVX2; includes no header with inline functions that other files could be linked to.
#include <immintrin.h>

#include "adapters/graph/code_product.hpp"

namespace scalestyle::adapters::graph {

// |a| is unsigned and b takes a's sign. Two products of at most 127 · 127 fit the 16 bits that they are added in.
std::int32_t code_product_avx2(const std::int8_t* a, const std::int8_t* b, std::size_t count) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i first = _mm256_setzero_si256();
  __m256i second = _mm256_setzero_si256();
  for (std::size_t i = 0; i < count; i += 64) {
    const auto load = [](const std::int8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); };
    const __m256i a0 = load(a + i);
    const __m256i a1 = load(a + i + 32);
    const __m256i p0 = _mm256_maddubs_epi16(_mm256_abs_epi8(a0), _mm256_sign_epi8(load(b + i), a0));
    const __m256i p1 = _mm256_maddubs_epi16(_mm256_abs_epi8(a1), _mm256_sign_epi8(load(b + i + 32), a1));
    first = _mm256_add_epi32(first, _mm256_madd_epi16(p0, ones));
    second = _mm256_add_epi32(second, _mm256_madd_epi16(p1, ones));
  }
  const __m256i both = _mm256_add_epi32(first, second);
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(sum);
}

}  // namespace scalestyle::adapters::graph
