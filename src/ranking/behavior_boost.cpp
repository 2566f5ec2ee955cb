#include "ranking/behavior_boost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace scalestyle::ranking {

namespace {

core::Status require_at_least(double value, double least, std::string_view setting) {
  if (std::isfinite(value) && value >= least) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} is {}, it must be a number of at least {}", setting, value, least), std::string(setting));
}

// explain() must find the very bits of apply(): both go through these.
double category_part(double weight, double affinity) {
  const double known = affinity > 0 ? affinity : 0;  // NaN counts as nothing
  return 1 + weight * (1 - 1 / (1 + known));          // a/(a+1), and 1 for an infinite a
}

double popularity_part(const std::array<double, kBoostWindows>& scales, const std::array<double, kBoostWindows>& logs) {
  return 1 + ((scales[0] * logs[0] + scales[1] * logs[1]) + scales[2] * logs[2]);
}

// The log of a window that a candidate has; 0 where nothing is known.
double log_of(const BoostCandidates& candidates, std::size_t window, std::size_t candidate) {
  const auto logs = candidates.window_logs[window];
  return logs.empty() ? 0.0 : logs[candidate];
}

// Multiplies `factors` by the popularity parts. Kept apart from the other parts so that each loop is plain arithmetic
// over arrays, which compilers turn into vector code.
void multiply_by_popularity(const BoostCandidates& candidates, const std::array<double, kBoostWindows>& scales,
                            std::span<double> factors) {
  const std::size_t count = factors.size();
  const auto all_known = std::ranges::none_of(candidates.window_logs, [](auto logs) { return logs.empty(); });
  if (all_known) {
    const double* const first = candidates.window_logs[0].data();
    const double* const second = candidates.window_logs[1].data();
    const double* const third = candidates.window_logs[2].data();
    for (std::size_t i = 0; i < count; ++i) factors[i] *= popularity_part(scales, {first[i], second[i], third[i]});
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    factors[i] *= popularity_part(scales, {log_of(candidates, 0, i), log_of(candidates, 1, i), log_of(candidates, 2, i)});
  }
}

}  // namespace

std::string_view to_string(BoostReason reason) {
  switch (reason) {
    case BoostReason::kNone: return "";
    case BoostReason::kRecentClick: return "recent_click";
    case BoostReason::kCategoryAffinity: return "category_affinity";
    case BoostReason::kOnlinePopularity: return "online_popularity";
  }
  return "";
}

core::Status BehaviorBoostOptions::validate() const {
  CORE_CHECK(require_at_least(recent_click_factor, 1, "boost_recent_click"));
  CORE_CHECK(require_at_least(category_weight, 0, "boost_category"));
  CORE_CHECK(require_at_least(popularity_weights[0], 0, "boost_popularity_1h"));
  CORE_CHECK(require_at_least(popularity_weights[1], 0, "boost_popularity_24h"));
  CORE_CHECK(require_at_least(popularity_weights[2], 0, "boost_popularity_7d"));
  CORE_CHECK(require_at_least(popularity_floor, 0, "boost_popularity_floor"));
  return require_at_least(cap, 1, "boost_cap");
}

BehaviorBoost::BehaviorBoost(BehaviorBoostOptions options) : options_(options) { assert(options_.validate()); }

void BehaviorBoost::apply(const BoostCandidates& candidates, BoostedList& result) const {
  const std::size_t count = candidates.base_scores.size();
  assert(candidates.rows.size() == count && count < std::numeric_limits<std::uint32_t>::max());
  for (std::size_t window = 0; window < kBoostWindows; ++window) {
    const auto logs = candidates.window_logs[window];
    assert(logs.empty() || logs.size() == count);
    double greatest = std::log1p(options_.popularity_floor);
    for (const double log : logs) greatest = std::max(greatest, log);
    result.window_scales[window] = greatest > 0 ? options_.popularity_weights[window] / greatest : 0;
  }

  std::vector<double>& factors = result.scores;
  factors.assign(count, 1.0);
  if (!candidates.recent_clicks.empty()) {
    for (std::size_t i = 0; i < count; ++i) factors[i] = candidates.recent_clicks[i] != 0 ? options_.recent_click_factor : 1.0;
  }
  if (!candidates.affinities.empty()) {
    for (std::size_t i = 0; i < count; ++i) factors[i] *= category_part(options_.category_weight, candidates.affinities[i]);
  }
  multiply_by_popularity(candidates, result.window_scales, factors);
  for (std::size_t i = 0; i < count; ++i) {
    factors[i] = candidates.base_scores[i] * (factors[i] < options_.cap ? factors[i] : options_.cap);
  }
  order_by_score(result.scores, candidates.rows, result.order);
}

BoostParts BehaviorBoost::explain(const BoostCandidates& candidates, const BoostedList& result, std::size_t candidate) const {
  BoostParts parts;
  if (!candidates.recent_clicks.empty() && candidates.recent_clicks[candidate] != 0) {
    parts.recent_click = options_.recent_click_factor;
  }
  if (!candidates.affinities.empty()) {
    parts.category_affinity = category_part(options_.category_weight, candidates.affinities[candidate]);
  }
  parts.online_popularity = popularity_part(
      result.window_scales,
      {log_of(candidates, 0, candidate), log_of(candidates, 1, candidate), log_of(candidates, 2, candidate)});
  const double product = parts.recent_click * parts.category_affinity * parts.online_popularity;
  parts.factor = product < options_.cap ? product : options_.cap;

  double strongest = 1;
  const auto consider = [&](double part, BoostReason reason) {
    if (part <= strongest) return;
    strongest = part;
    parts.reason = reason;
  };
  consider(parts.recent_click, BoostReason::kRecentClick);
  consider(parts.category_affinity, BoostReason::kCategoryAffinity);
  consider(parts.online_popularity, BoostReason::kOnlinePopularity);
  return parts;
}

}  // namespace scalestyle::ranking
