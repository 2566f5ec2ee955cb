#pragma once
// exp, erf-GELU and friends over F32x16; one operation order for every instruction set. Internal; include after one
// simd header.

#include <cstddef>
#include <cstdint>

#include "nn/kernels/activation.hpp"

namespace scalestyle::nn::kernels {
namespace {

// Adding it to a small number rounds that to an integer, nearest-even, which then stands in the low bits.
inline constexpr float kRoundingMagic = 12582912.0F;  // 1.5 * 2^23

// Relative error below 3e-7 in [-86, 88]; clamped outside.
inline F32x16 exp(F32x16 x) {
  x = F32x16::min(F32x16::max(x, F32x16::broadcast(-86.0F)), F32x16::broadcast(88.0F));
  const F32x16 magic = F32x16::fma(x, F32x16::broadcast(1.44269504F), F32x16::broadcast(kRoundingMagic));
  const F32x16 n = magic - F32x16::broadcast(kRoundingMagic);
  // ln 2 in two parts: the first has few enough bits for n * part to be exact.
  F32x16 r = F32x16::fma(n, F32x16::broadcast(-0.693359375F), x);
  r = F32x16::fma(n, F32x16::broadcast(2.12194440e-4F), r);
  F32x16 p = F32x16::broadcast(1.0F / 5040.0F);  // Taylor series: |r| <= ln 2 / 2
  p = F32x16::fma(p, r, F32x16::broadcast(1.0F / 720.0F));
  p = F32x16::fma(p, r, F32x16::broadcast(1.0F / 120.0F));
  p = F32x16::fma(p, r, F32x16::broadcast(1.0F / 24.0F));
  p = F32x16::fma(p, r, F32x16::broadcast(1.0F / 6.0F));
  p = F32x16::fma(p, r, F32x16::broadcast(0.5F));
  p = F32x16::fma(p, r, F32x16::broadcast(1.0F));
  p = F32x16::fma(p, r, F32x16::broadcast(1.0F));
  return F32x16::scale_by_power(p, magic);
}

// erf(z) / z as a polynomial in s = 2 z^2 / 3.9^2 - 1: Chebyshev interpolation on |z| <= 3.9, where 1 - erf is below
// 4e-8. In s the coefficients stay small, so nothing cancels.
inline constexpr float kErfCoefficients[14] = {
    0.362584198F, -0.181011141F, 0.134668779F, -0.109524591F,
    0.0910297491F, -0.0739353024F, 0.0557333735F, -0.0419679742F,
    0.0353743953F, -0.0218989011F, 0.00439057466F, -0.00364033031F,
    0.00861337754F, -0.00400611129F};

inline F32x16 gelu_erf(F32x16 x) {
  F32x16 s = F32x16::fma(x * x, F32x16::broadcast(1.0F / 15.21F), F32x16::broadcast(-1.0F));
  s = F32x16::min(s, F32x16::broadcast(1.0F));
  F32x16 p = F32x16::broadcast(kErfCoefficients[13]);
#pragma GCC unroll 13
  for (std::size_t i = 13; i-- > 0;) p = F32x16::fma(p, s, F32x16::broadcast(kErfCoefficients[i]));
  const F32x16 z = x * F32x16::broadcast(0.707106781F);
  const F32x16 one = F32x16::broadcast(1.0F);
  const F32x16 erf = F32x16::max(F32x16::min(p * z, one), F32x16::broadcast(-1.0F));
  const F32x16 half = x * F32x16::broadcast(0.5F);
  return F32x16::fma(half, erf, half);
}

inline F32x16 quick_gelu(F32x16 x) {
  const F32x16 one = F32x16::broadcast(1.0F);
  return x / (one + exp(x * F32x16::broadcast(-1.702F)));
}

template <Activation Function>
inline F32x16 activate(F32x16 x) {
  if constexpr (Function == Activation::kGeluErf) return gelu_erf(x);
  if constexpr (Function == Activation::kQuickGelu) return quick_gelu(x);
  return x;
}

inline F32x16 silu(F32x16 x) {
  const F32x16 one = F32x16::broadcast(1.0F);
  return x / (one + exp(F32x16::zero() - x));
}

// Calls function(column, lanes) for each group of 16 columns; lanes < 16 only in the last.
template <class Function>
inline void for_each_vector(std::size_t columns, Function function) {
  std::size_t column = 0;
  for (; column + 16 <= columns; column += 16) function(column, std::size_t{16});
  if (column < columns) function(column, columns - column);
}

inline F32x16 load_lanes(const float* from, std::size_t lanes, float fill = 0.0F) {
  return lanes == 16 ? F32x16::load(from) : F32x16::load_first(from, lanes, fill);
}

inline void store_lanes(F32x16 value, float* to, std::size_t lanes) {
  if (lanes == 16) {
    value.store(to);
  } else {
    value.store_first(to, lanes);
  }
}

// Sum over columns of term(column, lanes), which must be zero past the end: four chains, joined pairwise.
template <class Term>
inline float sum_columns(std::size_t columns, Term term) {
  F32x16 chain[4] = {F32x16::zero(), F32x16::zero(), F32x16::zero(), F32x16::zero()};
  std::size_t column = 0;
  for (; column + 64 <= columns; column += 64) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) chain[i] = chain[i] + term(column + 16 * i, std::size_t{16});
  }
  for (; column < columns; column += 16) {
    chain[0] = chain[0] + term(column, columns - column < 16 ? columns - column : std::size_t{16});
  }
  return ((chain[0] + chain[1]) + (chain[2] + chain[3])).sum();
}

}  // namespace
}  // namespace scalestyle::nn::kernels
