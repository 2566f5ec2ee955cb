#pragma once
// TimerQueue: calls a function at a point in time, for waits that must end at a deadline whatever the other side does.
//
// It starts no thread: apps/ gives one to run(). Callbacks run there, one at a time, and must be short: resume a
// waiter, hand work to the pool. Times are the clock's steady times; a callback never runs early.
// Thread safety: every method may be called from any thread, callbacks included.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "core/clock.hpp"

namespace scalestyle::core {

class TimerQueue {
 public:
  using TimerId = std::pair<SteadyTime, std::uint64_t>;

  explicit TimerQueue(const Clock& clock) : clock_(clock) {}
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // Calls due functions on this thread until stop(); those that are not due then are dropped.
  void run();
  void stop();

  TimerId schedule(SteadyTime time, std::function<void()> callback);

  // True when the callback will not run; false when it ran, is running, or is unknown.
  bool cancel(const TimerId& id);

  // Runs what is due now on the calling thread: for tests that move the clock themselves.
  void run_due();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<TimerId, std::function<void()>> timers_;             // guarded by mutex_
  SteadyTime planned_wake_ = SteadyTime::min();      // guarded by mutex_; when run() looks again by itself
  std::uint64_t next_id_ = 0;                                    // guarded by mutex_
  bool stopping_ = false;                                        // guarded by mutex_
};

}  // namespace scalestyle::core
