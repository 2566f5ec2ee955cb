#include "ranking/price_ranges.hpp"

#include <algorithm>
#include <cmath>

namespace scalestyle::ranking {

double nearest_round_number(double value) {
  const int exponent = static_cast<int>(std::floor(std::log10(value)));
  double nearest = value;
  double least_ratio = HUGE_VAL;
  // One decade more on each side: the logarithm may be off where the value is a power of ten.
  for (int at = exponent - 1; at <= exponent + 1; ++at) {
    const double power = std::pow(10.0, std::abs(at));
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double candidate = at < 0 ? digit / power : digit * power;
      const double ratio = std::max(candidate / value, value / candidate);
      if (!(ratio < least_ratio)) continue;
      least_ratio = ratio;
      nearest = candidate;
    }
  }
  return nearest;
}

std::vector<double> price_bounds(std::span<double> prices) {
  std::vector<double> bounds;
  if (prices.empty()) return bounds;
  std::ranges::sort(prices);
  for (std::size_t part = 1; part < kMaxPriceRanges; ++part) {
    const double price = prices[prices.size() * part / kMaxPriceRanges];
    if (!(price > 0)) continue;
    const double bound = nearest_round_number(price);
    const bool splits = bound > prices.front() && bound < prices.back();
    if (splits && (bounds.empty() || bound > bounds.back())) bounds.push_back(bound);
  }
  return bounds;
}

}  // namespace scalestyle::ranking
