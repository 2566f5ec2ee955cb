// Products of f32 rows with narrow weights, and the row-wise kernels of language models.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <vector>

#include "nn/kernels/attention.hpp"
#include "nn/kernels/elementwise.hpp"
#include "nn/kernels/gemm.hpp"
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
  for (const std::size_t rows : std::initializer_list<std::size_t>{1, 2, 3, 5, 6, 7, 13, 14, 15, 29}) shapes.push_back({rows, 96, 80});
  for (const std::size_t in : std::initializer_list<std::size_t>{1, 2, 3, 5, 31, 63, 65, 127, 384}) {
    shapes.push_back({1, in, 70});
    shapes.push_back({7, in, 70});
  }
  for (const std::size_t out : std::initializer_list<std::size_t>{1, 15, 16, 17, 63, 64, 65, 129}) {
    shapes.push_back({1, 70, out});
    shapes.push_back({8, 70, out});
  }
  shapes.push_back({200, 1536, 65});  // more than one block of rows
  return shapes;
}

// Weights that bf16 holds exactly, as both.
struct Weights {
  Weights(std::size_t count, std::uint32_t seed) : values(random_floats(count, seed, 0.05F)), bits(count * 2) {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t full = 0;
      std::memcpy(&full, &values[i], 4);
      const auto half = static_cast<std::uint16_t>(full >> 16U);
      full = std::uint32_t{half} << 16U;
      std::memcpy(&values[i], &full, 4);
      std::memcpy(&bits[2 * i], &half, 2);
    }
  }
  std::vector<float> values;
  std::vector<std::byte> bits;
};

struct Problem {
  Problem(const Shape& of, std::uint32_t seed)
      : shape(of),
        weights(of.out * of.in, seed),
        a(of.rows * (of.in + 3), std::numeric_limits<float>::quiet_NaN()),
        bias(random_floats(of.out, seed + 2)),
        residual(random_floats(of.rows * of.out, seed + 3)) {
    // Between rows lies what may not be read.
    const auto dense = random_floats(of.rows * of.in, seed + 1);
    for (std::size_t r = 0; r < of.rows; ++r) std::copy_n(&dense[r * of.in], of.in, &a[r * (of.in + 3)]);
  }
  template <class Packed>
  [[nodiscard]] std::vector<float> product(const Packed& packed, bool full, PanelRange panels = {}) const {
    std::vector<float> out(shape.rows * shape.out, -7.0F);
    const Epilogue epilogue = full ? Epilogue{bias.data(), Activation::kGeluErf, residual.data(), shape.out} : Epilogue{};
    gemm(ConstMatrix{a.data(), shape.rows, shape.in, shape.in + 3}, packed, epilogue,
         Matrix{out.data(), shape.rows, shape.out, shape.out}, panels);
    return out;
  }

  Shape shape;
  Weights weights;
  std::vector<float> a;
  std::vector<float> bias;
  std::vector<float> residual;
};

TEST(KernelsWidening, Bf16GivesTheBitsOfTheF32ProductOnEveryInstructionSet) {
  for (const Shape& shape : awkward_shapes()) {
    SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.in << " x " << shape.out);
    const Problem problem(shape, 1);
    const auto f32 = PackedF32::pack(problem.weights.values, shape.out, shape.in);
    const auto bf16 = PackedBf16::pack_bf16(problem.weights.bits, shape.out, shape.in);
    ASSERT_TRUE(f32 && bf16);
    for (const bool full : {false, true}) {
      const auto expected = problem.product(*f32, full);
      for (const Isa isa : supported_isas()) {
        const test::WithIsa forced(isa);
        EXPECT_TRUE(test::same_bits(problem.product(*bf16, full), expected)) << to_string(isa);
      }
    }
  }
}

TEST(KernelsWidening, Int8IsTheProductWithTheRoundedWeights) {
  for (const Shape& shape : awkward_shapes()) {
    SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.in << " x " << shape.out);
    const Problem problem(shape, 4);
    const auto packed = PackedInt8::pack_bf16(problem.weights.bits, shape.out, shape.in);
    ASSERT_TRUE(packed);
    const auto got = problem.product(*packed, false);
    for (std::size_t m = 0; m < shape.rows; ++m) {
      for (std::size_t n = 0; n < shape.out; ++n) {
        double sum = 0;
        for (std::size_t k = 0; k < shape.in; ++k) {
          ASSERT_NEAR(packed->weight_at(n, k) * packed->scales()[n], problem.weights.values[n * shape.in + k], packed->scales()[n] * 0.501F);
          sum += double{problem.a[m * (shape.in + 3) + k]} * packed->weight_at(n, k);
        }
        ASSERT_NEAR(got[m * shape.out + n], sum * double{packed->scales()[n]}, 2e-5) << m << ' ' << n;
      }
    }
    for (const bool full : {false, true}) {
      test::expect_same_bits_on_every_isa([&] { return problem.product(*packed, full); });
    }
  }
}

TEST(KernelsWidening, ARowDoesNotDependOnTheRowsBesideIt) {
  const Problem problem({29, 200, 130}, 6);
  const auto bf16 = PackedBf16::pack_bf16(problem.weights.bits, 130, 200);
  const auto int8 = PackedInt8::pack_bf16(problem.weights.bits, 130, 200);
  const auto expect_rows = [&](const auto& packed) {
    const auto all = problem.product(packed, false);
    for (std::size_t row = 0; row < 29; ++row) {
      std::vector<float> one(130);
      gemm(ConstMatrix{&problem.a[row * 203], 1, 200, 203}, packed, {}, Matrix{one.data(), 1, 130, 130});
      EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(row * 130))) << row;
    }
  };
  expect_rows(*bf16);
  expect_rows(*int8);
}

TEST(KernelsWidening, PanelsJoinToTheProduct) {
  const Problem problem({3, 70, 200}, 8);
  const auto packed = PackedBf16::pack_bf16(problem.weights.bits, 200, 70);
  const auto whole = problem.product(*packed, true);
  const auto part = problem.product(*packed, true, {.first = 1, .count = 2});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const bool inside = i % 200 >= 64 && i % 200 < 192;
    EXPECT_EQ(part[i], inside ? whole[i] : -7.0F) << i;
  }
}

TEST(KernelsWidening, PackingBf16IsPackingItsValues) {
  const Weights weights(70 * 33, 9);
  const auto direct = PackedInt8::pack_bf16(weights.bits, 70, 33);
  const auto values = PackedInt8::pack(weights.values, 70, 33);
  ASSERT_TRUE(direct && values);
  EXPECT_EQ(std::memcmp(direct->panel(0), values->panel(0), values->size_bytes()), 0);
  EXPECT_EQ(std::memcmp(direct->scales(), values->scales(), 128 * sizeof(float)), 0);
  EXPECT_FALSE(PackedBf16::pack_bf16(weights.bits, 70, 34));
  Weights infinite(70 * 33, 9);
  infinite.bits[2 * (33 * 5 + 7)] = std::byte{0x80};
  infinite.bits[2 * (33 * 5 + 7) + 1] = std::byte{0x7f};
  const auto expect_refused = [](const auto& packed) {
    ASSERT_FALSE(packed);
    EXPECT_NE(packed.error().message.find("row 5, column 7"), std::string::npos) << packed.error().message;
  };
  expect_refused(PackedBf16::pack_bf16(infinite.bits, 70, 33));
  expect_refused(PackedInt8::pack_bf16(infinite.bits, 70, 33));
}

TEST(KernelsLanguageModel, RmsNormIsItsDefinition) {
  for (const std::size_t columns : std::initializer_list<std::size_t>{1, 16, 33, 130, 1536}) {
    const auto in = random_floats(3 * columns, 1, 2.0F);
    const auto gamma = random_floats(columns, 2);
    const auto run = [&] {
      std::vector<float> out(in.size());
      rms_norm({in.data(), 3, columns, columns}, gamma, 1e-6F, {out.data(), 3, columns, columns});
      return out;
    };
    const auto got = run();
    for (std::size_t r = 0; r < 3; ++r) {
      double squares = 0;
      for (std::size_t c = 0; c < columns; ++c) squares += double{in[r * columns + c]} * double{in[r * columns + c]};
      for (std::size_t c = 0; c < columns; ++c) {
        const double expected = double{in[r * columns + c]} / std::sqrt(squares / static_cast<double>(columns) + 1e-6) * double{gamma[c]};
        ASSERT_NEAR(got[r * columns + c], expected, 1e-5 * std::max(1.0, std::abs(expected)));
      }
    }
    test::expect_same_bits_on_every_isa(run);
  }
}

TEST(KernelsLanguageModel, SiluMultiplyIsItsDefinition) {
  const auto gate = random_floats(2 * 77, 1, 20.0F);
  const auto factor = random_floats(2 * 77, 2);
  const auto run = [&] {
    std::vector<float> values = gate;
    silu_multiply({values.data(), 2, 77, 77}, {factor.data(), 2, 77, 77});
    return values;
  };
  const auto got = run();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double expected = double{gate[i]} / (1 + std::exp(-double{gate[i]})) * double{factor[i]};
    EXPECT_NEAR(got[i], expected, 1e-5 * std::max(1.0, std::abs(expected)));
  }
  test::expect_same_bits_on_every_isa(run);
}

TEST(KernelsLanguageModel, CachedAttentionIsItsDefinition) {
  for (const std::size_t width : std::initializer_list<std::size_t>{16, 80, 128}) {
    constexpr std::size_t kFirst = 21;
    constexpr std::size_t kRows = 5;
    const auto queries = random_floats(kRows * width, 1);
    const auto keys = random_floats((kFirst + kRows) * width, 2);
    const auto values = random_floats((kFirst + kRows) * width, 3);
    const auto run = [&] {
      std::vector<float> context(kRows * width);
      std::vector<float> scores(kFirst + kRows);
      cached_attention({queries.data(), kRows, width, width}, {keys.data(), values.data(), kFirst},
                       {context.data(), kRows, width, width}, scores);
      return context;
    };
    const auto got = run();
    for (std::size_t r = 0; r < kRows; ++r) {
      std::vector<double> weights;
      double sum = 0;
      for (std::size_t p = 0; p <= kFirst + r; ++p) {
        double dot = 0;
        for (std::size_t d = 0; d < width; ++d) dot += double{queries[r * width + d]} * double{keys[p * width + d]};
        weights.push_back(std::exp(dot / std::sqrt(static_cast<double>(width))));
        sum += weights.back();
      }
      for (std::size_t d = 0; d < width; ++d) {
        double expected = 0;
        for (std::size_t p = 0; p < weights.size(); ++p) expected += weights[p] / sum * double{values[p * width + d]};
        ASSERT_NEAR(got[r * width + d], expected, 1e-5);
      }
    }
    test::expect_same_bits_on_every_isa(run);
  }
}

}  // namespace
}  // namespace scalestyle::nn::kernels
