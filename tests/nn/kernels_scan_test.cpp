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

// 16 rows a tile, 64 a block of tiles: below, at and above, together and chosen, at an address that is not aligned.
TEST(KernelsScan, RowCountsAroundTilesAreExact) {
  constexpr std::size_t kDimension = 192;
  constexpr std::size_t kRows = 131;
  const auto bytes = random_bytes(kRows * kDimension + 3, 9);
  const std::int8_t* vectors = bytes.data() + 3;
  std::vector<std::uint32_t> rows(kRows);
  for (std::size_t i = 0; i < kRows; ++i) rows[i] = static_cast<std::uint32_t>(i * 37 % kRows);
  for (std::size_t queries = 1; queries <= kMaxScanQueries; ++queries) {
    const auto values = random_bytes(queries * kDimension, 10);
    const auto prepared = ScanQueries::prepare(values, kDimension);
    ASSERT_TRUE(prepared);
    for (const std::size_t count : std::initializer_list<std::size_t>{1, 15, 16, 17, 31, 63, 64, 65, 80, 127, 128, 131}) {
      const std::size_t stride = count + 1;
      for (const Isa isa : supported_isas()) {
        const test::WithIsa forced(isa);
        std::vector<std::int32_t> whole(queries * stride, -1);
        std::vector<std::int32_t> chosen(queries * stride, -1);
        dot_int8(*prepared, vectors, count, whole.data(), stride);
        dot_int8_rows(*prepared, vectors, std::span(rows).first(count), chosen.data(), stride);
        for (std::size_t q = 0; q < queries; ++q) {
          for (std::size_t i = 0; i < count; ++i) {
            const std::int8_t* query = values.data() + q * kDimension;
            ASSERT_EQ(whole[q * stride + i], exact_dot(query, vectors + i * kDimension, kDimension))
                << to_string(isa) << ", " << count << " rows, query " << q << ", row " << i;
            ASSERT_EQ(chosen[q * stride + i], exact_dot(query, vectors + rows[i] * kDimension, kDimension))
                << to_string(isa) << ", " << count << " chosen rows, query " << q << ", row " << i;
          }
          ASSERT_EQ(whole[q * stride + count], -1);
          ASSERT_EQ(chosen[q * stride + count], -1);
        }
      }
    }
  }
}

TEST(KernelsScan, IntervalsAreTheSameEverywhere) {
  const auto figures = test::random_floats(4 * kIntervalRows, 11);
  std::vector<std::int32_t> dots(2 * kIntervalRows);
  for (std::size_t i = 0; i < dots.size(); ++i) dots[i] = static_cast<std::int32_t>(i * 7919 % 20011) - 10000;
  const IntervalQuery query{{0.01F, 0.0001F}, 0.3F, 0.2F, 0.1F, 1e-4F};
  for (const std::size_t planes : std::initializer_list<std::size_t>{1, 2}) {
    for (const std::size_t count : std::initializer_list<std::size_t>{1, 15, 16, 17, 47, 48, 63, 64}) {
      // Copies of the exact size, so that a read past the end is seen.
      std::vector<std::vector<float>> columns;
      for (std::size_t c = 0; c < 4; ++c) {
        const auto first = figures.begin() + static_cast<std::ptrdiff_t>(c * kIntervalRows);
        columns.emplace_back(first, first + static_cast<std::ptrdiff_t>(count));
      }
      const IntervalRows rows{columns[0].data(), columns[1].data(), columns[2].data(), columns[3].data(),
                              {dots.data(), planes == 2 ? dots.data() + kIntervalRows : nullptr}, count};
      const float threshold = 0.25F;
      for (const Isa isa : supported_isas()) {
        const test::WithIsa forced(isa);
        Intervals out{};
        const std::uint64_t reaching = score_intervals(query, rows, threshold, out);
        for (std::size_t i = 0; i < count; ++i) {
          float product = query.scales[0] * static_cast<float>(dots[i]);
          if (planes == 2) product = product + query.scales[1] * static_cast<float>(dots[kIntervalRows + i]);
          ASSERT_EQ(out.estimates[i], query.common * columns[3][i] + columns[0][i] * product) << to_string(isa);
          ASSERT_EQ(out.bounds[i], query.norm * columns[1][i] + query.loss * columns[2][i] + query.slack);
          ASSERT_EQ(reaching >> i & 1U, std::uint64_t{out.estimates[i] + out.bounds[i] >= threshold});
        }
        if (count < kIntervalRows) {
          EXPECT_EQ(reaching >> count, 0U) << to_string(isa);
        }
      }
    }
  }
}

TEST(KernelsScan, ExtremeBytesDoNotSaturate) {
  constexpr std::size_t kDimension = 512;
  for (const std::size_t queries : std::initializer_list<std::size_t>{1, 4}) {
    const std::vector<std::int8_t> lowest(20 * kDimension, std::int8_t{-128});
    const auto prepared = ScanQueries::prepare(std::span(lowest).first(queries * kDimension), kDimension);
    ASSERT_TRUE(prepared);
    for (const Isa isa : supported_isas()) {
      const test::WithIsa forced(isa);
      std::vector<std::int32_t> out(queries * 20);
      dot_int8(*prepared, lowest.data(), 20, out.data(), 20);
      for (const std::int32_t value : out) EXPECT_EQ(value, 512 * 128 * 128) << to_string(isa);
    }
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
