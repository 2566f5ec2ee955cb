#pragma once
// What `scalestyle serve` runs of events, with its threads, over a folder: intervals and bounds are so small that
// checkpoints, retention and erasure are always at work.

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "consumer/embedded_events.hpp"
#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "events/features.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::crash {

// Steady time is real; the wall clock says what the function says.
class GivenWallClock final : public core::Clock {
 public:
  explicit GivenWallClock(std::function<events::EpochMs()> now_ms) : now_ms_(std::move(now_ms)) {}
  [[nodiscard]] core::SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(std::chrono::milliseconds(now_ms_())); }

 private:
  std::function<events::EpochMs()> now_ms_;
};

struct StackOptions {
  std::filesystem::path folder{};
  events::FeatureOptions features{};
  std::chrono::milliseconds retention{30'000};
  std::chrono::milliseconds chore_interval{3};
};

// Members are declared in the order in which they need each other. close() ends all threads in the order of serve's end.
class EventStack {
 public:
  [[nodiscard]] static core::Result<std::unique_ptr<EventStack>> open(const StackOptions& options, const core::Clock& clock);
  EventStack(const EventStack&) = delete;
  EventStack& operator=(const EventStack&) = delete;
  ~EventStack();

  // Ends gracefully: what was applied is checkpointed.
  void close();

  [[nodiscard]] adapters::embedded::SqliteEventLog& log() { return events_->log(); }
  [[nodiscard]] adapters::embedded::MemoryFeatureStore& features() { return events_->features(); }
  [[nodiscard]] adapters::embedded::SqliteImpressionLog& impressions() { return events_->impressions(); }
  [[nodiscard]] core::WorkerPool& pool() { return pool_; }
  [[nodiscard]] core::TimerQueue& timers() { return timers_; }

 private:
  explicit EventStack(const core::Clock& clock);
  core::Status start(const StackOptions& options);

  const core::Clock& clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger logger_;
  core::WorkerPool pool_;
  core::TimerQueue timers_;
  std::unique_ptr<consumer::EmbeddedEvents> events_;
  std::vector<std::thread> background_;  // pool and timers
  std::thread writer_;
  std::thread keeper_;
};

}  // namespace scalestyle::crash
