#include "evaluation/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <unordered_set>
#include <vector>

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

// SplitMix64 (Steele, Lea & Flood 2014): the standard library's distributions differ between makers, this does not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t value = state_;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
  }
  // Uniform enough for resampling: the bias is below 2⁻⁴⁰ for fewer than 2²⁴ values.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

double mean_of(std::span<const double> values) {
  if (values.empty()) return 0.0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Linear interpolation between the order statistics of sorted values.
double quantile(std::span<const double> sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double weight = position - static_cast<double>(below);
  return sorted[below] * (1.0 - weight) + sorted[above] * weight;
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
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(b[i] - a[i]);
    if (b[i] > a[i]) ++result.wins;
    if (b[i] < a[i]) ++result.losses;
  }
  result.ties = a.size() - result.wins - result.losses;
  result.difference = bootstrap_mean(differences, resamples, seed);
  result.mean_difference = result.difference.mean;
  if (differences.empty() || resamples == 0) return result;

  // Under the hypothesis that the systems are alike, each difference could as well have the other sign.
  const double observed = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0));
  const double tolerance = 1e-12 * static_cast<double>(differences.size());
  Random random(seed ^ 0x5bf03635U);
  std::size_t as_large = 0;
  for (std::size_t i = 0; i < resamples; ++i) {
    double sum = 0.0;
    for (const double difference : differences) sum += (random.next() & 1U) != 0 ? difference : -difference;
    if (std::abs(sum) >= observed - tolerance) ++as_large;
  }
  result.p_value = (static_cast<double>(as_large) + 1.0) / (static_cast<double>(resamples) + 1.0);
  return result;
}

}  // namespace scalestyle::evaluation
