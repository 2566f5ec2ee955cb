#pragma once
// Waiter: one wait that several parties may end (a result, a deadline, a stop); the first to end it decides.
//
// Thread safety: end() from any thread. The waiting task resumes on the thread that ended the wait.

#include <atomic>
#include <memory>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"

namespace scalestyle::consumer {

class Waiter {
 public:
  void end(core::Status status) {
    if (!ended_.exchange(true)) shot_.set(std::move(status));
  }

 private:
  friend core::Task<core::Status> wait(std::shared_ptr<Waiter> waiter, core::Deadline deadline, core::TimerQueue& timers);
  std::atomic<bool> ended_{false};
  core::OneShot<core::Status> shot_;
};

// What end() was given; kDeadlineExceeded or kCancelled when the deadline or the awaiter's stop came first. One await.
[[nodiscard]] core::Task<core::Status> wait(std::shared_ptr<Waiter> waiter, core::Deadline deadline, core::TimerQueue& timers);

// Ends at `time`, or at the awaiter's stop.
[[nodiscard]] core::Task<core::Status> sleep_until(core::SteadyTime time, core::TimerQueue& timers);

}  // namespace scalestyle::consumer
