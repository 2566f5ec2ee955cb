#pragma once
// Waiter: one value that a task waits for until its deadline; whoever settles it first decides.

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "core/deadline.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"

namespace scalestyle::adapters::embedded::event_log {

template <class T>
class Waiter {
 public:
  // False when it was settled before. The task goes on inside.
  bool settle(T value) {
    if (settled_.exchange(true, std::memory_order_acq_rel)) return false;
    slot_.set(std::move(value));
    return true;
  }
  auto operator co_await() noexcept { return slot_.operator co_await(); }

 private:
  std::atomic<bool> settled_{false};
  core::OneShot<T> slot_;
};

// Waits for `waiter`; calls late() at the deadline and cancelled() when the task is dropped. Both settle it.
// Give it named functions, not lambdas written in the co_await: GCC 12 destroys the captures of those twice (bug 101367).
template <class W, class Late, class Cancelled>
auto wait_for(std::shared_ptr<W> waiter, core::Deadline deadline, core::TimerQueue& timers, Late late, Cancelled cancelled)
    -> core::Task<std::decay_t<decltype(waiter->operator co_await().await_resume())>> {
  const std::stop_token stop = co_await core::current_stop_token();
  std::optional<core::TimerQueue::TimerId> timer;
  if (!deadline.is_never()) timer = timers.schedule(deadline.time(), late);
  const std::stop_callback on_stop(stop, cancelled);
  auto value = co_await *waiter;
  if (timer) timers.cancel(*timer);
  co_return value;
}

}  // namespace scalestyle::adapters::embedded::event_log
