// The outlier loops of int8: every variant against the scalar one, and both against what they are meant to compute.
#include "nn/outliers.hpp"

#include <gtest/gtest.h>

#include <cmath>
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

TEST(Outliers, RowShapeAndSearchAtAwkwardSizes) {
  for (const std::size_t columns : {1U, 7U, 15U, 16U, 17U, 63U, 64U, 65U, 100U, 384U, 1536U, 1537U}) {
    std::vector<float> row = normal_values(columns, static_cast<unsigned>(columns));
    row[columns / 2] = -30.0F;
    row[columns - 1] = 20.0F;
    double squares = 0;
    for (const float value : row) squares += static_cast<double>(value) * static_cast<double>(value);
    const RowShape expected = outlier_kernels_scalar().row_shape(row.data(), columns);
    EXPECT_EQ(expected.largest, columns == 1 ? 20.0F : 30.0F);
    EXPECT_NEAR(static_cast<double>(expected.sum_of_squares), squares, 1e-5 * squares);
    std::vector<std::uint32_t> columns_above;
    for (std::uint32_t column = 0; column < columns; ++column) {
      if (std::fabs(row[column]) > 2.0F) columns_above.push_back(column);
    }
    for (const auto& [name, loops] : variants()) {
      const RowShape shape = loops.row_shape(row.data(), columns);
      EXPECT_EQ(shape.largest, expected.largest) << name << ' ' << columns;
      EXPECT_EQ(shape.sum_of_squares, expected.sum_of_squares) << name << ' ' << columns;
      std::vector<std::uint32_t> found(columns);
      found.resize(loops.find_above(row.data(), columns, 2.0F, found.data()));
      EXPECT_EQ(found, columns_above) << name << ' ' << columns;
    }
  }
}

// A row that is one large value is all outlier: the product is that weight column to 15 bits, on every instruction set.
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
      LinearInt8::prepare(values, buffers);
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

}  // namespace
}  // namespace scalestyle::nn
