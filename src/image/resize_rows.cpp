#include "image/resize_rows.hpp"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace scalestyle::image {
namespace {

using Sums = std::array<std::int32_t, 3>;

void add_taps(const std::uint8_t* pixel, std::span<const std::int32_t> weights, Sums& sums) {
  for (const std::int32_t weight : weights) {
    for (std::size_t channel = 0; channel < 3; ++channel) sums[channel] += *pixel++ * weight;
  }
}

void across_portable(const std::uint8_t* row, std::uint32_t left, const Taps& taps, std::uint8_t* out) {
  for (std::size_t i = 0; i < taps.first.size(); ++i) {
    Sums sums = {kHalf, kHalf, kHalf};
    add_taps(row + std::size_t{taps.first[i] - left} * 3, taps.of(i), sums);
    out = std::transform(sums.begin(), sums.end(), out, to_pixel);
  }
}

[[gnu::always_inline]] inline void add_row(const std::uint8_t* row, std::int32_t weight, std::span<std::int32_t> sums) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += row[i] * weight;
}
void add_portable(const std::uint8_t* row, std::int32_t weight, std::span<std::int32_t> sums) { add_row(row, weight, sums); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] void add_avx2(const std::uint8_t* row, std::int32_t weight, std::span<std::int32_t> sums) {
  add_row(row, weight, sums);
}

// Two pixels a step, four lanes each, of which the last is not used. 8 bytes are read for 6, so at least one pixel more
// must follow; the rest goes one by one.
[[gnu::target("avx2")]] void across_avx2(const std::uint8_t* row, std::uint32_t left, const Taps& taps, std::uint8_t* out) {
  const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m256i four_each = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  for (std::size_t i = 0; i < taps.first.size(); ++i) {
    const std::uint8_t* pixel = row + std::size_t{taps.first[i] - left} * 3;
    const std::span<const std::int32_t> weights = taps.of(i);
    __m256i sum = _mm256_setzero_si256();
    std::size_t k = 0;
    for (; k + 2 < weights.size(); k += 2, pixel += 6) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(pixel));
      const __m128i pair = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(weights.data() + k));
      const __m256i values = _mm256_cvtepu8_epi32(_mm_shuffle_epi8(bytes, spread));
      const __m256i weight = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(pair), four_each);
      sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(values, weight));
    }
    const __m128i both = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    Sums sums = {kHalf + _mm_extract_epi32(both, 0), kHalf + _mm_extract_epi32(both, 1), kHalf + _mm_extract_epi32(both, 2)};
    add_taps(pixel, weights.subspan(k), sums);
    out = std::transform(sums.begin(), sums.end(), out, to_pixel);
  }
}
#endif

}  // namespace

RowKernels portable_row_kernels() { return {across_portable, add_portable}; }

RowKernels fastest_row_kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0) return {across_avx2, add_avx2};
#endif
  return portable_row_kernels();
}

}  // namespace scalestyle::image
