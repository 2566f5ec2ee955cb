#include "ranking/popularity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "catalog/date.hpp"

namespace scalestyle::ranking {

namespace {

constexpr double kDaySeconds = 86'400;
constexpr double kDaysWithoutDates = 365;
constexpr double kLeastGreatest = 50;

}  // namespace

double purchase_prior(std::uint64_t purchase_count, const PurchaseScale& scale) {
  const double weight_a_second = scale.purchase_weight * static_cast<double>(purchase_count) / scale.period_seconds;
  return weight_a_second * scale.half_life_seconds / std::numbers::ln2;
}

core::Result<double> purchase_period_seconds(std::string_view from, std::string_view to) {
  if (from.empty() || to.empty()) return kDaysWithoutDates * kDaySeconds;
  const auto first = catalog::parse_date(from);
  const auto last = catalog::parse_date(to);
  if (!first || !last || *last < *first) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("purchases from \"{}\" to \"{}\": two dates YYYY-MM-DD in order are needed", from, to),
                      first ? "purchases_to" : "purchases_from");
  }
  return static_cast<double>((*last - *first).count() + 1) * kDaySeconds;
}

double popularity_score(double popularity, double greatest) {
  const double score = std::log1p(popularity) / std::log1p(std::max({greatest, popularity, kLeastGreatest}));
  return std::max(score, 1e-9);  // a later factor acts on what is above 0 alone
}

}  // namespace scalestyle::ranking
