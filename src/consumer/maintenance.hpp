#pragma once
// Maintenance: the job of the maintenance thread, a list of chores (writing impressions, checkpoints, retention,
// erasure), each done when its time comes. A chore that fails is logged, counted and tried again with growing delays;
// the others go on.
//
// It starts no thread: apps/ gives one to run(). Times are the injected clock's.
// Thread safety: run() and run_due() by one thread at a time; request() and stop() by any.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/backoff.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::consumer {

struct Chore {
  std::string name{};                    // in logs and metrics: snake_case, unique
  std::chrono::milliseconds interval{};  // from the end of one run to the next
  std::function<core::Status()> work{};  // may block: it has the thread for itself
  std::function<bool()> due_early{};     // asked at each tick; empty: only the interval counts
  bool at_end = false;                   // once more at a graceful end, in the order of the list
};

class Maintenance {
 public:
  struct Options {
    std::chrono::milliseconds tick{100};  // how often run() looks what is due
    Backoff::Options retry{std::chrono::milliseconds(500), std::chrono::milliseconds(60'000)};
    std::uint64_t seed = 1;
  };
  struct Dependencies {
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };

  // Every chore is due for the first time one interval from now.
  Maintenance(Dependencies dependencies, Options options, std::vector<Chore> chores);
  ~Maintenance();
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // Does chores on this thread until stop(), then those with at_end once.
  void run();
  void stop();

  // The chore is due at the next look, which is now; asserts that there is one of this name. A chore that waits after a
  // failure is tried at once.
  void request(std::string_view chore);

  // One look: does what is due, on the calling thread.
  void run_due();
  // What a graceful end does. The first failure, after all were tried.
  core::Status run_at_end();

 private:
  struct Entry;

  core::Status do_chore(Entry& entry);

  Dependencies use_;
  const Options options_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::set<std::string, std::less<>> requested_;  // guarded by mutex_
  bool stopping_ = false;                         // guarded by mutex_
};

}  // namespace scalestyle::consumer
