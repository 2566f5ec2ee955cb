#pragma once
// F32x16 in portable C++: the meaning of every operation the generic kernels use. The AVX2 and AVX-512 headers give the
// same type with the same results bit for bit (minimum and maximum return the second operand when one is not a number,
// as the x86 instructions do). Internal: included by exactly one simd header's worth of kernels per source file, and
// in an unnamed namespace so that no instantiation is shared between files compiled for different processors.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace scalestyle::nn::kernels {
namespace {

struct F32x16 {
  float lane[16];

  // Rows and vectors of the f32 micro-kernel's tile.
  static constexpr std::size_t kTileRows = 4;
  static constexpr std::size_t kTileVectors = 1;

  template <class Function>
  static F32x16 make(Function function) {
    F32x16 result;
    for (std::size_t i = 0; i < 16; ++i) result.lane[i] = function(i);
    return result;
  }
  static F32x16 zero() { return broadcast(0.0F); }
  static F32x16 broadcast(float value) {
    return make([=](std::size_t) { return value; });
  }
  static F32x16 load(const float* from) {
    return make([=](std::size_t i) { return from[i]; });
  }
  // Lanes from `count` on are `fill`; nothing past from[count - 1] is read.
  static F32x16 load_first(const float* from, std::size_t count, float fill = 0.0F) {
    return make([=](std::size_t i) { return i < count ? from[i] : fill; });
  }
  static F32x16 load_int32(const std::int32_t* from) {
    return make([=](std::size_t i) { return static_cast<float>(from[i]); });
  }
  // float(from[i] - factor * sums[i]), exact before the one rounding.
  static F32x16 load_compensated(const std::int32_t* from, const std::int32_t* sums, std::int32_t factor) {
    return make([=](std::size_t i) { return static_cast<float>(from[i] - factor * sums[i]); });
  }
  // 16 pairs of bf16, 2i in `even` and 2i + 1 in `odd`.
  static void load_bf16_pairs(const std::uint16_t* from, F32x16& even, F32x16& odd) {
    even = make([=](std::size_t i) { return std::bit_cast<float>(static_cast<std::uint32_t>(from[2 * i]) << 16U); });
    odd = make([=](std::size_t i) { return std::bit_cast<float>(static_cast<std::uint32_t>(from[2 * i + 1]) << 16U); });
  }
  // The first and the second of 16 such pairs alone.
  static F32x16 load_bf16_even(const std::uint16_t* from) {
    return make([=](std::size_t i) { return std::bit_cast<float>(static_cast<std::uint32_t>(from[2 * i]) << 16U); });
  }
  static F32x16 load_bf16_odd(const std::uint16_t* from) { return load_bf16_even(from + 1); }
  // Byte `Index` of each of 16 groups of four.
  template <std::size_t Index>
  static F32x16 load_int8_of_four(const std::int8_t* from) {
    return make([=](std::size_t i) { return static_cast<float>(from[4 * i + Index]); });
  }
  void store(float* to) const {
    for (std::size_t i = 0; i < 16; ++i) to[i] = lane[i];
  }
  void store_first(float* to, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) to[i] = lane[i];
  }
  // The low bytes of the lanes' bits: for lanes holding 1.5 * 2^23 + n, the byte n.
  void store_low_bytes(std::uint8_t* to) const {
    for (std::size_t i = 0; i < 16; ++i) to[i] = static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(lane[i]));
  }
  // Rounded to nearest-even bf16; not-a-number stays so.
  void store_bf16(std::uint16_t* to) const {
    for (std::size_t i = 0; i < 16; ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(lane[i]);
      const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
      const std::uint32_t rounded = nan ? (bits | 0x400000U) : bits + 0x7fffU + ((bits >> 16U) & 1U);
      to[i] = static_cast<std::uint16_t>(rounded >> 16U);
    }
  }
  // Zero from lane `count` on.
  [[nodiscard]] F32x16 keep_first(std::size_t count) const {
    return make([this, count](std::size_t i) { return i < count ? lane[i] : 0.0F; });
  }
  // a * b + c, rounded once.
  static F32x16 fma(const F32x16& a, const F32x16& b, const F32x16& c) {
    return make([&](std::size_t i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  static F32x16 min(const F32x16& a, const F32x16& b) {
    return make([&](std::size_t i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static F32x16 max(const F32x16& a, const F32x16& b) {
    return make([&](std::size_t i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  friend F32x16 operator+(const F32x16& a, const F32x16& b) {
    return make([&](std::size_t i) { return a.lane[i] + b.lane[i]; });
  }
  friend F32x16 operator-(const F32x16& a, const F32x16& b) {
    return make([&](std::size_t i) { return a.lane[i] - b.lane[i]; });
  }
  friend F32x16 operator*(const F32x16& a, const F32x16& b) {
    return make([&](std::size_t i) { return a.lane[i] * b.lane[i]; });
  }
  friend F32x16 operator/(const F32x16& a, const F32x16& b) {
    return make([&](std::size_t i) { return a.lane[i] / b.lane[i]; });
  }
  // Bit i: lane i of a is at least that of b; not so for not-a-number.
  static std::uint32_t at_least(const F32x16& a, const F32x16& b) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 16; ++i) bits |= static_cast<std::uint32_t>(a.lane[i] >= b.lane[i]) << i;
    return bits;
  }
  // value * 2^n, where magic's lanes hold 1.5 * 2^23 + n; by adding n to the exponent.
  static F32x16 scale_by_power(const F32x16& value, const F32x16& magic) {
    return make([&](std::size_t i) {
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value.lane[i]) +
                                  (std::bit_cast<std::uint32_t>(magic.lane[i]) << 23U));
    });
  }
  // Lanes i and i + 8, then + 4, + 2, + 1.
  [[nodiscard]] float sum() const {
    return reduce([](float a, float b) { return a + b; });
  }
  [[nodiscard]] float minimum() const {
    return reduce([](float a, float b) { return a < b ? a : b; });
  }
  [[nodiscard]] float maximum() const {
    return reduce([](float a, float b) { return a > b ? a : b; });
  }
  static void transpose(F32x16 (&rows)[16]) {
    for (std::size_t i = 0; i < 16; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const float swap = rows[i].lane[j];
        rows[i].lane[j] = rows[j].lane[i];
        rows[j].lane[i] = swap;
      }
    }
  }

 private:
  template <class Operation>
  [[nodiscard]] float reduce(Operation operation) const {
    float values[16];
    for (std::size_t i = 0; i < 16; ++i) values[i] = lane[i];
    for (std::size_t step = 8; step > 0; step /= 2) {
      for (std::size_t i = 0; i < step; ++i) values[i] = operation(values[i], values[i + step]);
    }
    return values[0];
  }
};

}  // namespace
}  // namespace scalestyle::nn::kernels
