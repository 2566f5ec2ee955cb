#include "telemetry/step_metrics.hpp"

#include <cstddef>
#include <string>

namespace scalestyle::telemetry {

StepMetrics::StepMetrics(Metrics& metrics, const core::RequestSteps& steps) : steps_(steps) {
  for (std::size_t i = 0; i < core::kRequestStepCount; ++i) {
    const auto step = static_cast<core::RequestStep>(i);
    counters_[i] = metrics.counter({"scalestyle_request_step_seconds_total", "Time that the steps of the request path took.",
                                    {{"step", std::string(core::to_string(step))}}});
    told_[i] = steps_.total(step);
  }
}

void StepMetrics::collect() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < core::kRequestStepCount; ++i) {
    const std::chrono::nanoseconds now = steps_.total(static_cast<core::RequestStep>(i));
    counters_[i].add(std::chrono::duration<double>(now - told_[i]).count());
    told_[i] = now;
  }
}

}  // namespace scalestyle::telemetry
