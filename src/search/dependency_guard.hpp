#pragma once
// DependencyGuard: calls of one dependency behind its circuit breaker. A refused call fails at once with kCircuitOpen.
//
// A call always ends, by itself or a little after its deadline, so that one that hangs is seen. What counts as a failure is
// core::verdict_of(); besides, a call that was given up when its time was over is a time-out, however it was ended: by the
// dependency, by this guard, or by a caller that left at the same deadline. A caller that went away before that, and a call that
// had less than `fair_time`, say nothing of the dependency.
//
// With probe_with() no caller's call is a probe, and a breaker closes without traffic: once the time of an open one is over, a
// cheap call of its own is made in the background every second, until one succeeds; then more follow at once, whose verdicts close
// the breaker or open it again. Callers are refused until it is closed.
//
// Thread safety: every method may be called from any thread. Must outlive every call, and is ended after the timers' thread.

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "core/circuit_breaker.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "search/in_time.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class DependencyGuard {
 public:
  struct Options {
    std::string name{};  // "inference", "reranking", "vision", "vectors", "photos", "features": the label of metrics
    core::BreakerOptions breaker{};
    std::chrono::milliseconds fair_time{50};
  };
  struct Dependencies {
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger* log = nullptr;  // null: nothing is told
  };

  // An error is judged as that of a call. Must not wait for anything else, as timers' callbacks must not.
  using Probe = std::function<core::Task<core::Status>(core::Deadline)>;

  // `options` must be valid. The metrics must not be rendered once this is gone.
  DependencyGuard(Options options, Dependencies dependencies);
  DependencyGuard(const DependencyGuard&) = delete;
  DependencyGuard& operator=(const DependencyGuard&) = delete;

  // `time`: what one of these calls may take. Before any call, and once; what it uses must live until the timers' thread and those
  // that complete it have ended.
  void probe_with(Probe probe, std::chrono::milliseconds time);

  // What `call` gives. `judge` says what an answer without an error is: kFailure for one that only the end of its time explains.
  // Resumes on the thread that completed the call, on the timers' (kDeadlineExceeded), or on the one that cancelled.
  // Errors: those of the call; kCircuitOpen: it was not made; kDeadlineExceeded, kCancelled.
  template <class T>
  [[nodiscard]] core::Task<core::Result<T>> run(core::Task<core::Result<T>> call, core::Deadline deadline,
                                                core::CallVerdict (*judge)(const T&) = nullptr) {
    auto permit = probe_ ? breaker_.acquire_if_closed() : breaker_.acquire();
    if (!permit) {
      refused_.add();
      co_return std::unexpected(refusal());
    }
    const bool is_fair = deadline.remaining(use_.clock) >= options_.fair_time;
    core::Result<T> outcome = co_await result_in_time(std::move(call), use_.timers, with_slack(deadline));
    core::CallVerdict verdict = core::CallVerdict::kSuccess;
    if (outcome && judge != nullptr) verdict = judge(*outcome);
    const bool ran_out = outcome ? verdict == core::CallVerdict::kFailure : is_time_out(outcome.error().code, deadline);
    if (!outcome) verdict = core::verdict_of(outcome.error().code);
    if (ran_out) verdict = is_fair ? core::CallVerdict::kFailure : core::CallVerdict::kNone;
    static_cast<void>(settle(*permit, verdict));
    co_return outcome;
  }

  // Half-open only while something is tried: with probe_with(), while the breaker's own calls follow each other.
  [[nodiscard]] core::BreakerState state() const;
  [[nodiscard]] const std::string& name() const { return options_.name; }

 private:
  [[nodiscard]] core::Error refusal() const;
  [[nodiscard]] bool is_time_out(core::ErrorCode code, core::Deadline deadline) const;
  // The call knows its deadline itself, and what it has by then is not to be lost.
  [[nodiscard]] static core::Deadline with_slack(core::Deadline deadline);
  // The new state, where it changed.
  std::optional<core::BreakerState> settle(core::CircuitBreaker::Permit& permit, core::CallVerdict verdict);
  void probe_at(core::SteadyTime time);
  [[nodiscard]] core::Task<core::Status> probe_on();
  [[nodiscard]] core::Task<core::CallVerdict> probe_once();
  void count(core::CallVerdict verdict);

  const Options options_;
  const Dependencies use_;
  core::CircuitBreaker breaker_;
  Probe probe_;  // empty: callers' calls are probes
  std::chrono::milliseconds probe_time_{0};
  std::atomic<bool> decides_{false};  // probes follow each other: the last one found the dependency
  telemetry::Counter succeeded_;
  telemetry::Counter failed_;
  telemetry::Counter refused_;
  telemetry::Counter without_verdict_;
};

}  // namespace scalestyle::search
