#pragma once
// TimedSlot: one value that comes from elsewhere, awaited until a deadline or a stop request, whichever is first.
// Whoever is late finds the slot taken and drops what it has.
//
// Thread safety: offer() from any thread, any number of times; await_slot() once. The awaiter resumes on the thread that
// offered, on the timers' thread, or on the one that requested the stop.

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"

namespace scalestyle::search {

template <class T>
class TimedSlot {
 public:
  // True when this value is the one.
  bool offer(T value) {
    if (taken_.exchange(true, std::memory_order_acq_rel)) return false;
    shot_.set(std::move(value));
    return true;
  }
  [[nodiscard]] bool taken() const { return taken_.load(std::memory_order_acquire); }
  [[nodiscard]] core::OneShot<T>& shot() { return shot_; }

 private:
  std::atomic<bool> taken_{false};
  core::OneShot<T> shot_;
};

// What was offered; kDeadlineExceeded at the deadline; kCancelled at a stop request.
template <class T>
core::Task<core::Result<T>> await_slot(std::shared_ptr<TimedSlot<core::Result<T>>> slot, core::TimerQueue& timers,
                                       core::Deadline deadline) {
  using Outcome = core::Result<T>;
  const std::stop_token stop = co_await core::current_stop_token();
  std::optional<core::TimerQueue::TimerId> timer;
  if (!slot->taken() && !deadline.is_never()) {
    timer = timers.schedule(deadline.time(), [slot] {
      slot->offer(Outcome(core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed while waiting")));
    });
  }
  // Resuming destroys the frame this callback lives in: it works on its own copy of the pointer.
  const auto on_stop = [&slot] {
    const auto self = slot;
    self->offer(Outcome(core::fail(core::ErrorCode::kCancelled, "the caller went away")));
  };
  const std::stop_callback stop_callback(stop, on_stop);
  Outcome outcome = co_await slot->shot();
  if (timer) timers.cancel(*timer);
  co_return outcome;
}

}  // namespace scalestyle::search
