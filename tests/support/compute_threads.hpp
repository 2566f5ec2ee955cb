#pragma once
// A worker pool and a timer queue with their threads, for as long as the object lives. Declare it before what uses the
// pool, and call stop() before that is destroyed.

#include <cstddef>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "core/timer_queue.hpp"

namespace scalestyle::support {

class ComputeThreads {
 public:
  explicit ComputeThreads(std::size_t threads = 2, std::size_t queue_capacity = 1024)
      : pool_({threads, queue_capacity}, clock_), timers_(clock_) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { pool_.run(); });
    threads_.emplace_back([this] { timers_.run(); });
  }
  ComputeThreads(const ComputeThreads&) = delete;
  ComputeThreads& operator=(const ComputeThreads&) = delete;
  ~ComputeThreads() { stop(); }

  void stop() {
    timers_.stop();
    pool_.stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  [[nodiscard]] core::WorkerPool& pool() { return pool_; }
  [[nodiscard]] core::TimerQueue& timers() { return timers_; }
  [[nodiscard]] const core::Clock& clock() const { return clock_; }

 private:
  core::SystemClock clock_;
  core::WorkerPool pool_;
  core::TimerQueue timers_;
  std::vector<std::thread> threads_;
};

}  // namespace scalestyle::support
