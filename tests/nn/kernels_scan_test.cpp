#include "nn/kernels/scan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "nn/kernels_support.hpp"

namespace scalestyle::nn::kernels {
namespace {

std::vector<std::int8_t> random_bytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int> any(-128, 127);
  std::vector<std::int8_t> values(count);
  for (auto& value : values) value = static_cast<std::int8_t>(any(engine));
  return values;
}

std::int32_t exact_dot(const std::int8_t* a, const std::int8_t* b, std::size_t dimension) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dimension; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

TEST(KernelsScan, EveryInstructionSetIsExact) {
  for (const std::size_t dimension : std::initializer_list<std::size_t>{64, 192, 384, 1024}) {
    const auto vectors = random_bytes(23 * dimension, 1);
    for (std::size_t queries = 1; queries <= kMaxScanQueries; ++queries) {
      const auto rows = random_bytes(queries * dimension, 2);
      const auto prepared = ScanQueries::prepare(rows, dimension);
      ASSERT_TRUE(prepared);
      for (const std::size_t count : std::initializer_list<std::size_t>{1, 2, 3, 4, 5, 16, 17, 23}) {
        for (const Isa isa : supported_isas()) {
          const test::WithIsa forced(isa);
          std::vector<std::int32_t> out(queries * 25, -1);
          dot_int8(*prepared, vectors.data(), count, out.data(), 25);
          for (std::size_t q = 0; q < queries; ++q) {
            for (std::size_t i = 0; i < 25; ++i) {
              const std::int32_t expected =
                  i < count ? exact_dot(&rows[q * dimension], &vectors[i * dimension], dimension) : -1;
              ASSERT_EQ(out[q * 25 + i], expected) << to_string(isa) << ' ' << q << ' ' << i;
            }
          }
        }
      }
    }
  }
}

TEST(KernelsScan, ExtremeBytesDoNotSaturate) {
  const std::vector<std::int8_t> lowest(512, std::int8_t{-128});
  const auto prepared = ScanQueries::prepare(lowest, 512);
  ASSERT_TRUE(prepared);
  for (const Isa isa : supported_isas()) {
    const test::WithIsa forced(isa);
    std::int32_t out = 0;
    dot_int8(*prepared, lowest.data(), 1, &out, 1);
    EXPECT_EQ(out, 512 * 128 * 128) << to_string(isa);
  }
}

TEST(KernelsScan, ChosenRowsEqualTheWholeScan) {
  const auto vectors = random_bytes(40 * 128, 3);
  const auto queries = random_bytes(3 * 128, 4);
  const auto prepared = ScanQueries::prepare(queries, 128);
  const std::vector<std::uint32_t> rows = {39, 0, 7, 7, 12, 25, 1};
  for (const Isa isa : supported_isas()) {
    const test::WithIsa forced(isa);
    std::vector<std::int32_t> all(3 * 40);
    std::vector<std::int32_t> some(3 * rows.size());
    dot_int8(*prepared, vectors.data(), 40, all.data(), 40);
    dot_int8_rows(*prepared, vectors.data(), rows, some.data(), rows.size());
    dot_int8_rows(*prepared, vectors.data(), {}, nullptr, 0);
    for (std::size_t q = 0; q < 3; ++q) {
      for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(some[q * rows.size() + i], all[q * 40 + rows[i]]);
    }
  }
}

TEST(KernelsScan, F32DotsHaveTheSameBitsEverywhere) {
  for (const std::size_t dimension : std::initializer_list<std::size_t>{1, 15, 16, 63, 64, 100, 384, 777}) {
    const auto a = test::random_floats(dimension, 5);
    const auto table = test::random_floats(6 * dimension, 6);
    const std::vector<std::uint32_t> rows = {5, 0, 3};
    const auto run = [&] {
      std::vector<float> out(4);
      out[3] = dot_f32(a.data(), table.data() + 5 * dimension, dimension);
      dot_f32_rows(a, table.data(), rows, out.data());
      return out;
    };
    test::expect_same_bits_on_every_isa(run);
    const auto got = run();
    EXPECT_EQ(got[0], got[3]);
    double expected = 0.0;
    for (std::size_t i = 0; i < dimension; ++i) expected += double{a[i]} * double{table[3 * dimension + i]};
    EXPECT_NEAR(got[2], expected, 1e-4);
  }
}

TEST(KernelsScan, SymmetricQuantisationIsBounded) {
  auto x = test::random_floats(384, 7);
  std::vector<std::int8_t> bytes(384);
  const float scale = quantize_symmetric(x, bytes.data());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(scale * static_cast<float>(bytes[i]), x[i], 0.501F * scale);
  x.assign(384, 0.0F);
  EXPECT_EQ(quantize_symmetric(x, bytes.data()), 1.0F);
  x[0] = std::numeric_limits<float>::quiet_NaN();
  x[1] = 2.0F;
  EXPECT_EQ(quantize_symmetric(x, bytes.data()), 2.0F / 127.0F);
  EXPECT_EQ(bytes[0], 0);
  EXPECT_EQ(bytes[1], 127);
}

TEST(KernelsScan, HostileQueriesAreRefused) {
  const auto bytes = random_bytes(17 * 64, 8);
  EXPECT_FALSE(ScanQueries::prepare(bytes, 64));    // 17 queries
  EXPECT_FALSE(ScanQueries::prepare(bytes, 0));
  EXPECT_FALSE(ScanQueries::prepare(bytes, 63));
  EXPECT_FALSE(ScanQueries::prepare({}, 64));
  EXPECT_FALSE(ScanQueries::prepare(std::span(bytes).first(100), 64));
  EXPECT_FALSE(ScanQueries::prepare(bytes, kMaxScanDimension + 64));
}

}  // namespace
}  // namespace scalestyle::nn::kernels
