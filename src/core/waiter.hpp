#pragma once
// Waiter: one value that a task waits for; whoever settles it first (a result, a deadline, a stop) decides.
//
// Thread safety: settle() from any thread; the waiting task resumes on the thread that settled. One await.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"

namespace scalestyle::core {

template <class T>
class Waiter {
 public:
  // False when it was settled before. The task goes on inside.
  template <class Value>
  bool settle(Value&& value) {
    if (settled_.exchange(true, std::memory_order_acq_rel)) return false;
    slot_.set(T(std::forward<Value>(value)));
    return true;
  }
  auto operator co_await() noexcept { return slot_.operator co_await(); }

 private:
  std::atomic<bool> settled_{false};
  OneShot<T> slot_;
};

// Timers of one wait; those that have not fired are cancelled at its end.
class WaitTimers {
 public:
  explicit WaitTimers(TimerQueue& timers) : timers_(timers) {}
  ~WaitTimers() {
    for (const auto& id : scheduled_) timers_.cancel(id);
  }
  WaitTimers(const WaitTimers&) = delete;
  WaitTimers& operator=(const WaitTimers&) = delete;

  void at(SteadyTime time, std::function<void()> callback) {
    if (time != SteadyTime::max()) scheduled_.push_back(timers_.schedule(time, std::move(callback)));
  }

 private:
  TimerQueue& timers_;
  std::vector<TimerQueue::TimerId> scheduled_;
};

// Waits for `waiter`; calls late() at the deadline and cancelled() when the task is dropped. Both settle it.
// Give it named functions, not lambdas written in the co_await: GCC 12 destroys the captures of those twice (bug 101367).
template <class W, class Late, class Cancelled>
auto wait_for(std::shared_ptr<W> waiter, Deadline deadline, TimerQueue& timers, Late late, Cancelled cancelled)
    -> Task<std::decay_t<decltype(waiter->operator co_await().await_resume())>> {
  const std::stop_token stop = co_await current_stop_token();
  WaitTimers scheduled(timers);
  scheduled.at(deadline.time(), late);
  const std::stop_callback on_stop(stop, cancelled);
  auto value = co_await *waiter;
  co_return value;
}

// What settle() was given; kDeadlineExceeded or kCancelled when the deadline or the awaiter's stop came first.
[[nodiscard]] Task<Status> wait(std::shared_ptr<Waiter<Status>> waiter, Deadline deadline, TimerQueue& timers);

// Ends at `time`; kCancelled at the awaiter's stop.
[[nodiscard]] Task<Status> sleep_until(SteadyTime time, TimerQueue& timers);

}  // namespace scalestyle::core
