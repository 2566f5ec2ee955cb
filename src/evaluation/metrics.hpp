#pragma once
// Measures of a ranked list against graded judgements, and their uncertainty. Pure; seeds are explicit.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "evaluation/query_set.hpp"

namespace scalestyle::evaluation {

// Σ (2^g − 1) / log2(rank + 1) over the first `depth`, divided by the same of the ideal order of all judged articles.
// 0 when no judged article has a positive grade. An article that a list repeats counts once, where it comes first.
// (Järvelin & Kekäläinen 2002, with the exponential gain of Burges et al. 2005.)
[[nodiscard]] double ndcg(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth);

// 1 / rank of the first article of grade ≥ minimum_grade within `depth`, else 0.
[[nodiscard]] double reciprocal_rank(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth,
                                     int minimum_grade);

// Share of the articles of grade ≥ minimum_grade that are within `depth`; 0 when there are none.
[[nodiscard]] double recall(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth,
                            int minimum_grade);

// The mean over the right articles (grade ≥ minimum_grade) of the precision where each stands within `depth`, as sums of
// precisions divided by min(right articles, depth): Kaggle's MAP@k. 0 when there are none.
[[nodiscard]] double average_precision(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth,
                                       int minimum_grade);

// The value at `share` (0 … 1) of sorted values, interpolated between neighbours; 0 when there are none.
[[nodiscard]] double quantile(std::span<const double> sorted, double share);

struct Interval {
  double mean = 0;
  double low = 0;   // percentile bootstrap over queries, 95 %
  double high = 0;
};

// `values` has one value a query. Empty: zeros. The same seed gives the same interval on every machine.
[[nodiscard]] Interval bootstrap_mean(std::span<const double> values, std::size_t resamples, std::uint64_t seed);

// How many resamples of so many values are drawn when `wanted` would take long: no fewer than 1,000, so that the figures
// of a hundred thousand queries take seconds.
[[nodiscard]] std::size_t resamples_for(std::size_t values, std::size_t wanted);

struct PairedComparison {
  Interval difference;         // of b − a, bootstrap of the per-query differences
  double p_value = 1;          // two-sided randomisation test (random sign flips): exact where all patterns are few enough
                               // to be counted, else (hits + 1) / (resamples + 1)
  std::size_t wins = 0;        // queries where b > a
  std::size_t losses = 0;
  std::size_t ties = 0;
};

// `a` and `b` hold the same queries in the same order; sizes must be equal (checked: kInvalidArgument).
[[nodiscard]] core::Result<PairedComparison> compare_paired(std::span<const double> a, std::span<const double> b,
                                                            std::size_t resamples, std::uint64_t seed);

// The p-values of several comparisons, made larger so that the chance of any false alarm stays what it says (Holm 1979).
// In the order given.
[[nodiscard]] std::vector<double> holm_adjusted(std::span<const double> p_values);

}  // namespace scalestyle::evaluation
