#include "retrieval/vector_scan.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

#include "nn/kernels/isa.hpp"
#include "retrieval/vector_samples.hpp"

namespace scalestyle::retrieval {
namespace {

std::vector<VectorHit> to_vector(std::span<const VectorHit> hits) { return {hits.begin(), hits.end()}; }

void on_threads(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
}

TEST(VectorScan, EqualsBruteForceForEveryShapeFilterAndBatch) {
  for (const std::size_t dimension : {1U, 63U, 64U, 65U, 384U}) {
    for (const std::size_t rows : {1U, 63U, 64U, 65U, 1000U, 4100U}) {
      SampleCollection sample(clustered_vectors(rows, dimension, 3), dimension);
      const std::vector<float> vectors = clustered_vectors(17, dimension, 4);
      const auto few = random_bitmap(rows, 0.02, 5);
      const auto some = random_bitmap(rows, 0.12, 6);
      const auto most = random_bitmap(rows, 0.9, 7);
      const std::vector<std::uint64_t> none((rows + 63) / 64, 0);
      for (const std::size_t batch : {1U, 8U, 9U, 17U}) {
        std::vector<VectorQuery> queries;
        for (std::size_t i = 0; i < batch; ++i) {
          const std::vector<std::span<const std::uint64_t>> filters{{}, few, some, most, none};
          const std::vector<std::size_t> depths{1, 10, 100, 1000, 5000};
          queries.push_back({std::span(vectors).subspan(i * dimension, dimension),
                             filters[(i + batch) % filters.size()], depths[(i + rows) % depths.size()]});
        }
        VectorScanJob job;
        ASSERT_TRUE(job.begin(sample.quantized, sample.exact, queries, 1));
        job.run();
        for (std::size_t i = 0; i < batch; ++i) {
          ASSERT_EQ(to_vector(job.hits(i)), brute_force(sample.exact, queries[i]))
              << rows << " rows of " << dimension << ", batch " << batch << ", query " << i;
        }
      }
    }
  }
}

TEST(VectorScan, AnswerDoesNotDependOnPartsThreadsOrReuse) {
  constexpr std::size_t kRows = 20'000;
  SampleCollection sample(clustered_vectors(kRows, 128, 11), 128);
  const std::vector<float> vectors = clustered_vectors(5, 128, 12);
  const auto filter = random_bitmap(kRows, 0.12, 13);
  VectorScanJob job;
  for (const std::size_t parts : {1U, 2U, 3U, 64U}) {
    for (const std::size_t k : {1U, 100U, 1000U}) {
      std::vector<VectorQuery> queries;
      for (std::size_t i = 0; i < 5; ++i) {
        queries.push_back({std::span(vectors).subspan(i * 128, 128),
                           i % 2 == 0 ? std::span<const std::uint64_t>() : filter, k});
      }
      ASSERT_TRUE(job.begin(sample.quantized, sample.exact, queries, parts));
      job.run(on_threads);
      for (std::size_t i = 0; i < queries.size(); ++i) {
        ASSERT_EQ(to_vector(job.hits(i)), brute_force(sample.exact, queries[i])) << parts << " parts, k " << k;
      }
    }
  }
}

TEST(VectorScan, EveryInstructionSetGivesTheSameBits) {
  SampleCollection sample(clustered_vectors(3000, 384, 21), 384);
  const std::vector<float> vector = clustered_vectors(1, 384, 22);
  const std::vector<VectorQuery> queries{{vector, {}, 200}};
  std::vector<std::vector<VectorHit>> answers;
  for (const nn::kernels::Isa isa : nn::kernels::supported_isas()) {
    ASSERT_TRUE(nn::kernels::force_isa(nn::kernels::to_string(isa)));
    VectorScanJob job;
    ASSERT_TRUE(job.begin(sample.quantized, sample.exact, queries, 1));
    job.run();
    answers.push_back(to_vector(job.hits(0)));
  }
  ASSERT_TRUE(nn::kernels::force_isa("auto"));
  for (const auto& answer : answers) EXPECT_EQ(answer, answers.front());
}

TEST(VectorScan, TiesComeInRowOrder) {
  std::vector<float> values = clustered_vectors(10, 64, 31);
  std::vector<float> rows;
  for (int copy = 0; copy < 900; ++copy) rows.insert(rows.end(), values.begin(), values.end());
  SampleCollection sample(std::move(rows), 64);
  const std::vector<VectorQuery> queries{{std::span(values).subspan(3 * 64, 64), {}, 950}};
  VectorScanJob job;
  ASSERT_TRUE(job.begin(sample.quantized, sample.exact, queries, 2));
  job.run(on_threads);
  const auto hits = job.hits(0);
  ASSERT_EQ(hits.size(), 950U);
  for (std::size_t i = 0; i < 900; ++i) ASSERT_EQ(hits[i].row, i * 10 + 3);
  EXPECT_EQ(to_vector(hits), brute_force(sample.exact, queries[0]));
}

TEST(VectorScan, BadlyScaledCollectionsAndQueriesAreStillExact) {
  std::vector<float> values = clustered_vectors(2000, 96, 41);
  for (std::size_t row = 0; row < 2000; ++row) {  // outlying values make the int8 form as bad as it can be
    values[row * 96 + row % 96] += static_cast<float>(row % 7) * 30.0F;
    for (std::size_t j = 0; j < 96; ++j) values[row * 96 + j] *= static_cast<float>(1 + row % 5);
  }
  SampleCollection sample(std::move(values), 96);
  std::vector<float> spiked = clustered_vectors(1, 96, 42);
  spiked[5] = 1000.0F;
  const std::vector<float> zero(96, 0.0F);
  const std::vector<float> tiny(96, 1e-30F);
  for (const auto& vector : {spiked, zero, tiny}) {
    const std::vector<VectorQuery> queries{{vector, {}, 50}};
    VectorScanJob job;
    ASSERT_TRUE(job.begin(sample.quantized, sample.exact, queries, 1));
    job.run();
    EXPECT_EQ(to_vector(job.hits(0)), brute_force(sample.exact, queries[0]));
  }
}

TEST(VectorScan, RescoresFewRowsAndSkipsIneligibleOnes) {
  constexpr std::size_t kRows = 30'000;
  SampleCollection sample(clustered_vectors(kRows, 384, 51), 384);
  const std::vector<float> vector = clustered_vectors(1, 384, 52);
  const auto filter = random_bitmap(kRows, 0.1, 53);
  VectorScanJob job;
  const std::vector<VectorQuery> open{{vector, {}, 100}};
  ASSERT_TRUE(job.begin(sample.quantized, sample.exact, open, 1));
  job.run();
  EXPECT_EQ(job.work().rows_estimated, kRows);
  EXPECT_GE(job.work().rows_rescored, 100U);
  EXPECT_LT(job.work().rows_rescored, 400U);
  const std::vector<VectorQuery> filtered{{vector, filter, 100}};
  ASSERT_TRUE(job.begin(sample.quantized, sample.exact, filtered, 1));
  job.run();
  std::size_t eligible = 0;
  for (const std::uint64_t word : filter) eligible += static_cast<std::size_t>(std::popcount(word));
  EXPECT_EQ(job.work().rows_estimated, eligible);
}

TEST(VectorScan, EmptyCollectionHasNoHits) {
  SampleCollection sample({}, 8);
  const std::vector<float> vector(8, 0.5F);
  const std::vector<VectorQuery> queries{{vector, {}, 5}};
  VectorScanJob job;
  ASSERT_TRUE(job.begin(sample.quantized, sample.exact, queries, 3));
  job.run();
  EXPECT_TRUE(job.hits(0).empty());
}

TEST(VectorScan, WrongInputIsRefusedWithTheCause) {
  SampleCollection sample(clustered_vectors(100, 16, 61), 16);
  const std::vector<float> good(16, 0.25F);
  const std::vector<float> wide(17, 0.25F);
  std::vector<float> infinite = good;
  infinite[3] = std::numeric_limits<float>::infinity();
  std::vector<float> unknown = good;
  unknown[3] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::uint64_t> short_bitmap(1, 0);
  VectorScanJob job;
  const auto error_of = [&](const VectorQuery& query) {
    const auto status = job.begin(sample.quantized, sample.exact, std::span(&query, 1), 1);
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_EQ(error_of({good, {}, 10}), "accepted");
  EXPECT_EQ(error_of({wide, {}, 10}), "vector query 0: 17 values, the collection has dimension 16");
  EXPECT_EQ(error_of({good, {}, 0}), "vector query 0: k is 0");
  EXPECT_EQ(error_of({infinite, {}, 10}), "vector query 0: has the value inf");
  EXPECT_EQ(error_of({unknown, {}, 10}), "vector query 0: has the value nan");
  EXPECT_EQ(error_of({good, short_bitmap, 10}), "vector query 0: 1 bitmap words, 100 rows need 2");
  const std::vector<VectorQuery> many(kMaxBatchQueries + 1, VectorQuery{good, {}, 10});
  EXPECT_FALSE(job.begin(sample.quantized, sample.exact, many, 1));
  EXPECT_FALSE(job.begin(sample.quantized, sample.exact, {}, 1));
  const std::span<const VectorQuery> one(many.data(), 1);
  EXPECT_FALSE(job.begin(sample.quantized, sample.exact, one, 0));
  EXPECT_FALSE(job.begin(sample.quantized, sample.exact, one, kMaxScanParts + 1));
  ExactVectors other = sample.exact;
  other.rows = 99;
  EXPECT_FALSE(job.begin(sample.quantized, other, one, 1));
}

}  // namespace
}  // namespace scalestyle::retrieval
