#pragma once
// F32x16 in two 256-bit registers. See simd_scalar.hpp for the meaning of each operation.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace scalestyle::nn::kernels {
namespace {

struct F32x16 {
  __m256 low;
  __m256 high;

  static constexpr std::size_t kTileRows = 6;
  static constexpr std::size_t kTileVectors = 1;

  static __m256i first8(std::size_t count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes);
  }
  static std::size_t above8(std::size_t count) { return count > 8 ? count - 8 : 0; }

  static F32x16 zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static F32x16 broadcast(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
  static F32x16 load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
  static F32x16 load_first(const float* from, std::size_t count, float fill = 0.0F) {
    const __m256i low_mask = first8(count);
    const __m256i high_mask = first8(above8(count));
    const __m256 filler = _mm256_set1_ps(fill);
    return {_mm256_blendv_ps(filler, _mm256_maskload_ps(from, low_mask), _mm256_castsi256_ps(low_mask)),
            _mm256_blendv_ps(filler, _mm256_maskload_ps(from + 8, high_mask), _mm256_castsi256_ps(high_mask))};
  }
  static __m256i load_8_int32(const std::int32_t* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(from)));
  }
  static F32x16 load_int32(const std::int32_t* from) {
    return {_mm256_cvtepi32_ps(load_8_int32(from)), _mm256_cvtepi32_ps(load_8_int32(from + 8))};
  }
  static F32x16 load_compensated(const std::int32_t* from, const std::int32_t* sums, std::int32_t factor) {
    const __m256i factors = _mm256_set1_epi32(factor);
    const __m256i a = _mm256_sub_epi32(load_8_int32(from), _mm256_mullo_epi32(load_8_int32(sums), factors));
    const __m256i b = _mm256_sub_epi32(load_8_int32(from + 8), _mm256_mullo_epi32(load_8_int32(sums + 8), factors));
    return {_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b)};
  }
  static void load_bf16_pairs(const std::uint16_t* from, F32x16& even, F32x16& odd) {
    const auto* source = static_cast<const __m256i*>(static_cast<const void*>(from));
    const __m256i a = _mm256_loadu_si256(source);
    const __m256i b = _mm256_loadu_si256(source + 1);
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xffff0000U));
    even = {_mm256_castsi256_ps(_mm256_slli_epi32(a, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(b, 16))};
    odd = {_mm256_castsi256_ps(_mm256_and_si256(a, mask)), _mm256_castsi256_ps(_mm256_and_si256(b, mask))};
  }
  static __m256i load_8_groups(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static F32x16 load_bf16_even(const std::uint16_t* from) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(load_8_groups(from), 16)),
            _mm256_castsi256_ps(_mm256_slli_epi32(load_8_groups(from + 16), 16))};
  }
  static F32x16 load_bf16_odd(const std::uint16_t* from) {
    // Two shifts and no mask: products have no register to spare for it.
    const auto upper = [](__m256i pairs) {
      return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_srli_epi32(pairs, 16), 16));
    };
    return {upper(load_8_groups(from)), upper(load_8_groups(from + 16))};
  }
  template <std::size_t Index>
  static __m256 byte_of_four(__m256i groups) {
    constexpr int kToTheTop = 24 - 8 * static_cast<int>(Index);
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(groups, kToTheTop), 24));
  }
  template <std::size_t Index>
  static F32x16 load_int8_of_four(const std::int8_t* from) {
    return {byte_of_four<Index>(load_8_groups(from)), byte_of_four<Index>(load_8_groups(from + 32))};
  }
  void store(float* to) const {
    _mm256_storeu_ps(to, low);
    _mm256_storeu_ps(to + 8, high);
  }
  void store_first(float* to, std::size_t count) const {
    _mm256_maskstore_ps(to, first8(count), low);
    _mm256_maskstore_ps(to + 8, first8(above8(count)), high);
  }
  // The low halves of 16 lanes of 32 bits, in order.
  static __m256i low_halves(__m256i a, __m256i b) {
    const __m256i mask = _mm256_set1_epi32(0xffff);
    const __m256i packed = _mm256_packus_epi32(_mm256_and_si256(a, mask), _mm256_and_si256(b, mask));
    return _mm256_permute4x64_epi64(packed, 0xd8);
  }
  void store_low_bytes(std::uint8_t* to) const {
    const __m256i mask = _mm256_set1_epi32(0xff);
    const __m256i halves = low_halves(_mm256_and_si256(_mm256_castps_si256(low), mask),
                                      _mm256_and_si256(_mm256_castps_si256(high), mask));
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(to)), bytes);
  }
  static __m256i bf16_bits(__m256 value) {
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256 nan = _mm256_cmp_ps(value, value, _CMP_UNORD_Q);
    const __m256 chosen = _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(quiet), nan);
    return _mm256_srli_epi32(_mm256_castps_si256(chosen), 16);
  }
  void store_bf16(std::uint16_t* to) const {
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to)), low_halves(bf16_bits(low), bf16_bits(high)));
  }
  [[nodiscard]] F32x16 keep_first(std::size_t count) const {
    return {_mm256_and_ps(low, _mm256_castsi256_ps(first8(count))),
            _mm256_and_ps(high, _mm256_castsi256_ps(first8(above8(count))))};
  }
  static F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static F32x16 min(F32x16 a, F32x16 b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
  static F32x16 max(F32x16 a, F32x16 b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
  friend F32x16 operator+(F32x16 a, F32x16 b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
  friend F32x16 operator-(F32x16 a, F32x16 b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
  friend F32x16 operator*(F32x16 a, F32x16 b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  friend F32x16 operator/(F32x16 a, F32x16 b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
  static std::uint32_t at_least(F32x16 a, F32x16 b) {
    const auto low_bits = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_GE_OQ)));
    const auto high_bits = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_GE_OQ)));
    return low_bits | high_bits << 8U;
  }
  static __m256 add_exponent(__m256 value, __m256 magic) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(magic), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(value), exponent));
  }
  static F32x16 scale_by_power(F32x16 value, F32x16 magic) {
    return {add_exponent(value.low, magic.low), add_exponent(value.high, magic.high)};
  }
  [[nodiscard]] float sum() const {
    const __m256 eight = _mm256_add_ps(low, high);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  [[nodiscard]] float minimum() const {
    const __m256 eight = _mm256_min_ps(low, high);
    const __m128 four = _mm_min_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)));
  }
  [[nodiscard]] float maximum() const {
    const __m256 eight = _mm256_max_ps(low, high);
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static void transpose(F32x16 (&rows)[16]) {
    float square[16][16];
    for (std::size_t i = 0; i < 16; ++i) {
      float row[16];
      rows[i].store(row);
      for (std::size_t j = 0; j < 16; ++j) square[j][i] = row[j];
    }
    for (std::size_t i = 0; i < 16; ++i) rows[i] = load(square[i]);
  }
};

}  // namespace
}  // namespace scalestyle::nn::kernels
