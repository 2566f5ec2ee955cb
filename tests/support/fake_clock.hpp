#pragma once
// A clock that stands still until a test moves it. Thread-safe.

#include <atomic>
#include <chrono>

#include "core/clock.hpp"

namespace scalestyle::support {

class FakeClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return core::SteadyTime(std::chrono::seconds(1'000)) + elapsed_.load(); }
  [[nodiscard]] core::WallTime wall_now() const override {
    return core::WallTime(std::chrono::duration_cast<core::WallTime::duration>(std::chrono::seconds(1'772'366'400) + elapsed_.load()));
  }
  void advance(std::chrono::nanoseconds by) { elapsed_.store(elapsed_.load() + by); }

 private:
  std::atomic<std::chrono::nanoseconds> elapsed_{std::chrono::nanoseconds(0)};
};

}  // namespace scalestyle::support
