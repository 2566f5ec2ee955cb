#include "nn/kernels/gemm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <thread>

#include "nn/kernels/elementwise.hpp"
#include "nn/kernels_support.hpp"

namespace scalestyle::nn::kernels {
namespace {

using test::random_floats;

struct Shape {
  std::size_t rows;
  std::size_t in;
  std::size_t out;
};

std::vector<Shape> awkward_shapes() {
  std::vector<Shape> shapes;
  for (const std::size_t rows : std::initializer_list<std::size_t>{1, 2, 3, 5, 6, 7, 12, 13, 14, 15, 16, 17, 28, 29, 31, 32, 33, 47, 65}) {
    shapes.push_back({rows, 96, 80});
  }
  for (const std::size_t in : std::initializer_list<std::size_t>{1, 3, 4, 31, 63, 64, 65, 127, 384}) shapes.push_back({9, in, 70});
  for (const std::size_t out : std::initializer_list<std::size_t>{1, 2, 15, 16, 17, 33, 63, 64, 65, 129, 384}) shapes.push_back({18, 70, out});
  shapes.push_back({700, 1536, 65});  // more than one block of rows
  return shapes;
}

// Operands of one product, and what each precision makes of them.
struct Problem {
  Problem(const Shape& of, std::uint32_t seed)
      : shape(of),
        a(random_floats(of.rows * of.in, seed)),
        weights(random_floats(of.out * of.in, seed + 1, 0.05F)),
        bias(random_floats(of.out, seed + 2)),
        residual(random_floats(of.rows * of.out, seed + 3)) {}

  [[nodiscard]] ConstMatrix input() const { return {a.data(), shape.rows, shape.in, shape.in}; }
  [[nodiscard]] Epilogue full_epilogue() const {
    return {bias.data(), Activation::kGeluErf, residual.data(), shape.out};
  }
  [[nodiscard]] Epilogue quick_epilogue() const { return {bias.data(), Activation::kQuickGelu, nullptr, 0}; }
  [[nodiscard]] Epilogue quick_residual_epilogue() const {
    return {bias.data(), Activation::kQuickGelu, residual.data(), shape.out};
  }

  Shape shape;
  std::vector<float> a;
  std::vector<float> weights;
  std::vector<float> bias;
  std::vector<float> residual;
};

template <class Packed, class View>
std::vector<float> product(const Problem& problem, const Packed& weights, const View& a, const Epilogue& epilogue,
                           PanelRange panels = {}) {
  std::vector<float> out(a.rows * problem.shape.out, -7.0F);
  gemm(a, weights, epilogue, {out.data(), a.rows, problem.shape.out, problem.shape.out}, panels);
  return out;
}

std::vector<float> run_f32(const Problem& problem, const Epilogue& epilogue) {
  const auto packed = PackedF32::pack(problem.weights, problem.shape.out, problem.shape.in);
  return product(problem, packed.value(), problem.input(), epilogue);
}

std::vector<float> run_bf16(const Problem& problem, const Epilogue& epilogue) {
  const auto packed = PackedBf16::pack(problem.weights, problem.shape.out, problem.shape.in);
  Bf16Rows rows(problem.shape.rows, problem.shape.in);
  round_to_bf16(problem.input(), rows);
  return product(problem, packed.value(), rows.view(), epilogue);
}

std::vector<float> run_int8(const Problem& problem, const Epilogue& epilogue) {
  const auto packed = PackedInt8::pack(problem.weights, problem.shape.out, problem.shape.in);
  QuantizedRows rows(problem.shape.rows, problem.shape.in);
  quantize_rows(problem.input(), rows);
  return product(problem, packed.value(), rows.view(), epilogue);
}

// In double precision, from the definition; magnitude[i] is the sum of |a * w|.
std::vector<double> exact(const Problem& problem, const Epilogue& epilogue, std::vector<double>* magnitude = nullptr) {
  const auto [rows, in, out] = problem.shape;
  std::vector<double> result(rows * out);
  if (magnitude != nullptr) magnitude->assign(rows * out, 0.0);
  for (std::size_t m = 0; m < rows; ++m) {
    for (std::size_t n = 0; n < out; ++n) {
      double sum = 0.0;
      for (std::size_t k = 0; k < in; ++k) {
        const double term = double{problem.a[m * in + k]} * double{problem.weights[n * in + k]};
        sum += term;
        if (magnitude != nullptr) (*magnitude)[m * out + n] += std::abs(term);
      }
      if (epilogue.bias != nullptr) sum += double{epilogue.bias[n]};
      if (epilogue.activation == Activation::kGeluErf) sum = 0.5 * sum * (1.0 + std::erf(sum / std::sqrt(2.0)));
      if (epilogue.activation == Activation::kQuickGelu) sum = sum / (1.0 + std::exp(-1.702 * sum));
      if (epilogue.residual != nullptr) sum += double{epilogue.residual[m * out + n]};
      result[m * out + n] = sum;
    }
  }
  return result;
}

double cosine(const std::vector<double>& a, const std::vector<float>& b) {
  double dot = 0.0;
  double aa = 0.0;
  double bb = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += a[i] * double{b[i]};
    aa += a[i] * a[i];
    bb += double{b[i]} * double{b[i]};
  }
  return dot / std::sqrt(aa * bb);
}

TEST(KernelsGemm, F32MatchesDoublePrecision) {
  for (const Shape& shape : awkward_shapes()) {
    const Problem problem(shape, 1);
    for (const Epilogue& epilogue : {Epilogue{}, Epilogue{problem.bias.data()}, problem.full_epilogue(),
                                     problem.quick_epilogue(), problem.quick_residual_epilogue()}) {
      const auto expected = exact(problem, epilogue);
      const auto got = run_f32(problem, epilogue);
      for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 2e-5) << i;
    }
  }
}

TEST(KernelsGemm, F32HasTheSameBitsOnEveryInstructionSet) {
  for (const Shape& shape : awkward_shapes()) {
    SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.in << " x " << shape.out);
    const Problem problem(shape, 2);
    test::expect_same_bits_on_every_isa([&] { return run_f32(problem, problem.full_epilogue()); });
    test::expect_same_bits_on_every_isa([&] { return run_f32(problem, problem.quick_epilogue()); });
  }
}

TEST(KernelsGemm, Int8HasTheSameBitsOnEveryInstructionSet) {
  std::vector<Shape> shapes = awkward_shapes();
  shapes.push_back({8, 20'000, 17});  // deeper than one pass of the widening products
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.in << " x " << shape.out);
    const Problem problem(shape, 3);
    test::expect_same_bits_on_every_isa([&] { return run_int8(problem, problem.full_epilogue()); });
    test::expect_same_bits_on_every_isa([&] { return run_int8(problem, problem.quick_residual_epilogue()); });
    test::expect_same_bits_on_every_isa([&] { return run_int8(problem, Epilogue{}); });
  }
}

TEST(KernelsGemm, Int8IsTheQuantisedProduct) {
  const Problem problem({11, 200, 75}, 4);
  const auto packed = PackedInt8::pack(problem.weights, 75, 200);
  ASSERT_TRUE(packed);
  QuantizedRows rows(11, 200);
  quantize_rows(problem.input(), rows);
  const auto got = product(problem, *packed, rows.view(), {});
  for (std::size_t m = 0; m < 11; ++m) {
    for (std::size_t n = 0; n < 75; ++n) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < 200; ++k) {
        const float weight_scale = packed->scales()[n];
        const auto weight = static_cast<std::int64_t>(std::nearbyint(problem.weights[n * 200 + k] / weight_scale));
        sum += (std::int64_t{rows.values()[m * rows.stride() + k]} - rows.zero_points()[m]) * weight;
      }
      const double expected = static_cast<double>(sum) * double{packed->scales()[n]} * double{rows.scales()[m]};
      ASSERT_NEAR(got[m * 75 + n], expected, 1e-5) << m << ' ' << n;
    }
  }
}

TEST(KernelsGemm, Int8IsCloseToF32AlsoForLopsidedActivations) {
  Problem problem({24, 1536, 384}, 5);
  for (float& value : problem.a) value = value > 0.0F ? 2.0F * value : 0.05F * value;  // as after GELU
  EXPECT_GT(cosine(exact(problem, {}), run_int8(problem, {})), 0.9995);
}

TEST(KernelsGemm, EqualisedWeightsGiveTheSameProduct) {
  Problem problem({8, 128, 64}, 6);
  std::vector<float> input_scale(128);
  std::vector<float> inverse(128);
  for (std::size_t k = 0; k < 128; ++k) {
    input_scale[k] = k % 16 == 0 ? 8.0F : 1.0F;
    inverse[k] = 1.0F / input_scale[k];
    for (std::size_t m = 0; m < 8; ++m) problem.a[m * 128 + k] *= input_scale[k];  // outlier channels
  }
  const auto packed = PackedInt8::pack(problem.weights, 64, 128, input_scale);
  ASSERT_TRUE(packed);
  QuantizedRows rows(8, 128);
  quantize_rows(problem.input(), rows, inverse);
  EXPECT_GT(cosine(exact(problem, {}), product(problem, *packed, rows.view(), {})), 0.999);
}

TEST(KernelsGemm, Int8SurvivesExtremeBytes) {
  // All activations 255 against all weights +-127: where 16-bit sums would saturate.
  const std::size_t in = 3072;
  std::vector<float> weights(64 * in);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = (i / in) % 2 == 0 ? 1.0F : -1.0F;
  const auto packed = PackedInt8::pack(weights, 64, in);
  ASSERT_TRUE(packed);
  const std::vector<float> ones(17 * in, 1.0F);
  QuantizedRows rows(17, in);
  quantize_rows({ones.data(), 17, in, in}, rows);
  for (const Isa isa : supported_isas()) {
    const test::WithIsa forced(isa);
    std::vector<float> out(17 * 64);
    gemm(rows.view(), *packed, {}, {out.data(), 17, 64, 64});
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], i % 2 == 0 ? 3072.0F : -3072.0F, 0.01F) << to_string(isa);
    }
  }
}

TEST(KernelsGemm, Bf16StaysWithinItsToleranceOnEveryInstructionSet) {
  for (const Shape& shape : awkward_shapes()) {
    const Problem problem(shape, 7);
    std::vector<double> magnitude;
    const auto reference = exact(problem, {}, &magnitude);
    test::for_each_isa([&] { return run_bf16(problem, {}); },
                       [&](Isa isa, const std::vector<float>& scalar, const std::vector<float>& other) {
                         for (std::size_t i = 0; i < other.size(); ++i) {
                           ASSERT_NEAR(other[i], scalar[i], 1e-5 * magnitude[i]) << to_string(isa);
                           ASSERT_NEAR(other[i], reference[i], 0.01 * magnitude[i]);
                         }
                       });
  }
}

// Each row alone, at every place of a batch, and under any split of the panels: the same bytes.
template <class Packed, class View>
void expect_rows_independent(const Problem& problem, const Packed& packed, const View& view) {
  const std::size_t out = problem.shape.out;
  const Epilogue epilogue{problem.bias.data(), Activation::kGeluErf};
  for (const Isa isa : supported_isas()) {
    const test::WithIsa forced(isa);
    SCOPED_TRACE(to_string(isa));
    const auto whole = product(problem, packed, view, epilogue);
    for (std::size_t count = 1; count <= view.rows; ++count) {
      const std::size_t first = (count * 7) % (view.rows - count + 1);
      const auto part = product(problem, packed, view.row_block(first, count), epilogue);
      ASSERT_EQ(std::memcmp(part.data(), whole.data() + first * out, count * out * sizeof(float)), 0)
          << first << " + " << count;
    }
    std::vector<float> joined(view.rows * out);
    const Matrix target{joined.data(), view.rows, out, out};
    gemm(view, packed, epilogue, target, {1, 100});
    gemm(view, packed, epilogue, target, {0, 1});
    gemm(view, packed, epilogue, target, {50, 1});  // beyond the end: nothing
    EXPECT_TRUE(test::same_bits(joined, whole));
  }
}

TEST(KernelsGemm, ARowDoesNotDependOnItsBatchOrPlace) {
  const Problem problem({40, 100, 150}, 8);
  const auto f32 = PackedF32::pack(problem.weights, 150, 100);
  expect_rows_independent(problem, *f32, problem.input());
  const auto bf16 = PackedBf16::pack(problem.weights, 150, 100);
  Bf16Rows bf16_rows(40, 100);
  round_to_bf16(problem.input(), bf16_rows);
  expect_rows_independent(problem, *bf16, bf16_rows.view());
  const auto int8 = PackedInt8::pack(problem.weights, 150, 100);
  QuantizedRows int8_rows(40, 100);
  quantize_rows(problem.input(), int8_rows);
  expect_rows_independent(problem, *int8, int8_rows.view());
}

TEST(KernelsGemm, NothingOutsideTheOutputIsWritten) {
  const Problem problem({19, 64, 70}, 9);
  const auto packed = PackedInt8::pack(problem.weights, 70, 64);
  QuantizedRows rows(19, 64);
  quantize_rows(problem.input(), rows);
  for (const Isa isa : supported_isas()) {
    const test::WithIsa forced(isa);
    std::vector<float> out(20 * 80, 42.0F);
    gemm(rows.view(), *packed, {}, {out.data(), 19, 70, 80});
    for (std::size_t i = 0; i < out.size(); ++i) {
      const bool outside = i / 80 == 19 || i % 80 >= 70;
      ASSERT_EQ(out[i] == 42.0F, outside) << i << ' ' << to_string(isa);
    }
  }
}

TEST(KernelsGemm, TwoThreadsShareTheWeights) {
  const Problem problem({64, 128, 256}, 10);
  const auto packed = PackedInt8::pack(problem.weights, 256, 128);
  QuantizedRows rows(64, 128);
  quantize_rows(problem.input(), rows);
  const auto whole = product(problem, *packed, rows.view(), {});
  std::vector<float> out(64 * 256);
  const auto half = [&](std::size_t first) {
    gemm(rows.view().row_block(first, 32), *packed, {}, {out.data() + first * 256, 32, 256, 256});
  };
  std::thread other(half, 32);
  half(0);
  other.join();
  EXPECT_TRUE(test::same_bits(whole, out));
}

TEST(KernelsGemm, HostileWeightsAreRefusedWithTheirPlace) {
  std::vector<float> weights(12, 1.0F);
  EXPECT_FALSE(PackedF32::pack(weights, 3, 5));
  EXPECT_FALSE(PackedF32::pack(weights, 0, 12));
  EXPECT_FALSE(PackedBf16::pack(weights, 12, 0));
  EXPECT_FALSE(PackedInt8::pack(weights, 1, kMaxInFeatures + 1));
  EXPECT_FALSE(PackedInt8::pack(weights, std::numeric_limits<std::size_t>::max(), 2));
  weights[7] = std::numeric_limits<float>::quiet_NaN();
  const auto bad = PackedInt8::pack(weights, 3, 4);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("row 1, column 3"), std::string::npos) << bad.error().message;
  weights[7] = 1.0F;
  EXPECT_FALSE(PackedInt8::pack(weights, 3, 4, std::vector<float>{1.0F}));
  EXPECT_FALSE(PackedInt8::pack(weights, 3, 4, std::vector<float>{1.0F, 0.0F, 1.0F, 1.0F}));
  const std::vector<float> zeros(12, 0.0F);
  EXPECT_TRUE(PackedInt8::pack(zeros, 3, 4));
}

}  // namespace
}  // namespace scalestyle::nn::kernels
