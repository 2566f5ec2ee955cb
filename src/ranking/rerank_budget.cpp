#include "ranking/rerank_budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace scalestyle::ranking {

namespace {

using std::chrono::nanoseconds;

// A plan leaves this much of the time for pairs that are longer than the mean.
constexpr double kPlannedShare = 0.85;

// Depths that are planned: rates vary a little from one moment to the next, and a list's depth must not.
constexpr std::array<std::size_t, 24> kSteps{1,  2,  3,  4,  5,  6,  8,  10, 12,  15,  18,  20,
                                             25, 30, 35, 40, 45, 50, 60, 80, 100, 125, 160, 200};

std::size_t affordable(nanoseconds time, double pairs_per_second) {
  const double pairs = std::chrono::duration<double>(time).count() * pairs_per_second * kPlannedShare;
  const auto above = std::ranges::upper_bound(kSteps, pairs, {}, [](std::size_t step) { return static_cast<double>(step); });
  return above == kSteps.begin() ? 0 : *(above - 1);
}

}  // namespace

core::Status RerankBudgetOptions::validate() const {
  const auto wrong = [](const char* name, long long value, std::size_t maximum) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be 1 to {}, not {}", name, maximum, value), name);
  };
  if (depth < 1 || depth > kMaxRerankDepth) return wrong("rerank_depth", static_cast<long long>(depth), kMaxRerankDepth);
  if (least_depth < 1 || least_depth > kMaxRerankDepth) {
    return wrong("rerank_least_depth", static_cast<long long>(least_depth), kMaxRerankDepth);
  }
  if (budget.count() < 1 || budget.count() > 10'000) return wrong("rerank_budget_ms", budget.count(), 10'000);
  return {};
}

RerankBudget plan_rerank(const RerankBudgetOptions& options, nanoseconds left, double pairs_per_second,
                         std::optional<std::size_t> wanted) {
  RerankBudget plan;
  if (wanted) {
    plan.time = left;
    plan.planned = std::min(*wanted, kMaxRerankDepth);
    return plan;
  }
  const nanoseconds for_others = std::max<nanoseconds>(nanoseconds(0), options.usual_deadline - options.budget);
  const nanoseconds affords = left == nanoseconds::max() ? left : std::max<nanoseconds>(options.budget, left - for_others);
  plan.time = std::min(left, affords);
  plan.planned = options.depth;
  if (pairs_per_second > 0 && affords != nanoseconds::max()) {
    plan.planned = std::min(options.depth, std::max(options.least_depth, affordable(affords, pairs_per_second)));
  }
  return plan;
}

}  // namespace scalestyle::ranking
