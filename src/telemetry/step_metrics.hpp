#pragma once
// What core::RequestSteps adds up, as scalestyle_request_step_seconds_total.

#include <array>
#include <chrono>
#include <mutex>

#include "core/request_steps.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::telemetry {

// Shows what is added after it was made. Thread safety: any thread.
class StepMetrics {
 public:
  explicit StepMetrics(Metrics& metrics, const core::RequestSteps& steps = core::request_steps());
  // For Metrics::on_render.
  void collect();

 private:
  const core::RequestSteps& steps_;
  std::mutex mutex_;
  std::array<Counter, core::kRequestStepCount> counters_{};
  std::array<std::chrono::nanoseconds, core::kRequestStepCount> told_{};  // guarded by mutex_
};

}  // namespace scalestyle::telemetry
