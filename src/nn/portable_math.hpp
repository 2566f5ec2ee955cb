#pragma once
// exp and its relatives in double, of additions, multiplications and divisions alone: the same bits on every processor,
// which a C library that picks its code by processor does not promise. For the few values at a model's end.

#include <cmath>

namespace scalestyle::nn {

// Relative error below 1e-15 in [-700, 700]; clamped outside.
[[nodiscard]] inline double portable_exp(double x) {
  if (x != x) return x;
  x = x < -700.0 ? -700.0 : (x > 700.0 ? 700.0 : x);
  const double n = std::nearbyint(x * 1.4426950408889634);
  // ln 2 in two parts: the first has few enough bits for n * part to be exact.
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1.0;  // Taylor series by Horner: |r| <= ln 2 / 2
  for (int k = 14; k >= 1; --k) sum = 1.0 + sum * r / k;
  return std::ldexp(sum, static_cast<int>(n));
}

// Absolute error below 1e-15.
[[nodiscard]] inline double portable_tanh(double x) { return 1.0 - 2.0 / (portable_exp(2.0 * x) + 1.0); }

[[nodiscard]] inline double portable_sigmoid(double x) { return 1.0 / (1.0 + portable_exp(-x)); }

}  // namespace scalestyle::nn
