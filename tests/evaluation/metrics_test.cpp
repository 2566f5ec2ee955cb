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

// Right articles: a b c d. x a b x c: precisions 1/2, 2/3, 3/5 at ranks 2, 3, 5.
TEST(AveragePrecision, EqualsTheValueComputedByHand) {
  const auto ranked = list({"x", "a", "b", "y", "c"});
  EXPECT_NEAR(average_precision(ranked, grades(), 12, 1), (1.0 / 2 + 2.0 / 3 + 3.0 / 5) / 4, 1e-12);
  EXPECT_NEAR(average_precision(ranked, grades(), 3, 1), (1.0 / 2 + 2.0 / 3) / 3, 1e-12);  // of 4 at most 3 can be found
  EXPECT_NEAR(average_precision(ranked, grades(), 12, 2), (1.0 / 2 + 2.0 / 5) / 2, 1e-12);  // a and c
  EXPECT_NEAR(average_precision(list({"a", "b", "c", "d"}), grades(), 12, 1), 1.0, 1e-12);
}

TEST(AveragePrecision, EdgesAreZeroNotNan) {
  EXPECT_EQ(average_precision({}, grades(), 12, 1), 0.0);
  EXPECT_EQ(average_precision(list({"a"}), {}, 12, 1), 0.0);
  EXPECT_EQ(average_precision(list({"a", "a"}), {{id("a"), 1}, {id("b"), 1}}, 12, 1), 0.5);  // repeated: once
}

TEST(Quantile, InterpolatesBetweenNeighbours) {
  const std::vector<double> values{1, 2, 3, 10};
  EXPECT_EQ(quantile(values, 0), 1.0);
  EXPECT_EQ(quantile(values, 0.5), 2.5);
  EXPECT_EQ(quantile(values, 1), 10.0);
  EXPECT_EQ(quantile({}, 0.5), 0.0);
}

TEST(Resamples, ManyValuesAreResampledLessOften) {
  EXPECT_EQ(resamples_for(48, 10'000), 10'000U);
  EXPECT_EQ(resamples_for(4'000, 10'000), 5'000U);
  EXPECT_EQ(resamples_for(250'000, 10'000), 1'000U);
  EXPECT_EQ(resamples_for(250'000, 200), 200U);
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
  EXPECT_EQ(comparison.p_value, 1.0 / 16.0);
  EXPECT_NEAR(comparison.difference.mean, 0.25, 1e-12);
  EXPECT_EQ(comparison.wins, 5U);
  EXPECT_EQ(comparison.losses, 0U);
}

TEST(PairedComparison, TheExactProbabilityOfUnequalDifferences) {
  // Differences 1, 2, −4: sums of the eight patterns ±1 ±2 ±4 are ±7, ±5, ±3, ±1; observed −1: all are as far out.
  const std::vector<double> a{0, 0, 4, 0.5};
  const std::vector<double> b{1, 2, 0, 0.5};
  EXPECT_EQ(compare_paired(a, b, 10'000, 5)->p_value, 1.0);
  // Differences 1, 2, 4: observed 7; two of eight.
  const std::vector<double> c{1, 2, 8, 0.5};
  const auto better = compare_paired(a, c, 10'000, 5).value();
  EXPECT_EQ(better.p_value, 0.25);
  EXPECT_EQ(better.ties, 1U);
}

TEST(PairedComparison, ManyDifferencesAreSampled) {
  // 30 wins of one size: the true value is 2⁻²⁹, so no sampled pattern is as extreme and p is 1 / (resamples + 1).
  const std::vector<double> a(30, 0.5);
  const std::vector<double> b(30, 0.75);
  EXPECT_EQ(compare_paired(a, b, 9'999, 5)->p_value, 1.0 / 10'000);
  // 15 wins and 15 losses of one size: every pattern is as far out.
  std::vector<double> c(30, 0.75);
  for (std::size_t i = 0; i < 15; ++i) c[i] = 0.25;
  EXPECT_EQ(compare_paired(a, c, 9'999, 5)->p_value, 1.0);
}

TEST(PairedComparison, ASampledProbabilityIsNearTheExactOne) {
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < 12; ++i) {
    a.push_back(0.1 * i);
    b.push_back(0.1 * i + (i % 3 == 0 ? -0.1 : 0.07 + 0.01 * i));
  }
  const double exact = compare_paired(a, b, 1'000'000, 5)->p_value;    // 4,096 patterns are counted
  const double sampled = compare_paired(a, b, 4'000, 5)->p_value;      // too few to count them
  EXPECT_GT(exact, 0.0);
  EXPECT_NEAR(sampled, exact, 0.03);
}

TEST(Holm, StepsDownAndNeverFalls) {
  const std::vector<double> p{0.01, 0.04, 0.03};
  const std::vector<double> adjusted = holm_adjusted(p);
  EXPECT_NEAR(adjusted[0], 0.03, 1e-12);
  EXPECT_NEAR(adjusted[2], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.06, 1e-12);  // 0.04 alone, but not below the one before it
  EXPECT_EQ(holm_adjusted(std::vector<double>{0.9, 0.8})[0], 1.0);
  EXPECT_TRUE(holm_adjusted({}).empty());
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
