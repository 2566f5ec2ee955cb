#pragma once
// GenerationReporter: says again and again which generation a gateway serves, so that an ingest leaves it alone.
//
// Thread safety: start() and stop() from one thread. Destroy it after the threads of the timers and of `use` ended.

#include <atomic>
#include <chrono>
#include <string>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "ports/generation_use.hpp"
#include "search/snapshot_holder.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::search {

class GenerationReporter {
 public:
  struct Options {
    std::string gateway{};                     // its id, the same for its whole life
    std::chrono::milliseconds interval{5'000};
    std::chrono::milliseconds ttl{60'000};     // several failed reports are no harm
  };
  struct Dependencies {
    ports::GenerationUse& use;
    const SnapshotHolder& holder;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Logger& log;
  };

  GenerationReporter(Dependencies dependencies, Options options) : use_(dependencies), options_(std::move(options)) {}
  ~GenerationReporter() { stop(); }
  GenerationReporter(const GenerationReporter&) = delete;
  GenerationReporter& operator=(const GenerationReporter&) = delete;

  // The first report is sent at once, on the timers' thread.
  void start() { arm(std::chrono::milliseconds(0)); }
  void stop() { stopping_.store(true); }

 private:
  void arm(std::chrono::milliseconds wait);
  void report();

  Dependencies use_;
  const Options options_;
  std::atomic<bool> stopping_{false};
  std::string logged_error_;  // touched by one report at a time
};

}  // namespace scalestyle::search
