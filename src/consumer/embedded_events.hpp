#pragma once
// EmbeddedEvents: the event side of a server over one data folder, wired: log, impressions, features, the loop between
// them, and the chores that keep the files in order. What `serve` runs, and what the crash tests kill.
//
// It starts no thread: apps/ gives one to write() and one to maintain().
// Thread safety: open(), start() and stop() from one thread; the parts as they say themselves.

#include <filesystem>
#include <memory>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/impression_log.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "consumer/chores.hpp"
#include "consumer/event_loop.hpp"
#include "consumer/feature_files.hpp"
#include "consumer/maintenance.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "events/features.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::consumer {

class EmbeddedEvents {
 public:
  struct Options {
    adapters::embedded::SqliteEventLog::Options log{};
    adapters::embedded::SqliteImpressionLog::Options impressions{};
    events::FeatureOptions features{};
    EventLoop::Options loop{};
    Maintenance::Options maintenance{};
    EmbeddedChoreOptions chores{};
    EffectObserver observer{};  // of the loop

    // Every file in `folder`; everything else as it is.
    void use_folder(const std::filesystem::path& folder);
  };
  struct Services {
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };

  // Opens or makes the files, with the repair that a crash or damage asks for (feature_repair.hpp). Blocks.
  // Errors: those of SqliteEventLog::open, SqliteImpressionLog::open and open_features.
  [[nodiscard]] static core::Result<std::unique_ptr<EmbeddedEvents>> open(Options options, Services services);
  EmbeddedEvents(const EmbeddedEvents&) = delete;
  EmbeddedEvents& operator=(const EmbeddedEvents&) = delete;

  // The body of the log writer's thread, and of the maintenance thread: until stop().
  void write() { log_->run(); }
  void maintain() { maintenance_->run(); }

  // Lets what the log holds take effect and waits for it. Both threads, the pool's and the timers' must run.
  // Errors: kDeadlineExceeded and what keeps the loop from going on.
  [[nodiscard]] core::Status start(core::Deadline deadline);

  // Ends gracefully: what has taken effect is checkpointed, what is queued is written. First the loop and maintain(),
  // then, once that thread has been joined, the log: stop_maintenance(), join, stop_writing(), join.
  void stop_maintenance();
  void stop_writing() { log_->stop(); }

  [[nodiscard]] adapters::embedded::SqliteEventLog& log() { return *log_; }
  [[nodiscard]] adapters::embedded::MemoryFeatureStore& features() { return *features_; }
  [[nodiscard]] adapters::embedded::SqliteImpressionLog& impressions() { return *impressions_; }
  [[nodiscard]] EventLoop& loop() { return *loop_; }
  [[nodiscard]] Maintenance& maintenance() { return *maintenance_; }

 private:
  EmbeddedEvents(Options options, Services services);
  core::Status build();

  Options options_;
  Services use_;
  FeatureFiles files_;
  std::unique_ptr<adapters::embedded::SqliteEventLog> log_;
  std::unique_ptr<adapters::embedded::SqliteImpressionLog> impressions_;
  std::unique_ptr<adapters::embedded::MemoryFeatureStore> features_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Maintenance> maintenance_;
};

}  // namespace scalestyle::consumer
