#pragma once
// Where the ranges of a price facet begin and end: round numbers (1, 2 or 5 times a power of ten) near the fifths of the
// prices, so that the ranges are about as large as each other and read as a shopper would write them.
//
// Pure; same input, same output. Thread safety: free functions.

#include <cstddef>
#include <span>
#include <vector>

namespace scalestyle::ranking {

inline constexpr std::size_t kMaxPriceRanges = 5;

// The bounds between the ranges, rising, each above the least of `prices` and below the greatest; at most
// kMaxPriceRanges − 1, none for prices that are all alike. Prices are finite and ≥ 0; sorted in place.
[[nodiscard]] std::vector<double> price_bounds(std::span<double> prices);

// The 1, 2 or 5 times a power of ten that is nearest by ratio, the lower one of two; `value` is finite and above 0.
[[nodiscard]] double nearest_round_number(double value);

}  // namespace scalestyle::ranking
