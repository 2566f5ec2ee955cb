#include "nn/kernels/elementwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "nn/kernels/attention.hpp"
#include "nn/kernels_support.hpp"

namespace scalestyle::nn::kernels {
namespace {

using test::random_floats;

constexpr std::size_t kWidths[] = {1, 2, 15, 16, 17, 31, 48, 63, 64, 65, 80, 127, 384, 400, 1536};

TEST(KernelsElementwise, LayerNormMatchesDoublePrecisionAndIsTheSameEverywhere) {
  for (const std::size_t width : kWidths) {
    SCOPED_TRACE(width);
    const auto in = random_floats(5 * width, 1);
    const auto residual = random_floats(5 * width, 2);
    const auto gamma = random_floats(width, 3);
    const auto beta = random_floats(width, 4);
    const auto run = [&] {
      std::vector<float> out(5 * width);
      layer_norm({in.data(), 5, width, width}, {gamma, beta, 1e-5F}, {out.data(), 5, width, width},
                 {residual.data(), 5, width, width});
      return out;
    };
    test::expect_same_bits_on_every_isa(run);
    const auto got = run();
    for (std::size_t r = 0; r < 5; ++r) {
      std::vector<double> x(width);
      for (std::size_t i = 0; i < width; ++i) x[i] = double{in[r * width + i] + residual[r * width + i]};
      const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(width);
      double variance = 0.0;
      for (const double value : x) variance += (value - mean) * (value - mean) / static_cast<double>(width);
      for (std::size_t i = 0; i < width; ++i) {
        const double expected = (x[i] - mean) / std::sqrt(variance + 1e-5) * double{gamma[i]} + double{beta[i]};
        ASSERT_NEAR(got[r * width + i], expected, 2e-5);
      }
    }
  }
}

TEST(KernelsElementwise, LayerNormQuantizeEqualsItsTwoHalves) {
  const std::size_t width = 400;
  const auto in = random_floats(3 * width, 5);
  const auto gamma = random_floats(width, 6);
  const auto beta = random_floats(width, 7);
  std::vector<float> apart(3 * width);
  std::vector<float> fused(3 * width);
  QuantizedRows expected(3, width);
  QuantizedRows got(3, width);
  const ConstMatrix source{in.data(), 3, width, width};
  layer_norm(source, {gamma, beta}, {apart.data(), 3, width, width});
  quantize_rows({apart.data(), 3, width, width}, expected);
  layer_norm_quantize(source, {gamma, beta}, {fused.data(), 3, width, width}, got);
  EXPECT_TRUE(test::same_bits(apart, fused));
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(expected.scales()[r], got.scales()[r]);
    EXPECT_EQ(expected.zero_points()[r], got.zero_points()[r]);
    EXPECT_EQ(std::memcmp(expected.values() + r * expected.stride(), got.values() + r * got.stride(), width), 0);
  }
}

TEST(KernelsElementwise, GeluIsCloseToTheErrorFunctionAndTheSameEverywhere) {
  std::vector<float> x;
  for (float value = -12.0F; value <= 12.0F; value += 0.00390625F) x.push_back(value);
  for (const float value : {0.0F, -0.0F, 1e-30F, -1e-30F, 1e-6F, -1e6F, 1e6F, 5.5154F, -5.5154F}) x.push_back(value);
  const auto run = [&] {
    auto values = x;
    gelu_erf({values.data(), 1, values.size(), values.size()});
    return values;
  };
  test::expect_same_bits_on_every_isa(run);
  const auto got = run();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = double{x[i]};
    const double expected = 0.5 * value * (1.0 + std::erf(value / std::sqrt(2.0)));
    ASSERT_NEAR(got[i], expected, 1e-6 * std::max(1.0, std::abs(value))) << value;
  }
  EXPECT_EQ(got[x.size() - 4], 0.0F);  // -1e6: exactly nothing
}

TEST(KernelsElementwise, QuickGeluIsCloseAndTheSameEverywhere) {
  const auto x = random_floats(1003, 8, 5.0F);
  const auto run = [&] {
    auto values = x;
    quick_gelu({values.data(), 1, values.size(), values.size()});
    return values;
  };
  test::expect_same_bits_on_every_isa(run);
  const auto got = run();
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(got[i], double{x[i]} / (1.0 + std::exp(-1.702 * double{x[i]})), 2e-6 * (1.0 + std::abs(double{x[i]})));
  }
}

TEST(KernelsElementwise, SoftmaxSumsToOneAndIsTheSameEverywhere) {
  for (const std::size_t width : kWidths) {
    SCOPED_TRACE(width);
    auto x = random_floats(4 * width, 9, 20.0F);
    x[0] = 1e30F;  // the rest of the row vanishes
    const auto run = [&] {
      auto values = x;
      softmax_rows({values.data(), 4, width, width});
      return values;
    };
    test::expect_same_bits_on_every_isa(run);
    const auto got = run();
    EXPECT_EQ(got[0], 1.0F);
    for (std::size_t r = 1; r < 4; ++r) {
      double largest = -1e300;
      double sum = 0.0;
      for (std::size_t i = 0; i < width; ++i) largest = std::max(largest, double{x[r * width + i]});
      for (std::size_t i = 0; i < width; ++i) sum += std::exp(double{x[r * width + i]} - largest);
      for (std::size_t i = 0; i < width; ++i) {
        ASSERT_NEAR(got[r * width + i], std::exp(double{x[r * width + i]} - largest) / sum, 1e-6);
      }
    }
  }
}

TEST(KernelsElementwise, QuantisedRowsAreWithinHalfAStepAndTheSameEverywhere) {
  for (const std::size_t width : kWidths) {
    SCOPED_TRACE(width);
    auto x = random_floats(5 * width, 10);
    for (std::size_t i = 0; i < width; ++i) {
      x[width + i] = 3.0F + 0.001F * static_cast<float>(i);  // one sign only
      x[2 * width + i] = 0.0F;
      x[3 * width + i] = -2.0F;
    }
    const ConstMatrix in{x.data(), 5, width, width};
    const auto run = [&] {
      QuantizedRows rows(5, width);
      quantize_rows(in, rows);
      std::vector<float> back(rows.scales(), rows.scales() + 5);
      for (std::size_t r = 0; r < 5; ++r) {
        for (std::size_t i = 0; i < width; ++i) {
          const int step = rows.values()[r * rows.stride() + i] - rows.zero_points()[r];
          back.push_back(rows.scales()[r] * static_cast<float>(step));
        }
      }
      return back;
    };
    test::expect_same_bits_on_every_isa(run);
    const auto got = run();
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_NEAR(got[5 + i], x[i], 0.501F * got[i / width]) << i;
    }
  }
}

TEST(KernelsElementwise, HostileRowsAreQuantisedWithoutHarm) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x(4 * 70, 0.5F);
  x[3] = nan;
  x[70] = infinity;
  x[140] = -3.4e38F;
  x[141] = 3.4e38F;
  for (std::size_t i = 0; i < 70; ++i) x[210 + i] = 1e-40F;
  for (const Isa isa : supported_isas()) {
    const test::WithIsa forced(isa);
    QuantizedRows rows(4, 70);
    quantize_rows({x.data(), 4, 70, 70}, rows);
    EXPECT_EQ(rows.scales()[0], 0.5F / 255.0F) << to_string(isa);
    for (std::size_t r = 0; r < 4; ++r) {
      EXPECT_GE(rows.zero_points()[r], 0);
      EXPECT_LE(rows.zero_points()[r], 255);
    }
  }
}

TEST(KernelsElementwise, GeluQuantizeEqualsItsTwoHalves) {
  const auto expect_equal = [](void (*activate)(const Matrix&), void (*activate_quantize)(const Matrix&, QuantizedRows&)) {
    const auto x = random_floats(2 * 100, 11, 2.0F);
    for (const Isa isa : supported_isas()) {
      const test::WithIsa forced(isa);
      auto apart = x;
      auto fused = x;
      QuantizedRows expected(2, 100);
      QuantizedRows got(2, 100);
      activate({apart.data(), 2, 100, 100});
      quantize_rows({apart.data(), 2, 100, 100}, expected);
      activate_quantize({fused.data(), 2, 100, 100}, got);
      EXPECT_TRUE(test::same_bits(apart, fused)) << to_string(isa);
      for (std::size_t r = 0; r < 2; ++r) {
        EXPECT_EQ(expected.scales()[r], got.scales()[r]);
        EXPECT_EQ(std::memcmp(expected.values() + r * expected.stride(), got.values() + r * got.stride(), 100), 0);
      }
    }
  };
  expect_equal(gelu_erf, gelu_quantize);
  expect_equal(quick_gelu, quick_gelu_quantize);
}

TEST(KernelsElementwise, Bf16IsNearestEvenAndPaddedWithZeros) {
  const std::vector<float> x = {1.0F, 1.00390625F, 1.01171875F, -1.00390625F, 3.4e38F, 1e-40F, 0.0F};
  const std::vector<std::uint16_t> expected = {0x3f80, 0x3f80, 0x3f82, 0xbf80, 0x7f80, 0x0001, 0x0000};
  for (const Isa isa : supported_isas()) {
    const test::WithIsa forced(isa);
    Bf16Rows rows(1, x.size());
    std::fill(rows.values(), rows.values() + 32, std::uint16_t{0xffff});
    round_to_bf16({x.data(), 1, x.size(), x.size()}, rows);
    ASSERT_EQ(rows.stride(), 32U);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(rows.values()[i], expected[i]) << to_string(isa) << ' ' << i;
    for (std::size_t i = x.size(); i < 32; ++i) EXPECT_EQ(rows.values()[i], 0) << to_string(isa) << ' ' << i;
  }
}

TEST(KernelsElementwise, L2NormalisedRowsHaveLengthOne) {
  for (const std::size_t width : kWidths) {
    auto x = random_floats(2 * width, 12, 100.0F);
    for (std::size_t i = 0; i < width; ++i) x[width + i] = 0.0F;
    const auto run = [&] {
      auto values = x;
      l2_normalize({values.data(), 2, width, width});
      return values;
    };
    test::expect_same_bits_on_every_isa(run);
    const auto got = run();
    double squares = 0.0;
    for (std::size_t i = 0; i < width; ++i) squares += double{got[i]} * double{got[i]};
    EXPECT_NEAR(squares, 1.0, 1e-5);
    EXPECT_EQ(got[width], 0.0F);
  }
}

TEST(KernelsElementwise, EmbeddingsAreSummed) {
  const auto word = random_floats(10 * 40, 13);
  const auto position = random_floats(6 * 40, 14);
  const auto type = random_floats(40, 15);
  const std::vector<std::int32_t> tokens = {9, 0, 3};
  const std::vector<std::int32_t> positions = {0, 5, 2};
  const auto run = [&] {
    std::vector<float> out(3 * 40);
    embedding_sum({{word.data(), 10, 40, 40}, {position.data(), 6, 40, 40}, type.data()}, tokens, positions,
                  {out.data(), 3, 40, 40});
    return out;
  };
  test::expect_same_bits_on_every_isa(run);
  const auto got = run();
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(got[40 + i], word[i] + position[5 * 40 + i] + type[i]);
}

// The definition, in double precision.
std::vector<double> exact_attention(const std::vector<float>& qkv, std::size_t tokens, const AttentionShape& shape) {
  const std::size_t hidden = shape.heads * shape.head_width;
  const std::size_t rows = shape.first_row_only ? 1 : tokens;
  std::vector<double> context(rows * hidden, 0.0);
  for (std::size_t h = 0; h < shape.heads; ++h) {
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t visible = shape.causal ? i + 1 : tokens;
      std::vector<double> weight(visible);
      double sum = 0.0;
      for (std::size_t j = 0; j < visible; ++j) {
        double dot = 0.0;
        for (std::size_t d = 0; d < shape.head_width; ++d) {
          dot += double{qkv[i * 3 * hidden + h * shape.head_width + d]} *
                 double{qkv[j * 3 * hidden + hidden + h * shape.head_width + d]};
        }
        weight[j] = std::exp(dot / std::sqrt(static_cast<double>(shape.head_width)));
        sum += weight[j];
      }
      for (std::size_t j = 0; j < visible; ++j) {
        for (std::size_t d = 0; d < shape.head_width; ++d) {
          const std::size_t column = h * shape.head_width + d;
          context[i * hidden + column] += weight[j] / sum * double{qkv[j * 3 * hidden + 2 * hidden + column]};
        }
      }
    }
  }
  return context;
}

TEST(KernelsAttention, MatchesDoublePrecisionAndIsTheSameEverywhere) {
  for (const std::size_t tokens : std::initializer_list<std::size_t>{1, 2, 5, 14, 15, 16, 17, 31, 33, 50, 77}) {
    for (const AttentionShape shape : {AttentionShape{3, 32}, AttentionShape{2, 64, true}, AttentionShape{2, 16, false, true}}) {
      SCOPED_TRACE(testing::Message() << tokens << " tokens, " << shape.heads << " heads of " << shape.head_width);
      const std::size_t hidden = shape.heads * shape.head_width;
      const std::size_t rows = shape.first_row_only ? 1 : tokens;
      const auto qkv = random_floats(tokens * 3 * hidden, 16);
      const std::size_t workspace_floats = attention_workspace_floats(tokens, shape);
      const AlignedBuffer workspace(workspace_floats * sizeof(float));
      const auto run = [&] {
        std::vector<float> context(rows * hidden);
        attention({qkv.data(), tokens, 3 * hidden, 3 * hidden}, shape, {context.data(), rows, hidden, hidden},
                  {workspace.as<float>(), workspace_floats});
        return context;
      };
      test::expect_same_bits_on_every_isa(run);
      const auto got = run();
      const auto expected = exact_attention(qkv, tokens, shape);
      for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-5);
    }
  }
}

TEST(KernelsAttention, TheFirstRowAloneHasTheBitsOfTheWhole) {
  const std::size_t tokens = 37;
  AttentionShape shape{4, 32};
  const auto qkv = random_floats(tokens * 384, 17);
  const std::size_t workspace_floats = attention_workspace_floats(tokens, shape);
  const AlignedBuffer workspace(workspace_floats * sizeof(float));
  const std::span<float> space{workspace.as<float>(), workspace_floats};
  std::vector<float> whole(tokens * 128);
  attention({qkv.data(), tokens, 384, 384}, shape, {whole.data(), tokens, 128, 128}, space);
  shape.first_row_only = true;
  std::vector<float> first(128);
  attention({qkv.data(), tokens, 384, 384}, shape, {first.data(), 1, 128, 128}, space);
  EXPECT_EQ(std::memcmp(first.data(), whole.data(), 128 * sizeof(float)), 0);
  std::vector<float> apart(128);
  attention({qkv.data(), 1, 128, 384}, {qkv.data() + 128, tokens, 256, 384}, shape, {apart.data(), 1, 128, 128}, space);
  EXPECT_TRUE(test::same_bits(first, apart));
}

}  // namespace
}  // namespace scalestyle::nn::kernels
