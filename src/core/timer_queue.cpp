#include "core/timer_queue.hpp"

namespace scalestyle::core {

void TimerQueue::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    run_due();
    lock.lock();
    if (stopping_) return;
    // A cancelled timer does not move the plan: waking once in vain costs less than a notification for each request.
    if (timers_.empty()) {
      planned_wake_ = SteadyTime::max();
      wake_.wait(lock);
    } else if (const auto first = timers_.begin()->first.first; first > clock_.steady_now()) {
      planned_wake_ = first;
      wake_.wait_until(lock, first);
    }
    planned_wake_ = SteadyTime::min();
  }
}

void TimerQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

TimerQueue::TimerId TimerQueue::schedule(SteadyTime time, std::function<void()> callback) {
  TimerId id;
  bool earlier = false;
  {
    const std::lock_guard lock(mutex_);
    id = {time, next_id_++};
    timers_.emplace(id, std::move(callback));
    earlier = time < planned_wake_;
    if (earlier) planned_wake_ = time;
  }
  if (earlier) wake_.notify_one();
  return id;
}

bool TimerQueue::cancel(const TimerId& id) {
  std::function<void()> dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  const auto found = timers_.find(id);
  if (found == timers_.end()) return false;
  dropped = std::move(found->second);
  timers_.erase(found);
  return true;
}

void TimerQueue::run_due() {
  while (true) {
    std::function<void()> callback;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || timers_.empty() || timers_.begin()->first.first > clock_.steady_now()) return;
      callback = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
    }
    callback();
  }
}

}  // namespace scalestyle::core
