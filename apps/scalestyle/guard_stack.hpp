#pragma once
// The protection of searches that the settings describe: a circuit breaker for each dependency behind a network, the limit at the
// door, the order in which work is left out under pressure.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/circuit_breaker.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "http/dependency_state.hpp"
#include "search/dependency_guard.hpp"
#include "search/door.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of that protection.
[[nodiscard]] std::vector<std::string> with_guard_settings(std::vector<std::string> names);

// kInvalidArgument with the setting as field.
[[nodiscard]] core::Result<core::BreakerOptions> breaker_options(const core::Settings& settings);

// Without the ceiling, which is `max_concurrent_requests`.
[[nodiscard]] search::DoorOptions door_options(const core::Settings& settings);

class GuardStack {
 public:
  struct Services {
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };
  // Errors: as breaker_options().
  [[nodiscard]] static core::Result<std::unique_ptr<GuardStack>> open(const core::Settings& settings, Services services);
  GuardStack(const GuardStack&) = delete;
  GuardStack& operator=(const GuardStack&) = delete;

  // The guard of a dependency, named as /ready names it; made when it is first asked for. Not while searches run.
  [[nodiscard]] search::DependencyGuard& of(std::string_view name, std::chrono::milliseconds fair_time);

  // Says of each dependency that has a breaker how it is; one whose breaker is open is in trouble.
  void tell(std::vector<http::DependencyState>& states) const;

 private:
  GuardStack(core::BreakerOptions options, Services services) : options_(options), use_(services) {}

  const core::BreakerOptions options_;
  const Services use_;
  std::vector<std::unique_ptr<search::DependencyGuard>> guards_;
};

}  // namespace scalestyle::app
