#include "evaluation/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <unordered_set>
#include <vector>

#include "evaluation/random.hpp"

namespace scalestyle::evaluation {
namespace {

double gain(int grade) { return std::exp2(grade) - 1.0; }
double discount(std::size_t rank) { return 1.0 / std::log2(static_cast<double>(rank) + 1.0); }  // rank from 1

int grade_of(const catalog::ArticleId& article, const Grades& grades) {
  const auto found = grades.find(article);
  return found == grades.end() ? 0 : found->second;
}

// Grades down a list, 0 for an article that came before.
std::vector<int> grades_down(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth) {
  std::vector<int> result;
  std::unordered_set<catalog::ArticleId> seen;
  for (const catalog::ArticleId& article : ranked.first(std::min(depth, ranked.size()))) {
    result.push_back(seen.insert(article).second ? grade_of(article, grades) : 0);
  }
  return result;
}

double mean_of(std::span<const double> values) {
  if (values.empty()) return 0.0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

constexpr double kRoundingOfSums = 1e-12;  // a value; sums of the same differences in other signs round otherwise

// The share of the 2ⁿ sign patterns whose sum is as far from zero as the observed one.
double exact_p_value(std::span<const double> differences, double observed) {
  const std::size_t patterns = std::size_t{1} << differences.size();
  std::size_t as_large = 0;
  for (std::size_t pattern = 0; pattern < patterns; ++pattern) {
    double sum = 0.0;
    for (std::size_t i = 0; i < differences.size(); ++i) {
      sum += (pattern >> i & 1U) != 0 ? differences[i] : -differences[i];
    }
    if (std::abs(sum) >= observed) ++as_large;
  }
  return static_cast<double>(as_large) / static_cast<double>(patterns);
}

double sampled_p_value(std::span<const double> differences, double observed, std::size_t resamples, Random random) {
  std::size_t as_large = 0;
  for (std::size_t i = 0; i < resamples; ++i) {
    double sum = 0.0;
    for (const double difference : differences) sum += (random.next() & 1U) != 0 ? difference : -difference;
    if (std::abs(sum) >= observed) ++as_large;
  }
  return (static_cast<double>(as_large) + 1.0) / (static_cast<double>(resamples) + 1.0);
}

}  // namespace

double ndcg(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth) {
  double reached = 0.0;
  const std::vector<int> down = grades_down(ranked, grades, depth);
  for (std::size_t i = 0; i < down.size(); ++i) reached += gain(down[i]) * discount(i + 1);
  std::vector<int> ideal;
  for (const auto& [article, grade] : grades) ideal.push_back(grade);
  std::ranges::sort(ideal, std::greater<>());
  double best = 0.0;
  for (std::size_t i = 0; i < std::min(depth, ideal.size()); ++i) best += gain(ideal[i]) * discount(i + 1);
  return best > 0.0 ? reached / best : 0.0;
}

double reciprocal_rank(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth,
                       int minimum_grade) {
  for (std::size_t i = 0; i < std::min(depth, ranked.size()); ++i) {
    if (grade_of(ranked[i], grades) >= minimum_grade) return 1.0 / static_cast<double>(i + 1);
  }
  return 0.0;
}

double recall(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth, int minimum_grade) {
  const auto wanted = std::ranges::count_if(grades, [minimum_grade](const auto& entry) {
    return entry.second >= minimum_grade;
  });
  if (wanted == 0) return 0.0;
  const std::vector<int> down = grades_down(ranked, grades, depth);
  const auto found = std::ranges::count_if(down, [minimum_grade](int grade) { return grade >= minimum_grade; });
  return static_cast<double>(found) / static_cast<double>(wanted);
}

double average_precision(std::span<const catalog::ArticleId> ranked, const Grades& grades, std::size_t depth,
                         int minimum_grade) {
  const auto wanted = static_cast<std::size_t>(std::ranges::count_if(grades, [minimum_grade](const auto& entry) {
    return entry.second >= minimum_grade;
  }));
  if (wanted == 0) return 0.0;
  const std::vector<int> down = grades_down(ranked, grades, depth);
  double sum = 0.0;
  std::size_t found = 0;
  for (std::size_t i = 0; i < down.size(); ++i) {
    if (down[i] >= minimum_grade) sum += static_cast<double>(++found) / static_cast<double>(i + 1);
  }
  return sum / static_cast<double>(std::min(wanted, depth));
}

double quantile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return 0.0;
  // Linear interpolation between the order statistics.
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double weight = position - static_cast<double>(below);
  return sorted[below] * (1.0 - weight) + sorted[above] * weight;
}

std::size_t resamples_for(std::size_t values, std::size_t wanted) {
  constexpr std::size_t kDraws = 20'000'000;
  constexpr std::size_t kLeast = 1'000;
  const std::size_t affordable = std::max(kLeast, kDraws / std::max<std::size_t>(values, 1));
  return std::min(wanted, affordable);
}

Interval bootstrap_mean(std::span<const double> values, std::size_t resamples, std::uint64_t seed) {
  Interval interval;
  interval.mean = interval.low = interval.high = mean_of(values);
  if (values.size() < 2 || resamples == 0) return interval;
  Random random(seed);
  std::vector<double> means;
  means.reserve(resamples);
  for (std::size_t i = 0; i < resamples; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < values.size(); ++j) sum += values[random.below(values.size())];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::ranges::sort(means);
  interval.low = quantile(means, 0.025);
  interval.high = quantile(means, 0.975);
  return interval;
}

core::Result<PairedComparison> compare_paired(std::span<const double> a, std::span<const double> b,
                                              std::size_t resamples, std::uint64_t seed) {
  if (a.size() != b.size()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("a paired comparison needs the same queries: {} and {} values", a.size(), b.size()));
  }
  PairedComparison result;
  std::vector<double> differences;
  std::vector<double> changed;  // what does not differ adds nothing to a sum of either sign
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(b[i] - a[i]);
    if (b[i] > a[i]) ++result.wins;
    if (b[i] < a[i]) ++result.losses;
    if (b[i] != a[i]) changed.push_back(differences.back());
  }
  result.ties = a.size() - result.wins - result.losses;
  result.difference = bootstrap_mean(differences, resamples, seed);
  if (changed.empty() || resamples == 0) return result;

  // Under the hypothesis that the systems are alike, each difference could as well have the other sign.
  const double observed = std::abs(std::accumulate(changed.begin(), changed.end(), 0.0)) -
                          kRoundingOfSums * static_cast<double>(changed.size());
  constexpr std::size_t kMaxExactChanges = 24;
  const bool exact = changed.size() <= kMaxExactChanges && std::size_t{1} << changed.size() <= resamples;
  result.p_value = exact ? exact_p_value(changed, observed)
                         : sampled_p_value(changed, observed, resamples, Random(seed ^ 0x5bf03635U));
  return result;
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&p_values](std::size_t i) { return p_values[i]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, p_values[order[i]] * static_cast<double>(order.size() - i));
    adjusted[order[i]] = std::min(largest, 1.0);
  }
  return adjusted;
}

}  // namespace scalestyle::evaluation
