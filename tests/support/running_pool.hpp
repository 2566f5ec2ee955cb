#pragma once
// A WorkerPool with its threads, for tests; stops and joins at the end of its scope.

#include <cstddef>
#include <thread>
#include <vector>

#include "core/worker_pool.hpp"

namespace scalestyle::support {

class RunningPool {
 public:
  explicit RunningPool(std::size_t threads, std::size_t queue_capacity = 1024)
      : pool_({.threads = threads, .queue_capacity = queue_capacity}, clock_) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { pool_.run(); });
  }
  RunningPool(const RunningPool&) = delete;
  RunningPool& operator=(const RunningPool&) = delete;
  ~RunningPool() {
    pool_.stop();
    for (auto& thread : threads_) thread.join();
  }
  core::WorkerPool& operator*() { return pool_; }
  core::WorkerPool* operator->() { return &pool_; }
  [[nodiscard]] const core::Clock& clock() const { return clock_; }

 private:
  core::SystemClock clock_;
  core::WorkerPool pool_;
  std::vector<std::thread> threads_;
};

}  // namespace scalestyle::support
