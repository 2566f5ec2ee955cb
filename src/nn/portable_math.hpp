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

// x > 0 and normal; relative error below 1e-15.
[[nodiscard]] inline double portable_log(double x) {
  int exponent = 0;
  double fraction = std::frexp(x, &exponent);  // [0.5, 1)
  if (fraction < 0.70710678118654752) {
    fraction *= 2;
    --exponent;
  }
  // ln f = 2 artanh((f - 1) / (f + 1)), whose argument is at most 0.172.
  const double t = (fraction - 1) / (fraction + 1);
  double sum = 0;
  for (int k = 25; k >= 1; k -= 2) sum = sum * t * t + 1.0 / k;
  return 2 * t * sum + exponent * 0.69314718055994530942;
}

struct SineCosine {
  double sine = 0;
  double cosine = 1;
};

// Absolute error below 1e-12 for |x| <= 10^6.
[[nodiscard]] inline SineCosine portable_sine_cosine(double x) {
  const double quarter = std::nearbyint(x * 0.63661977236758134308);
  // pi / 2 in two parts: the first has few enough bits for quarter * part to be exact.
  const double r = (x - quarter * 1.57079632673412561417) - quarter * 6.07710050650619224932e-11;
  double sine = 1;  // Taylor series by Horner: |r| <= pi / 4
  double cosine = 1;
  for (int k = 19; k >= 3; k -= 2) sine = 1 - sine * r * r / (k * (k - 1));
  for (int k = 18; k >= 2; k -= 2) cosine = 1 - cosine * r * r / (k * (k - 1));
  sine *= r;
  switch (static_cast<long long>(quarter) & 3) {
    case 0: return {sine, cosine};
    case 1: return {cosine, -sine};
    case 2: return {-sine, -cosine};
    default: return {-cosine, sine};
  }
}

}  // namespace scalestyle::nn
