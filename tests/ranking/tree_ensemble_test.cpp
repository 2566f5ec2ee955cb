#include "ranking/tree_ensemble.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <thread>

namespace scalestyle::ranking {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

using Trees = std::vector<std::vector<TreeNode>>;

TreeNode split(std::uint16_t feature, float threshold, std::uint32_t left, bool missing_left = false) {
  return {.value = threshold, .left = left, .feature = feature, .missing_left = missing_left};
}
TreeNode leaf(float value) { return {.value = value}; }

// Feature 0 below 2 ? 1 : (feature 1 below 0.5, or missing ? 10 : 100); and feature 1 below 0 ? 1000 : 2000.
Trees two_trees() {
  return {{split(0, 2, 1), leaf(1), split(1, 0.5, 3, true), leaf(10), leaf(100)}, {split(1, 0, 1), leaf(1000), leaf(2000)}};
}

TreeEnsemble made(const Trees& trees, std::size_t features, float base = 0) {
  auto ensemble = TreeEnsemble::make(trees, features, base);
  EXPECT_TRUE(ensemble.has_value()) << ensemble.error().message;
  return std::move(ensemble).value_or(TreeEnsemble());
}

std::string refusal(const Trees& trees, std::size_t features = 2) {
  const auto ensemble = TreeEnsemble::make(trees, features, 0);
  if (ensemble) return "accepted";
  EXPECT_EQ(ensemble.error().code, core::ErrorCode::kInvalidArgument);
  return ensemble.error().message;
}

// The definition in the header, read literally.
float plain_sum(const Trees& trees, std::span<const float> row, float base) {
  float sum = base;
  for (const auto& nodes : trees) {
    std::size_t at = 0;
    while (nodes[at].left != 0) {
      const float value = row[nodes[at].feature];
      const bool left = std::isnan(value) ? nodes[at].missing_left : value < nodes[at].value;
      at = nodes[at].left + (left ? 0U : 1U);
    }
    sum += nodes[at].value;
  }
  return sum;
}

Trees random_trees(std::mt19937& random, std::size_t count, std::size_t features) {
  Trees trees(count);
  std::uniform_real_distribution<float> values(-1, 1);
  for (auto& nodes : trees) {
    nodes.push_back(leaf(values(random)));
    const std::size_t splits = random() % 20;
    for (std::size_t i = 0; i < nodes.size() && i < splits; ++i) {
      if (random() % 4 == 0) continue;
      nodes[i] = split(static_cast<std::uint16_t>(random() % features), values(random), static_cast<std::uint32_t>(nodes.size()),
                       random() % 2 == 0);
      nodes.push_back(leaf(values(random)));
      nodes.push_back(leaf(values(random)));
    }
  }
  return trees;
}

std::vector<float> random_rows(std::mt19937& random, std::size_t count, std::size_t features) {
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<float> rows(count * features);
  for (float& value : rows) value = random() % 5 == 0 ? kMissing : values(random);
  return rows;
}

TEST(TreeEnsembleTest, WalksEachTreeByThresholdAndMissingValues) {
  const TreeEnsemble trees = made(two_trees(), 2, 0.25F);
  const std::vector<float> rows{1, -1, 2, 0.25F, 2, 0.5F, kMissing, 7, 3, kMissing};
  EXPECT_THAT(trees.sums(rows), ElementsAre(1001.25F, 2010.25F, 2100.25F, 2100.25F, 2010.25F));
  EXPECT_THAT(trees.sums({}), ElementsAre());
  EXPECT_THAT(made({}, 2, 0.5F).sums(std::vector<float>(4)), ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(made({{leaf(3)}}, 1).sums(std::vector<float>{kMissing}), ElementsAre(3));
  EXPECT_TRUE(TreeEnsemble().sums({}).empty());
}

TEST(TreeEnsembleTest, EqualsTheDefinitionBitForBitInAnyOrderAndCompany) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    constexpr std::size_t kFeatures = 5;
    const Trees nodes = random_trees(random, 30, kFeatures);
    const TreeEnsemble trees = made(nodes, kFeatures, 0.5F);
    const std::size_t count = 1 + random() % 40;
    const auto rows = random_rows(random, count, kFeatures);
    const auto sums = trees.sums(rows);
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = std::span(rows).subspan(i * kFeatures, kFeatures);
      EXPECT_EQ(sums[i], plain_sum(nodes, row, 0.5F));
      EXPECT_EQ(sums[i], trees.sums(row).front());  // alone
    }
  }
}

TEST(TreeEnsembleTest, ThreadsAgree) {
  std::mt19937 random(8);
  const TreeEnsemble trees = made(random_trees(random, 50, 4), 4);
  const auto rows = random_rows(random, 300, 4);
  const auto expected = trees.sums(rows);
  std::vector<std::vector<float>> found(4);
  std::vector<std::thread> threads;
  for (auto& one : found) threads.emplace_back([&one, &trees, &rows] { one = trees.sums(rows); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& one : found) EXPECT_EQ(one, expected);
}

TEST(TreeEnsembleTest, RefusesTreesThatAreNone) {
  EXPECT_THAT(refusal({{}}), HasSubstr("tree 0 has 0 nodes"));
  EXPECT_THAT(refusal({{leaf(1)}, {split(0, 1, 1), leaf(1)}}), HasSubstr("tree 1, node 0: child 1 is no later node"));
  EXPECT_THAT(refusal({{split(0, 1, 1), leaf(1), split(0, 1, 1)}}), HasSubstr("child 1 is no later node"));
  EXPECT_THAT(refusal({{split(0, 1, 1), split(0, 1, 2), leaf(1), leaf(1)}}), HasSubstr("node 2 has another parent"));
  EXPECT_THAT(refusal({{leaf(1), leaf(2)}}), HasSubstr("tree 0, node 1: nothing leads to it"));
  EXPECT_THAT(refusal({{split(2, 1, 1), leaf(1), leaf(1)}}), HasSubstr("feature 2 of 2"));
  EXPECT_THAT(refusal({{leaf(kMissing)}}), HasSubstr("not finite"));
  EXPECT_THAT(refusal({{leaf(1)}}, 0), HasSubstr("0 features"));
  EXPECT_THAT(refusal(Trees(kMaxTrees + 1, {leaf(1)})), HasSubstr("trees are more"));
  std::vector<TreeNode> chain;
  for (std::uint32_t i = 0; i <= kMaxTreeDepth; ++i) {
    chain.push_back(split(0, 0, 2 * i + 1));
    chain.push_back(leaf(1));
  }
  chain.push_back(leaf(1));
  EXPECT_THAT(refusal({chain}, 1), HasSubstr("is 17 deep"));
}

TEST(TreeEnsembleTest, BytesGiveTheSameTreesAndNoDamagedOnes) {
  std::mt19937 random(9);
  const Trees nodes = random_trees(random, 6, 3);
  const TreeEnsemble trees = made(nodes, 3, -1.5F);
  const std::string bytes = trees.encode();
  const auto again = TreeEnsemble::parse(bytes);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->encode(), bytes);
  EXPECT_EQ(again->base(), -1.5F);
  for (std::size_t i = 0; i < nodes.size(); ++i) EXPECT_EQ(again->tree(i), nodes[i]);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = TreeEnsemble::parse(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(cut.has_value()) << size;
    EXPECT_EQ(cut.error().code, core::ErrorCode::kDataLoss);
  }
  EXPECT_FALSE(TreeEnsemble::parse(bytes + 'x').has_value());
}

TEST(TreeEnsembleTest, ScoresRiseWithSumsWithinZeroAndOne) {
  const TreeEnsemble trees = made({{split(0, 0, 1), leaf(-2000), split(0, 1, 3), leaf(0), leaf(2)}}, 1);
  const auto scores = rank_candidates(trees, std::vector<float>{-1, 0, 1});
  EXPECT_GT(scores[0], 0);
  EXPECT_LT(scores[0], scores[1]);
  EXPECT_DOUBLE_EQ(scores[1], 0.5);
  EXPECT_DOUBLE_EQ(scores[2], 1 / (1 + std::exp(-2.0)));
}

}  // namespace
}  // namespace scalestyle::ranking
