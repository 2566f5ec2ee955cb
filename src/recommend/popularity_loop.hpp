#pragma once
// PopularityLoop: refreshes a Popularity by a TimerQueue, on the pool: every `interval`, and as soon as a bucket of the
// windows ends. Each round waits for the one before it. The first failure of a row is logged.
//
// Thread safety: start() and stop() from one thread. Destroy it after the TimerQueue's and the pool's threads ended.

#include <atomic>
#include <chrono>
#include <string>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "recommend/popularity.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::recommend {

class PopularityLoop {
 public:
  struct Options {
    std::chrono::milliseconds interval{1'000};
    std::chrono::milliseconds deadline{10'000};  // of one refresh
  };
  struct Dependencies {
    Popularity& popularity;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Logger& log;
  };

  PopularityLoop(Dependencies dependencies, Options options) : use_(dependencies), options_(options) {}
  ~PopularityLoop() { stop(); }
  PopularityLoop(const PopularityLoop&) = delete;
  PopularityLoop& operator=(const PopularityLoop&) = delete;

  // The first round begins at most one interval from now.
  void start();
  // No round begins afterwards; one in progress goes on to its end.
  void stop() { stopping_.store(true); }

 private:
  void arm();
  void refresh();
  [[nodiscard]] core::Task<core::Status> refresh_on_pool();
  void finished(const core::Status& status);

  Dependencies use_;
  Options options_;
  std::atomic<bool> stopping_{false};
  std::string logged_error_;  // touched by one round at a time
};

}  // namespace scalestyle::recommend
