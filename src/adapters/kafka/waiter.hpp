#pragma once
// Waiter: one value that a task waits for; whoever settles it first decides.

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/deadline.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"

namespace scalestyle::adapters::kafka {

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

// Timers of one wait; those that have not fired are cancelled at its end.
class WaitTimers {
 public:
  explicit WaitTimers(core::TimerQueue& timers) : timers_(timers) {}
  ~WaitTimers() {
    for (const auto& id : scheduled_) timers_.cancel(id);
  }
  WaitTimers(const WaitTimers&) = delete;
  WaitTimers& operator=(const WaitTimers&) = delete;

  void at(core::SteadyTime time, std::function<void()> callback) {
    if (time != core::SteadyTime::max()) scheduled_.push_back(timers_.schedule(time, std::move(callback)));
  }

 private:
  core::TimerQueue& timers_;
  std::vector<core::TimerQueue::TimerId> scheduled_;
};

}  // namespace scalestyle::adapters::kafka
