#include "retrieval/quantized_vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <string>

#include "core/files.hpp"
#include "retrieval/vector_samples.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::retrieval {
namespace {

constexpr std::size_t kDimension = 100;

ExactVectors view(const std::vector<float>& values, std::size_t dimension) {
  return {values.size() / dimension, dimension, values};
}

TEST(QuantizedVectors, ErrorAndNormBoundsHold) {
  SampleCollection sample(clustered_vectors(500, kDimension, 1), kDimension);
  const QuantizedVectors& vectors = sample.quantized;
  ASSERT_EQ(vectors.stride, 128U);
  for (std::size_t row = 0; row < vectors.rows; ++row) {
    double error = 0;
    double norm = 0;
    for (std::size_t j = 0; j < kDimension; ++j) {
      const double kept = static_cast<double>(vectors.scales[row]) * vectors.row(row)[j];
      const double common = static_cast<double>(vectors.projections[row]) * static_cast<double>(vectors.mean[j]);
      const double value = static_cast<double>(sample.exact.row(row)[j]) - common;
      error += (value - kept) * (value - kept);
      norm += kept * kept;
    }
    EXPECT_GE(static_cast<double>(vectors.errors[row]), std::sqrt(error));
    EXPECT_GE(static_cast<double>(vectors.norms[row]), std::sqrt(norm));
    EXPECT_LT(static_cast<double>(vectors.errors[row]), 0.01 * std::sqrt(norm) + 1e-6);
  }
}

TEST(QuantizedVectors, TakingTheMeanOutMakesTheErrorSmaller) {
  SampleCollection sample(clustered_vectors(500, kDimension, 1), kDimension);
  double with_mean = 0;
  double without = 0;
  for (std::size_t row = 0; row < sample.exact.rows; ++row) {
    float largest = 0;
    for (const float value : sample.exact.row(row)) largest = std::max(largest, std::abs(value));
    without += static_cast<double>(largest) / 127.0;
    with_mean += static_cast<double>(sample.quantized.scales[row]);
  }
  EXPECT_LT(with_mean, 0.8 * without);
}

TEST(QuantizedVectors, SameRowsGiveTheSameBytes) {
  const std::vector<float> values = clustered_vectors(200, kDimension, 2);
  EXPECT_EQ(encode_quantized_vectors(view(values, kDimension)).value(),
            encode_quantized_vectors(view(values, kDimension)).value());
}

TEST(QuantizedVectors, FilesReadBackAsWritten) {
  support::TemporaryFolder folder;
  const std::vector<float> values = clustered_vectors(77, kDimension, 3);
  ASSERT_TRUE(write_exact_vectors(folder.path() / "vectors.f32", view(values, kDimension)));
  ASSERT_TRUE(write_quantized_vectors(folder.path() / "vectors.i8", view(values, kDimension)));
  const auto exact_file = core::MappedFile::open(folder.path() / "vectors.f32").value();
  const auto exact = open_exact_vectors(exact_file.bytes(), "vectors.f32", VectorCheck::kFull).value();
  EXPECT_EQ(std::vector<float>(exact.values.begin(), exact.values.end()), values);
  const auto quantized_file = core::MappedFile::open(folder.path() / "vectors.i8").value();
  const auto quantized = open_quantized_vectors(quantized_file.bytes(), "vectors.i8", VectorCheck::kFull).value();
  EXPECT_EQ(quantized.rows, 77U);
  EXPECT_EQ(quantized.dimension, kDimension);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(quantized.codes.data()) % kCodeAlignmentBytes, 0U);
}

TEST(QuantizedVectors, AValueThatIsNotFiniteIsNamed) {
  std::vector<float> values = clustered_vectors(10, kDimension, 4);
  values[3 * kDimension + 7] = std::numeric_limits<float>::quiet_NaN();
  const auto result = encode_quantized_vectors(view(values, kDimension));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "vector of row 3 has the value nan at position 7");
  EXPECT_FALSE(encode_exact_vectors(view(values, kDimension)));
  EXPECT_FALSE(encode_exact_vectors({2, kDimension, values}));
}

TEST(QuantizedVectors, EmptyCollectionsOpen) {
  for (const bool quantized : {false, true}) {
    const ExactVectors none{0, 384, {}};
    const auto bytes = quantized ? encode_quantized_vectors(none).value() : encode_exact_vectors(none).value();
    if (quantized) {
      EXPECT_EQ(open_quantized_vectors(bytes, "x", VectorCheck::kFull).value().rows, 0U);
    } else {
      EXPECT_EQ(open_exact_vectors(bytes, "x", VectorCheck::kFull).value().rows, 0U);
    }
  }
}

// Every damage of either file is told, whatever is asked to be checked: nothing outside the bytes is read.
class DamagedVectors : public testing::TestWithParam<bool> {
 protected:
  static std::vector<std::byte> make() {
    const std::vector<float> values = clustered_vectors(20, kDimension, 5);
    return GetParam() ? encode_quantized_vectors(view(values, kDimension)).value()
                      : encode_exact_vectors(view(values, kDimension)).value();
  }
  static std::string error_of(const std::vector<std::byte>& bytes, VectorCheck check) {
    if (GetParam()) {
      const auto opened = open_quantized_vectors(bytes, "bad.i8", check);
      return opened ? "" : opened.error().message;
    }
    const auto opened = open_exact_vectors(bytes, "bad.f32", check);
    return opened ? "" : opened.error().message;
  }
};

TEST_P(DamagedVectors, EveryTruncationIsToldWithTheFilesName) {
  const std::vector<std::byte> whole = make();
  for (std::size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 97) {
    const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THAT(error_of(part, VectorCheck::kHeader), testing::StartsWith("bad.")) << size;
  }
  std::vector<std::byte> longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(error_of(longer, VectorCheck::kHeader).empty());
}

TEST_P(DamagedVectors, EveryFlippedBitIsTold) {
  const std::vector<std::byte> whole = make();
  std::mt19937 random(9);
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<std::byte> bytes = whole;
    const std::size_t position = trial < 512 ? static_cast<std::size_t>(trial) / 8 : random() % bytes.size();
    bytes[position] ^= std::byte{1} << static_cast<int>(random() % 8);
    EXPECT_FALSE(error_of(bytes, VectorCheck::kFull).empty()) << position;
    static_cast<void>(error_of(bytes, VectorCheck::kHeader));  // must not touch what is not there
  }
}

TEST_P(DamagedVectors, ForgedCountsAreCheckedAgainstTheSize) {
  std::vector<std::byte> bytes = make();
  for (const std::uint64_t rows : {std::uint64_t{21}, std::uint64_t{1} << 33, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    std::memcpy(bytes.data() + 16, &rows, sizeof rows);
    EXPECT_FALSE(error_of(bytes, VectorCheck::kHeader).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(BothForms, DamagedVectors, testing::Bool());

}  // namespace
}  // namespace scalestyle::retrieval
