#pragma once
// Measures of a ranked list against graded judgements, and their uncertainty. Pure; seeds are explicit.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

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

struct Interval {
  double mean = 0;
  double low = 0;   // percentile bootstrap over queries, 95 %
  double high = 0;
};

// `values` has one value a query. Empty: zeros. The same seed gives the same interval on every machine.
[[nodiscard]] Interval bootstrap_mean(std::span<const double> values, std::size_t resamples, std::uint64_t seed);

struct PairedComparison {
  double mean_difference = 0;  // of b − a
  Interval difference;         // bootstrap of the per-query differences
  double p_value = 1;          // two-sided randomisation test (random sign flips), (hits + 1) / (resamples + 1)
  std::size_t wins = 0;        // queries where b > a
  std::size_t losses = 0;
  std::size_t ties = 0;
};

// `a` and `b` hold the same queries in the same order; sizes must be equal (checked: kInvalidArgument).
[[nodiscard]] core::Result<PairedComparison> compare_paired(std::span<const double> a, std::span<const double> b,
                                                            std::size_t resamples, std::uint64_t seed);

}  // namespace scalestyle::evaluation
