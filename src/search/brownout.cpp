#include "search/brownout.hpp"

#include <algorithm>
#include <cmath>

namespace scalestyle::search {

namespace {

constexpr double kSmoothingSeconds = 0.2;
constexpr int kLastStep = static_cast<int>(BrownoutStep::kNoMeaning);

}  // namespace

Brownout::Brownout(BrownoutOptions options, const core::Clock& clock)
    : options_(options), clock_(clock), observed_(clock.steady_now()), moved_(observed_) {}

BrownoutStep Brownout::observe(double pressure) {
  if (!options_.enabled) return BrownoutStep::kNone;
  const core::SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  // Nobody came since: there was no pressure in that time.
  const bool was_quiet = now - observed_ >= options_.fall;
  const double seconds = std::chrono::duration<double>(now - observed_).count();
  smoothed_ = was_quiet ? 0 : smoothed_ + (1 - std::exp(-seconds / kSmoothingSeconds)) * (pressure - smoothed_);
  observed_ = now;
  const int step = static_cast<int>(step_.load(std::memory_order_relaxed));
  if (was_quiet) {
    move_to(step - static_cast<int>(std::min<std::int64_t>(kLastStep, (now - moved_) / options_.fall)), now);
  } else if (smoothed_ > options_.high) {
    if (step == kLastStep) moved_ = now;
    else if (now - moved_ >= options_.rise) move_to(step + 1, now);
  } else if (smoothed_ < options_.low) {
    if (step == 0) moved_ = now;
    else if (now - moved_ >= options_.fall) move_to(step - 1, now);
  } else {
    moved_ = now;
  }
  return step_.load(std::memory_order_relaxed);
}

void Brownout::move_to(int step, core::SteadyTime now) {
  step_.store(static_cast<BrownoutStep>(std::clamp(step, 0, kLastStep)), std::memory_order_release);
  moved_ = now;
}

}  // namespace scalestyle::search
