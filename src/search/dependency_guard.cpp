#include "search/dependency_guard.hpp"

#include <fmt/format.h>

namespace scalestyle::search {

namespace {

constexpr std::chrono::milliseconds kSlack{5};
constexpr std::chrono::milliseconds kProbePause{1'000};  // after a probe that found nobody

telemetry::Counter calls(telemetry::Metrics& metrics, const std::string& dependency, const char* outcome) {
  return metrics.counter({"scalestyle_dependency_calls_total", "Calls of a dependency behind its circuit breaker, by what became of them.",
                          {{"dependency", dependency}, {"outcome", outcome}}});
}

}  // namespace

DependencyGuard::DependencyGuard(Options options, Dependencies dependencies)
    : options_(std::move(options)),
      use_(dependencies),
      breaker_(options_.breaker, dependencies.clock),
      succeeded_(calls(dependencies.metrics, options_.name, "success")),
      failed_(calls(dependencies.metrics, options_.name, "failure")),
      refused_(calls(dependencies.metrics, options_.name, "refused")),
      without_verdict_(calls(dependencies.metrics, options_.name, "no_verdict")) {
  const auto gauge = use_.metrics.gauge({"scalestyle_dependency_breaker_state",
                                         "Circuit breaker of a dependency: 0 closed, 1 half-open, 2 open.",
                                         {{"dependency", options_.name}}});
  use_.metrics.on_render([this, gauge] { gauge.set(static_cast<double>(state())); });
}

core::BreakerState DependencyGuard::state() const {
  const core::BreakerState state = breaker_.state();
  const bool is_away = probe_ && state == core::BreakerState::kHalfOpen && !decides_.load(std::memory_order_acquire);
  return is_away ? core::BreakerState::kOpen : state;
}

core::Error DependencyGuard::refusal() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(breaker_.open_left());
  return core::fail(core::ErrorCode::kCircuitOpen,
                    fmt::format("{} failed too often of late and is not asked; it is tried again in {} ms", options_.name, left.count()))
      .error();
}

bool DependencyGuard::is_time_out(core::ErrorCode code, core::Deadline deadline) const {
  if (code == core::ErrorCode::kDeadlineExceeded) return true;
  return code == core::ErrorCode::kCancelled && deadline.expired(use_.clock);
}

core::Deadline DependencyGuard::with_slack(core::Deadline deadline) {
  return deadline.is_never() ? deadline : core::Deadline::at(deadline.time() + kSlack);
}

void DependencyGuard::count(core::CallVerdict verdict) {
  switch (verdict) {
    case core::CallVerdict::kSuccess: succeeded_.add(); break;
    case core::CallVerdict::kFailure: failed_.add(); break;
    case core::CallVerdict::kNone: without_verdict_.add(); break;
  }
}

std::optional<core::BreakerState> DependencyGuard::settle(core::CircuitBreaker::Permit& permit, core::CallVerdict verdict) {
  count(verdict);
  const auto changed = permit.end(verdict);
  if (changed == core::BreakerState::kOpen && probe_) {
    const std::chrono::nanoseconds left = breaker_.open_left();
    probe_at(use_.clock.steady_now() + left);
  }
  if (!changed || use_.log == nullptr) return changed;
  if (*changed == core::BreakerState::kOpen) {
    use_.log->warning("a dependency fails too often: it is not asked for a while", {{"dependency", options_.name}});
  } else {
    use_.log->info("a dependency answers again", {{"dependency", options_.name}});
  }
  return changed;
}

void DependencyGuard::probe_with(Probe probe, std::chrono::milliseconds time) {
  probe_ = std::move(probe);
  probe_time_ = time;
}

void DependencyGuard::probe_at(core::SteadyTime time) {
  use_.timers.schedule(time, [this] {
    core::start(probe_on(), [this](core::Status&& ended) {
      if (!ended) probe_at(use_.clock.steady_now() + kProbePause);  // else nothing would ever close the breaker
    }).detach();
  });
}

// One at a time: while there are probes, only they change the breaker's state, and who does that goes. What is still away is asked
// again and again before the breaker lets anything pass, so that it is found soon after it is back.
core::Task<core::Status> DependencyGuard::probe_on() {
  core::Task<core::CallVerdict> first = probe_once();
  core::CallVerdict verdict = co_await std::move(first);
  count(verdict);
  bool goes_on = verdict == core::CallVerdict::kSuccess;
  decides_.store(goes_on, std::memory_order_release);
  while (goes_on) {
    auto permit = breaker_.acquire();
    if (!permit) break;
    core::Task<core::CallVerdict> next = probe_once();
    verdict = co_await std::move(next);
    if (settle(*permit, verdict)) {
      decides_.store(false, std::memory_order_release);
      co_return core::Status();
    }
    goes_on = verdict != core::CallVerdict::kNone;
  }
  decides_.store(false, std::memory_order_release);
  probe_at(use_.clock.steady_now() + kProbePause);
  co_return core::Status();
}

core::Task<core::CallVerdict> DependencyGuard::probe_once() {
  const core::Deadline deadline = core::Deadline::after(probe_time_, use_.clock);
  core::Task<core::Status> asking = probe_(deadline);
  const core::Status outcome = co_await result_in_time(std::move(asking), use_.timers, with_slack(deadline));
  if (outcome) co_return core::CallVerdict::kSuccess;
  if (is_time_out(outcome.error().code, deadline)) co_return core::CallVerdict::kFailure;
  co_return core::verdict_of(outcome.error().code);
}

}  // namespace scalestyle::search
