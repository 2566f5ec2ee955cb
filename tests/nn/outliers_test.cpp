// The outlier loops of int8: every variant against the scalar one, and both against what they are meant to compute.
#include "nn/outliers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "nn/kernels/gemm.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/linear.hpp"

namespace scalestyle::nn {
namespace {

std::vector<std::pair<const char*, OutlierKernels>> variants() {
  std::vector<std::pair<const char*, OutlierKernels>> found{{"scalar", outlier_kernels_scalar()}};
#if defined(__x86_64__)
  if (kernels::supports(kernels::Isa::kAvx2)) found.emplace_back("avx2", outlier_kernels_avx2());
  if (kernels::supports(kernels::Isa::kAvx512)) found.emplace_back("avx512", outlier_kernels_avx512());
#endif
  return found;
}

std::vector<float> normal_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(Outliers, DeviationAndSearchAtAwkwardSizes) {
  for (const std::size_t columns : {1U, 7U, 15U, 16U, 17U, 63U, 64U, 65U, 100U, 384U, 1536U, 1537U}) {
    const std::vector<float> row = normal_values(columns, static_cast<unsigned>(columns));
    std::vector<std::uint8_t> bytes(columns);
    std::uint64_t expected = 0;
    constexpr std::int32_t kZeroPoint = 131;
    for (std::size_t column = 0; column < columns; ++column) {
      bytes[column] = static_cast<std::uint8_t>(column * 97 % 256);
      expected += static_cast<std::uint64_t>(std::abs(std::int32_t{bytes[column]} - kZeroPoint));
    }
    std::vector<std::uint32_t> columns_above;
    for (std::uint32_t column = 0; column < columns; ++column) {
      if (std::fabs(row[column]) > 1.5F) columns_above.push_back(column);
    }
    for (const auto& [name, loops] : variants()) {
      EXPECT_EQ(loops.deviation(bytes.data(), columns, kZeroPoint), expected) << name << ' ' << columns;
      std::vector<std::uint32_t> found(columns);
      found.resize(loops.find_above(row.data(), columns, 1.5F, found.data()));
      EXPECT_EQ(found, columns_above) << name << ' ' << columns;
    }
  }
}

// A row that is one large value is all outlier: the product is that weight column to 16 bits, on every instruction set.
TEST(Outliers, ProductsOfALargeValueAreFine) {
  for (const auto& [out_features, in_features] : {std::pair{1U, 33U}, {63U, 64U}, {65U, 100U}, {1536U, 384U}, {130U, 260U}}) {
    const LinearTensors tensors{.out = out_features,
                                .in = in_features,
                                .weight = normal_values(std::size_t{out_features} * in_features, 3),
                                .bias = normal_values(out_features, 4)};
    const auto linear = LinearInt8::pack(tensors);
    ASSERT_TRUE(linear.has_value()) << linear.error().message;
    std::vector<float> row(in_features, 0.0F);
    const std::size_t column = in_features - 2;
    row[column] = -1000.0F;
    const kernels::Matrix values{row.data(), 1, in_features, in_features};
    RowBuffers buffers;
    LinearInt8::reserve(buffers, 1, in_features);
    std::vector<float> first_result;
    for (const kernels::Isa isa : kernels::supported_isas()) {
      ASSERT_TRUE(kernels::force_isa(kernels::to_string(isa)).has_value());
      std::vector<float> out(out_features);
      LinearInt8::prepare(values, buffers, RowKind::kHidden);
      EXPECT_EQ(buffers.outliers.size(), 1U);
      EXPECT_EQ(row[column], -1000.0F);
      linear->apply(values, buffers, {}, {out.data(), 1, out_features, out_features});
      for (std::size_t feature = 0; feature < out_features; ++feature) {
        const float exact = -1000.0F * tensors.weight[feature * in_features + column] + tensors.bias[feature];
        EXPECT_NEAR(out[feature], exact, 0.1F) << "feature " << feature;  // coarse weights alone are off by up to 15
      }
      if (first_result.empty()) first_result = out;
      EXPECT_EQ(out, first_result) << kernels::to_string(isa);
    }
    ASSERT_TRUE(kernels::force_isa("auto").has_value());
  }
}

// Bytes 0 to 255 are quantised without error, so what is left is the weights' rounding.
TEST(LinearInt8, FineWeightsRemoveTheRoundingOfTheWeights) {
  LinearTensors tensors{.out = 64, .in = 256, .weight = normal_values(std::size_t{64} * 256, 5), .bias = normal_values(64, 6)};
  std::vector<float> row(256);
  for (std::size_t column = 0; column < row.size(); ++column) row[column] = static_cast<float>(column);
  const kernels::Matrix values{row.data(), 1, 256, 256};
  double error[2] = {};
  for (const bool fine : {false, true}) {
    tensors.fine = fine;
    const auto linear = LinearInt8::pack(tensors);
    ASSERT_TRUE(linear.has_value()) << linear.error().message;
    RowBuffers buffers;
    LinearInt8::reserve(buffers, 1, 256);
    LinearInt8::prepare(values, buffers, RowKind::kHidden);
    EXPECT_TRUE(buffers.outliers.empty());
    std::vector<float> out(64);
    linear->apply(values, buffers, {}, {out.data(), 1, 64, 64});
    for (std::size_t feature = 0; feature < out.size(); ++feature) {
      double exact = static_cast<double>(tensors.bias[feature]);
      for (std::size_t k = 0; k < row.size(); ++k) {
        exact += static_cast<double>(row[k]) * static_cast<double>(tensors.weight[feature * 256 + k]);
      }
      error[fine ? 1 : 0] += std::fabs(static_cast<double>(out[feature]) - exact);
    }
  }
  EXPECT_LT(error[1], error[0] / 50);
}

}  // namespace
}  // namespace scalestyle::nn
