#pragma once
// Clock: the only source of time in the product, injected so that tests can move it.

#include <chrono>
#include <string>

namespace scalestyle::core {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// Thread safety: every method may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;  // never goes back; for deadlines and durations
  [[nodiscard]] virtual WallTime wall_now() const = 0;      // UTC; for records and logs
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall_now() const override { return std::chrono::system_clock::now(); }
};

// "2026-03-01T12:00:00.123Z"
[[nodiscard]] std::string to_iso8601(WallTime time);

}  // namespace scalestyle::core
