#pragma once
// F32x16 in one 512-bit register. See simd_scalar.hpp for the meaning of each operation.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace scalestyle::nn::kernels {
namespace {

struct F32x16 {
  __m512 v;

  static constexpr std::size_t kTileRows = 14;
  static constexpr std::size_t kTileVectors = 2;

  static __mmask16 first(std::size_t count) {
    return static_cast<__mmask16>(count >= 16 ? 0xffffU : (1U << count) - 1U);
  }
  static F32x16 zero() { return {_mm512_setzero_ps()}; }
  static F32x16 broadcast(float value) { return {_mm512_set1_ps(value)}; }
  static F32x16 load(const float* from) { return {_mm512_loadu_ps(from)}; }
  static F32x16 load_first(const float* from, std::size_t count, float fill = 0.0F) {
    return {_mm512_mask_loadu_ps(_mm512_set1_ps(fill), first(count), from)};
  }
  static F32x16 load_int32(const std::int32_t* from) { return {_mm512_cvtepi32_ps(_mm512_loadu_si512(from))}; }
  static F32x16 load_compensated(const std::int32_t* from, const std::int32_t* sums, std::int32_t factor) {
    const __m512i correction = _mm512_mullo_epi32(_mm512_loadu_si512(sums), _mm512_set1_epi32(factor));
    return {_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(from), correction))};
  }
  static void load_bf16_pairs(const std::uint16_t* from, F32x16& even, F32x16& odd) {
    const __m512i pairs = _mm512_loadu_si512(from);
    even.v = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    odd.v = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xffff0000U))));
  }
  static F32x16 load_bf16_even(const std::uint16_t* from) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(from), 16))};
  }
  static F32x16 load_bf16_odd(const std::uint16_t* from) {
    // Two shifts and no mask: products have no register to spare for it.
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_srli_epi32(_mm512_loadu_si512(from), 16), 16))};
  }
  template <std::size_t Index>
  static F32x16 load_int8_of_four(const std::int8_t* from) {
    constexpr unsigned kToTheTop = 24 - 8 * static_cast<unsigned>(Index);
    return {_mm512_cvtepi32_ps(_mm512_srai_epi32(_mm512_slli_epi32(_mm512_loadu_si512(from), kToTheTop), 24))};
  }
  void store(float* to) const { _mm512_storeu_ps(to, v); }
  void store_first(float* to, std::size_t count) const { _mm512_mask_storeu_ps(to, first(count), v); }
  void store_low_bytes(std::uint8_t* to) const {
    _mm512_mask_cvtepi32_storeu_epi8(to, 0xffff, _mm512_castps_si512(v));
  }
  void store_bf16(std::uint16_t* to) const {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    _mm512_mask_cvtepi32_storeu_epi16(to, 0xffff, _mm512_srli_epi32(rounded, 16));
  }
  [[nodiscard]] F32x16 keep_first(std::size_t count) const { return {_mm512_maskz_mov_ps(first(count), v)}; }
  static F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
  static F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
  friend F32x16 operator+(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend F32x16 operator-(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend F32x16 operator*(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend F32x16 operator/(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
  static std::uint32_t at_least(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ); }
  static F32x16 scale_by_power(F32x16 value, F32x16 magic) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(magic.v), 23);
    return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(value.v), exponent))};
  }
  [[nodiscard]] float sum() const {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  [[nodiscard]] float minimum() const {
    const __m256 eight = _mm256_min_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 four = _mm_min_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)));
  }
  [[nodiscard]] float maximum() const {
    const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static void transpose(F32x16 (&rows)[16]) {
    // 4 x 4 blocks inside the 128-bit lanes, then the lanes themselves.
    __m512 quad[16];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 16; i += 4) {
      const __m512 a = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
      const __m512 b = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
      const __m512 c = _mm512_unpacklo_ps(rows[i + 2].v, rows[i + 3].v);
      const __m512 d = _mm512_unpackhi_ps(rows[i + 2].v, rows[i + 3].v);
      quad[i] = _mm512_shuffle_ps(a, c, 0x44);
      quad[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
      quad[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
      quad[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      const __m512 a = _mm512_shuffle_f32x4(quad[i], quad[i + 4], 0x88);
      const __m512 b = _mm512_shuffle_f32x4(quad[i], quad[i + 4], 0xdd);
      const __m512 c = _mm512_shuffle_f32x4(quad[i + 8], quad[i + 12], 0x88);
      const __m512 d = _mm512_shuffle_f32x4(quad[i + 8], quad[i + 12], 0xdd);
      rows[i].v = _mm512_shuffle_f32x4(a, c, 0x88);
      rows[i + 4].v = _mm512_shuffle_f32x4(b, d, 0x88);
      rows[i + 8].v = _mm512_shuffle_f32x4(a, c, 0xdd);
      rows[i + 12].v = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
  }
};

}  // namespace
}  // namespace scalestyle::nn::kernels
