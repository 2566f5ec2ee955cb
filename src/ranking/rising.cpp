#include "ranking/rising.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace scalestyle::ranking {

core::Status RisingOptions::validate() const {
  const auto check = [](double value, double least, double most, const char* name) -> core::Status {
    if (value >= least && value <= most) return {};
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be {} to {}, not {}", name, least, most, value), name);
  };
  CORE_CHECK(check(smoothing, 1e-3, 1e6, "smoothing"));
  CORE_CHECK(check(dispersion, 1, 1'000, "dispersion"));
  return check(z, 0, 10, "z");
}

Rise rise_of(double now, double before, double lengths, const RisingOptions& options) {
  const double events_now = std::max(0.0, now) + options.smoothing;
  const double events_before = std::max(0.0, before) + options.smoothing * lengths;
  Rise rise;
  rise.ratio = events_now * lengths / events_before;
  rise.bound = std::log(rise.ratio) - options.z * std::sqrt(options.dispersion * (1 / events_now + 1 / events_before));
  return rise;
}

double rising_score(double bound) {
  constexpr double kLeast = 1e-6;
  return std::max(kLeast, -std::expm1(-bound));
}

}  // namespace scalestyle::ranking
