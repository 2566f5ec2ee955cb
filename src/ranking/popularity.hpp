#pragma once
// How past purchases and live events come on one scale of popularity. Pure; any thread.

#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::ranking {

// What turns a count of past purchases into popularity.
struct PurchaseScale {
  double purchase_weight = 5;                   // of one purchase event
  double half_life_seconds = 48 * 3'600.0;      // of global popularity
  double period_seconds = 365 * 86'400.0;       // in which the purchases were made
};

// The decayed score that purchases at a steady rate would hold: weight · count/period · half-life / ln 2. A live score
// that decays with the same half-life can be added to it.
[[nodiscard]] double purchase_prior(std::uint64_t purchase_count, const PurchaseScale& scale);

// Seconds from the first day to the last, both included, of "YYYY-MM-DD" dates. Where either is empty: 365 days.
// kInvalidArgument when a date is none, or the last lies before the first.
[[nodiscard]] core::Result<double> purchase_period_seconds(std::string_view from, std::string_view to);

// A popularity as a base score in (0, 1]: ln(1+p) / ln(1+max(greatest, 50)) for p > 0, monotone in p; never 0.
[[nodiscard]] double popularity_score(double popularity, double greatest);

}  // namespace scalestyle::ranking
