#include "evaluation/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <vector>

namespace scalestyle::evaluation {
namespace {

catalog::ArticleId id(std::string_view text) { return catalog::ArticleId::parse(text).value(); }

std::vector<catalog::ArticleId> list(std::initializer_list<std::string_view> texts) {
  std::vector<catalog::ArticleId> result;
  for (const std::string_view text : texts) result.push_back(id(text));
  return result;
}

const Grades& grades() {
  static const Grades kGrades{{id("a"), 2}, {id("b"), 1}, {id("c"), 2}, {id("d"), 1}, {id("e"), 0}};
  return kGrades;
}

// Gains: grade 2 is 3, grade 1 is 1. Discounts of ranks 1 … 4: 1, 0.6309298, 0.5, 0.4306766.
// Ideal a c b d: 3 + 3·0.6309298 + 0.5 + 0.4306766 = 5.8234658.
TEST(Ndcg, EqualsTheValueComputedByHand) {
  // b x a: 1 + 0 + 3·0.5 = 2.5.
  EXPECT_NEAR(ndcg(list({"b", "x", "a"}), grades(), 10), 2.5 / 5.8234658, 1e-7);
  EXPECT_NEAR(ndcg(list({"a", "c", "b", "d"}), grades(), 10), 1.0, 1e-12);
  EXPECT_NEAR(ndcg(list({"c", "a", "d", "b", "e", "x"}), grades(), 10), 1.0, 1e-12);
  // Depth 2: ideal 3 + 3·0.6309298 = 4.8927893, reached 1.
  EXPECT_NEAR(ndcg(list({"b", "x", "a"}), grades(), 2), 1.0 / 4.8927893, 1e-7);
}

TEST(Ndcg, EdgesAreZeroNotNan) {
  EXPECT_EQ(ndcg({}, grades(), 10), 0.0);
  EXPECT_EQ(ndcg(list({"a"}), {}, 10), 0.0);
  EXPECT_EQ(ndcg(list({"e"}), {{id("e"), 0}}, 10), 0.0);
}

TEST(Ndcg, ARepeatedArticleGainsOnce) {
  EXPECT_NEAR(ndcg(list({"a", "a", "a", "a"}), grades(), 10), 3.0 / 5.8234658, 1e-7);
  EXPECT_EQ(recall(list({"a", "a", "a", "a"}), grades(), 10, 1), 0.25);
}

TEST(ReciprocalRank, TakesTheFirstOfTheGradeWithinTheDepth) {
  const auto ranked = list({"x", "b", "e", "c"});
  EXPECT_EQ(reciprocal_rank(ranked, grades(), 10, 2), 0.25);
  EXPECT_EQ(reciprocal_rank(ranked, grades(), 10, 1), 0.5);
  EXPECT_EQ(reciprocal_rank(ranked, grades(), 3, 2), 0.0);
  EXPECT_EQ(reciprocal_rank({}, grades(), 10, 1), 0.0);
}

TEST(Recall, CountsJudgedArticlesWithinTheDepth) {
  const auto ranked = list({"x", "b", "e", "c", "d"});
  EXPECT_EQ(recall(ranked, grades(), 100, 1), 0.75);
  EXPECT_EQ(recall(ranked, grades(), 2, 1), 0.25);
  EXPECT_EQ(recall(ranked, grades(), 100, 2), 0.5);
  EXPECT_EQ(recall(ranked, grades(), 100, 3), 0.0);
}

TEST(Bootstrap, HoldsTheMeanAndIsReproducible) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i % 2 == 0 ? 0.0 : 1.0);
  const Interval interval = bootstrap_mean(values, 20'000, 1);
  EXPECT_EQ(interval.mean, 0.5);
  // The standard error of a mean of 100 fair coins is 0.05; ± 1.96 of it.
  EXPECT_NEAR(interval.low, 0.402, 0.012);
  EXPECT_NEAR(interval.high, 0.598, 0.012);
  const Interval again = bootstrap_mean(values, 20'000, 1);
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
}

TEST(Bootstrap, OneValueOrNoneHasNoSpread) {
  const std::vector<double> one{0.3};
  EXPECT_EQ(bootstrap_mean(one, 1000, 1).low, 0.3);
  EXPECT_EQ(bootstrap_mean(one, 1000, 1).high, 0.3);
  EXPECT_EQ(bootstrap_mean({}, 1000, 1).mean, 0.0);
}

TEST(PairedComparison, TheExactProbabilityOfFiveEqualWins) {
  // Five differences of one sign and size: of the 32 sign patterns, 2 are as extreme. p = 1/16.
  const std::vector<double> a{0.1, 0.2, 0.3, 0.4, 0.5};
  std::vector<double> b;
  for (const double value : a) b.push_back(value + 0.25);
  const auto comparison = compare_paired(a, b, 100'000, 5).value();
  EXPECT_NEAR(comparison.p_value, 1.0 / 16.0, 0.004);
  EXPECT_NEAR(comparison.mean_difference, 0.25, 1e-12);
  EXPECT_EQ(comparison.wins, 5U);
  EXPECT_EQ(comparison.losses, 0U);
}

TEST(PairedComparison, EqualSystemsDoNotDiffer) {
  const std::vector<double> a{0.1, 0.5, 0.9};
  const auto comparison = compare_paired(a, a, 1000, 5).value();
  EXPECT_EQ(comparison.p_value, 1.0);
  EXPECT_EQ(comparison.ties, 3U);
}

TEST(PairedComparison, DifferentQueryCountsAreRefused) {
  const std::vector<double> a{0.1, 0.5};
  const std::vector<double> b{0.1};
  EXPECT_FALSE(compare_paired(a, b, 1000, 5));
}

}  // namespace
}  // namespace scalestyle::evaluation
