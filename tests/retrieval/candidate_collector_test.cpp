#include "retrieval/candidate_collector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

namespace scalestyle::retrieval {
namespace {

TEST(CandidateCollector, KeepsEveryRowThatMayBeAmongTheBestAndLittleElse) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.0F, 0.1F);
  std::vector<ScanCandidate> all;
  for (std::uint32_t row = 0; row < 50'000; ++row) all.push_back({row, normal(random), 0.004F});
  CandidateCollector collector;
  for (const std::size_t k : {1U, 100U, 1000U}) {
    collector.begin(k, 1.0F);
    for (const ScanCandidate& candidate : all) {
      if (candidate.upper() >= collector.threshold()) collector.add(candidate);
    }
    std::vector<float> lower;
    for (const ScanCandidate& candidate : all) lower.push_back(candidate.lower());
    std::ranges::sort(lower, std::greater<>());
    const float kth = lower[k - 1];
    EXPECT_LE(collector.threshold(), kth);
    EXPECT_GT(collector.threshold(), kth - 2.1F / 2048.0F);
    std::vector<bool> kept(all.size(), false);
    for (const ScanCandidate& candidate : collector.candidates()) kept[candidate.row] = true;
    for (const ScanCandidate& candidate : all) {
      EXPECT_TRUE(kept[candidate.row] || candidate.upper() < kth) << candidate.row;
    }
    EXPECT_LT(collector.added(), 50 * k + 5000);
  }
}

TEST(CandidateCollector, KeepsAllWhenTheyTie) {
  CandidateCollector collector;
  collector.begin(10, 1.0F);
  for (std::uint32_t row = 0; row < 20'000; ++row) {
    const ScanCandidate candidate{row, 0.5F, 0.01F};
    ASSERT_GE(candidate.upper(), collector.threshold());
    collector.add(candidate);
  }
  EXPECT_EQ(collector.candidates().size(), 20'000U);
}

TEST(CandidateCollector, EstimatesOutsideTheRangeStayCorrect) {
  CandidateCollector collector;
  collector.begin(2, 0.1F);
  for (const float estimate : {5.0F, 4.0F, 3.0F, -7.0F}) {
    const ScanCandidate candidate{0, estimate, 0.0F};
    if (candidate.upper() >= collector.threshold()) collector.add(candidate);
  }
  EXPECT_LE(collector.threshold(), 4.0F);
  EXPECT_GE(collector.candidates().size(), 2U);
  EXPECT_FLOAT_EQ(collector.candidates()[0].estimate, 5.0F);
}

TEST(CandidateCollector, AnotherCollectorsProofOnlyRaisesTheThreshold) {
  CandidateCollector collector;
  collector.begin(5, 1.0F);
  collector.raise_to(0.5F);
  EXPECT_FLOAT_EQ(collector.threshold(), 0.5F);
  collector.raise_to(0.2F);
  EXPECT_FLOAT_EQ(collector.threshold(), 0.5F);
}

}  // namespace
}  // namespace scalestyle::retrieval
