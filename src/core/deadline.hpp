#pragma once
// Deadline: one point in time, made when a request arrives and passed down to every stage.

#include <algorithm>
#include <chrono>

#include "core/clock.hpp"

namespace scalestyle::core {

class Deadline {
 public:
  [[nodiscard]] static Deadline never() { return Deadline(SteadyTime::max()); }
  [[nodiscard]] static Deadline at(SteadyTime time) { return Deadline(time); }
  [[nodiscard]] static Deadline after(std::chrono::nanoseconds duration, const Clock& clock) {
    return Deadline(clock.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(duration));
  }

  // The earlier of this deadline and `duration` from now: a stage's own budget inside its parent's.
  [[nodiscard]] Deadline within(std::chrono::nanoseconds duration, const Clock& clock) const {
    return Deadline(std::min(at_, after(duration, clock).at_));
  }

  [[nodiscard]] bool is_never() const { return at_ == SteadyTime::max(); }
  [[nodiscard]] SteadyTime time() const { return at_; }
  [[nodiscard]] bool expired(const Clock& clock) const { return !is_never() && clock.steady_now() >= at_; }

  // Zero when expired; nanoseconds::max() when there is no deadline.
  [[nodiscard]] std::chrono::nanoseconds remaining(const Clock& clock) const {
    if (is_never()) return std::chrono::nanoseconds::max();
    return std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(at_ - clock.steady_now()));
  }

 private:
  explicit Deadline(SteadyTime time) : at_(time) {}
  SteadyTime at_;
};

}  // namespace scalestyle::core
