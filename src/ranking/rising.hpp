#pragma once
// Which articles rise: what happens with them in a window, against what happened in the longer time before it.
//
//   ratio = (now + a) / (before / lengths + a)
//   error = sqrt(dispersion · (1 / (now + a) + 1 / (before + a · lengths)))   of ln ratio, as for Poisson counts
//   bound = ln ratio − z · error                                              rising: above 0
// `now` and `before` are sums of event weights, `lengths` says how many times as long as the window the time before it is. `a`
// (events at each side that nobody made) keeps a first click from being infinitely more than nothing; the lower bound ranks many
// events that doubled above few that tripled. Weights are no counts: `dispersion` is how much more they vary.
//
// The time of day is not taken out: at noon more rises in one hour than at night. It is a factor common to all articles, so their
// order stays.
//
// Pure; any thread.

#include <cstddef>
#include <optional>

#include "core/result.hpp"

namespace scalestyle::ranking {

struct RisingOptions {
  double smoothing = 2;    // a; > 0, at most 1e6
  double dispersion = 3;   // of one weighted event: Σ w² / Σ w; 1 … 1,000
  double z = 1.645;        // one-sided 95 %; 0 … 10

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

struct Rise {
  double ratio = 1;
  double bound = 0;  // of ln ratio
};

// `now` and `before` finite; below 0 they count as 0. `lengths` > 0.
[[nodiscard]] Rise rise_of(double now, double before, double lengths, const RisingOptions& options);

// A bound above 0 as a score in (0, 1], monotone: 1 − e^−bound, the share of what happens now that is more than before, at least.
[[nodiscard]] double rising_score(double bound);

}  // namespace scalestyle::ranking
