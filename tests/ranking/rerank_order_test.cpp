#include "ranking/rerank_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

namespace scalestyle::ranking {
namespace {

using catalog::RowIndex;
using Places = std::vector<std::uint32_t>;

struct Sample {
  std::vector<RowIndex> rows;
  std::vector<double> scores;
  std::vector<std::uint32_t> products;
  std::size_t pinned = 0;

  [[nodiscard]] ListToRerank list() const { return {.rows = rows, .scores = scores, .products = products, .pinned = pinned}; }
};

// Row 100 + place, scores 1, 0.9, 0.8 …
Sample of_products(std::vector<std::uint32_t> products) {
  Sample sample;
  for (std::uint32_t i = 0; i < products.size(); ++i) {
    sample.rows.push_back(RowIndex{100 + i});
    sample.scores.push_back(1 - 0.1 * i);
  }
  sample.products = std::move(products);
  return sample;
}

JudgedRow judged(std::uint32_t row, float logit) { return {RowIndex{row}, logit, 1 / (1 + std::exp(-logit))}; }

TEST(RerankSequence, TakesTheBestRowOfEachProductFirst) {
  const Sample sample = of_products({7, 7, 3, 7, 5, 3});
  EXPECT_EQ(rerank_sequence(sample.list(), 10), (Places{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(rerank_sequence(sample.list(), 2), (Places{0, 2}));
  EXPECT_EQ(rerank_sequence(sample.list(), 4), (Places{0, 2, 4, 1}));
  EXPECT_TRUE(rerank_sequence(sample.list(), 0).empty());
  Sample pinned = sample;
  pinned.pinned = 2;
  EXPECT_EQ(rerank_sequence(pinned.list(), 10), (Places{2, 3, 4, 5}));
  EXPECT_TRUE(rerank_sequence(ListToRerank{}, 5).empty());
}

TEST(RerankOrder, WithoutJudgementsTheListStays) {
  const Sample sample = of_products({1, 2, 3});
  const auto order = rerank_order(sample.list(), {});
  EXPECT_EQ(order.places, (Places{0, 1, 2}));
  EXPECT_EQ(order.scores, sample.scores);
  EXPECT_EQ(rerank_order(sample.list(), std::vector{judged(9, 3)}).places, (Places{0, 1, 2}));  // of no row of the list
}

TEST(RerankOrder, JudgedRowsByLogitThenTheRest) {
  const Sample sample = of_products({1, 2, 3, 4, 5});
  const std::vector judgements{judged(100, -2), judged(101, 3), judged(102, 1)};
  const auto order = rerank_order(sample.list(), judgements);
  EXPECT_EQ(order.places, (Places{1, 2, 0, 3, 4}));
  EXPECT_EQ(order.scores[0], static_cast<double>(judgements[1].score));
  EXPECT_EQ(order.scores[2], static_cast<double>(judgements[0].score));
  EXPECT_EQ(order.scores[3], order.scores[2]);  // the first that is not judged: as good as the least of the judged
  EXPECT_DOUBLE_EQ(order.scores[4], order.scores[2] * 0.6 / 0.7);
}

TEST(RerankOrder, LogitsDecideWhereCalibratedScoresAreEqual) {
  const Sample sample = of_products({1, 2, 3, 4});
  const std::vector judgements{judged(100, 40), judged(101, 60), judged(102, 50), judged(103, 60)};
  const auto order = rerank_order(sample.list(), judgements);
  EXPECT_EQ(order.scores, (std::vector<double>{1, 1, 1, 1}));
  EXPECT_EQ(order.places, (Places{1, 3, 2, 0}));
}

TEST(RerankOrder, ASiblingFollowsTheJudgementOfItsProduct) {
  const Sample sample = of_products({1, 2, 1, 3, 2});
  const std::vector judgements{judged(100, -1), judged(101, 2)};
  const auto order = rerank_order(sample.list(), judgements);
  // 101 (its product is judged best), its sibling 104 by 0.6 / 0.9, 100 and its sibling 102, then 103.
  EXPECT_EQ(order.places, (Places{1, 4, 0, 2, 3}));
  EXPECT_DOUBLE_EQ(order.scores[1], order.scores[0] * 0.6 / 0.9);
  EXPECT_DOUBLE_EQ(order.scores[3], order.scores[2] * 0.8);
  EXPECT_DOUBLE_EQ(order.scores[4], order.scores[3]);
}

TEST(RerankOrder, PinnedRowsStay) {
  Sample sample = of_products({1, 2, 3, 4});
  sample.scores = {1, 1, 0.5, 0.4};
  sample.pinned = 2;
  const std::vector judgements{judged(100, -5), judged(103, 2), judged(102, 1)};
  const auto order = rerank_order(sample.list(), judgements);
  EXPECT_EQ(order.places, (Places{0, 1, 3, 2}));
  EXPECT_EQ(order.scores[0], 1);
  EXPECT_EQ(order.scores[1], 1);
}

// Whatever is judged: a permutation, scores in (0, 1] that never rise; judging more keeps what was decided.
TEST(RerankOrder, AnyDepthIsATotalOrderThatDeeperOnesRefine) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    Sample sample;
    const std::uint32_t size = 1 + static_cast<std::uint32_t>(random() % 40);
    double score = 1;
    for (std::uint32_t i = 0; i < size; ++i) {
      sample.rows.push_back(RowIndex{i * 3 + 1});
      sample.scores.push_back(score);
      sample.products.push_back(static_cast<std::uint32_t>(random() % 12));
      if (random() % 3 != 0) score *= 0.9;
    }
    sample.pinned = random() % 5 == 0 ? std::min<std::size_t>(size, random() % 3) : 0;
    for (std::size_t i = 0; i < sample.pinned; ++i) sample.scores[i] = 1;
    const auto sequence = rerank_sequence(sample.list(), size);
    ASSERT_EQ(sequence.size(), size - sample.pinned);
    std::vector<JudgedRow> judgements;
    for (const std::uint32_t place : sequence) {
      judgements.push_back(judged(sample.rows[place].value, static_cast<float>(static_cast<int>(random() % 60) - 20)));
    }
    for (std::size_t depth = 0; depth <= judgements.size(); ++depth) {
      const auto known = std::span(judgements).first(depth);
      const auto order = rerank_order(sample.list(), known);
      ASSERT_EQ(std::set<std::uint32_t>(order.places.begin(), order.places.end()).size(), size);
      EXPECT_TRUE(std::ranges::is_sorted(order.scores, std::greater<>()));
      EXPECT_GT(order.scores.back(), 0);
      EXPECT_LE(order.scores.front(), 1);
      for (std::uint32_t i = 0; i < sample.pinned; ++i) EXPECT_EQ(order.places[i], i);
      std::vector<float> logits;  // of the judged rows, as they stand in the list
      for (const std::uint32_t place : order.places) {
        const auto found = std::ranges::find(known, sample.rows[place], &JudgedRow::row);
        if (found != known.end()) logits.push_back(found->logit);
      }
      EXPECT_TRUE(std::ranges::is_sorted(logits, std::greater<>()));
    }
  }
}

}  // namespace
}  // namespace scalestyle::ranking
