#pragma once
// The event side of a server over a folder, with its threads and a wall clock that a test moves. Chores are always due.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/embedded/event_log_maintenance.hpp"
#include "consumer/embedded_events.hpp"
#include "core/task.hpp"
#include "support/compute_threads.hpp"
#include "support/feature_events.hpp"

namespace scalestyle::consumer {

// Steady time is real.
class MovedClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(std::chrono::milliseconds(now_ms.load())); }
  std::atomic<events::EpochMs> now_ms{support::kFeatureNowMs};
};

class EventServer {
 public:
  EventServer(std::filesystem::path folder, const MovedClock& clock, std::chrono::milliseconds max_age = std::chrono::hours(24))
      : clock_(clock), log_({.level = telemetry::LogLevel::kInfo, .format = telemetry::LogFormat::kJson}, clock) {
    options_.use_folder(folder);
    options_.maintenance.tick = std::chrono::milliseconds(2);
    options_.loop.poll_wait = std::chrono::milliseconds(5);
    for (auto* interval : {&options_.chores.checkpoint_interval, &options_.chores.retention_interval,
                           &options_.chores.flush_interval, &options_.chores.wal_interval, &options_.chores.erasure_interval}) {
      *interval = std::chrono::milliseconds(3);
    }
    options_.chores.event_retention.max_age = max_age;
  }
  EventServer(const EventServer&) = delete;
  EventServer& operator=(const EventServer&) = delete;
  ~EventServer() { stop(); }

  EmbeddedEvents::Options& options() { return options_; }

  core::Status start() {
    auto opened = EmbeddedEvents::open(options_, {.pool = threads_.pool(), .timers = threads_.timers(), .clock = clock_,
                                                  .metrics = metrics_, .log = log_});
    if (!opened) return std::unexpected(opened.error());
    events_ = std::move(*opened);
    if (events_->has_log()) writer_ = std::thread([this] { events_->write(); });
    keeper_ = std::thread([this] { events_->maintain(); });
    return events_->start(core::Deadline::never());
  }

  void stop() {
    if (keeper_.joinable()) {
      events_->stop_maintenance();
      keeper_.join();
    }
    if (writer_.joinable()) {
      events_->stop_writing();
      writer_.join();
    }
    if (!stopped_) threads_.stop();
    stopped_ = true;
    events_.reset();
  }

  events::EventPosition append(std::vector<events::Event> batch) {
    const auto appended = core::sync_wait(events_->log().append(std::move(batch), core::Deadline::never()));
    EXPECT_TRUE(appended) << (appended ? "" : appended.error().error.message);
    return appended ? appended->back().position : events::EventPosition{};
  }

  // Until what maintenance does is seen; a test that hangs here is ended by its own time limit.
  void wait_until(const std::function<bool(const adapters::embedded::EventLogFigures&)>& reached) {
    while (!reached(adapters::embedded::figures(events_->log()).value())) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  EmbeddedEvents& events() { return *events_; }
  telemetry::Metrics& metrics() { return metrics_; }

 private:
  const MovedClock& clock_;
  support::ComputeThreads threads_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_;
  EmbeddedEvents::Options options_;
  std::unique_ptr<EmbeddedEvents> events_;
  std::thread writer_;
  std::thread keeper_;
  bool stopped_ = false;
};

}  // namespace scalestyle::consumer
