#pragma once
// EmbeddedEvents: the event side of a server over one data folder, wired: log, impressions, features, the loop between
// them, and the chores that keep the files in order. What `serve` runs, and what the crash tests kill.
//
// Either end may be another engine's instead (Options::stream, Options::features): then the folder holds the other one alone.
// Features in memory keep the positions of the foreign log that they include; a checkpoint that cannot be read is put aside,
// and they are made anew from what that log still has.
//
// It starts no thread: apps/ gives one to write() (where the log is the folder's) and one to maintain().
// Thread safety: open(), start() and stop() from one thread; the parts as they say themselves.

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/impression_log.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "consumer/chores.hpp"
#include "consumer/event_loop.hpp"
#include "consumer/feature_files.hpp"
#include "consumer/maintenance.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/files.hpp"
#include "core/result.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "events/features.hpp"
#include "ports/event_stream.hpp"
#include "ports/feature_store.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

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
    ports::EventStream* stream = nullptr;      // of another log; null: the folder's own. Not both of these two
    ports::FeatureStore* features_elsewhere = nullptr;  // null: in memory, checkpointed in the folder
    FailedRecordSink* failed_records = nullptr;  // of another log; may be null

    // Every file in `folder`; everything else as it is.
    void use_folder(const std::filesystem::path& folder);
  };
  struct Services {
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
    telemetry::Tracer* tracer = nullptr;  // null: nothing is traced
  };

  // Opens or makes the files, with the repair that a crash or damage asks for (feature_repair.hpp). Blocks.
  // Errors: those of SqliteEventLog::open, SqliteImpressionLog::open and open_features.
  [[nodiscard]] static core::Result<std::unique_ptr<EmbeddedEvents>> open(Options options, Services services);
  EmbeddedEvents(const EmbeddedEvents&) = delete;
  EmbeddedEvents& operator=(const EmbeddedEvents&) = delete;

  // The body of the log writer's thread, and of the maintenance thread: until stop().
  [[nodiscard]] bool has_log() const { return log_ != nullptr; }
  void write() { log_->run(); }
  void maintain() { maintenance_->run(); }

  // Lets what the log holds take effect and waits for it. Both threads, the pool's and the timers' must run.
  // Errors: kDeadlineExceeded and what keeps the loop from going on.
  [[nodiscard]] core::Status start(core::Deadline deadline);

  // Ends gracefully: what has taken effect is checkpointed, what is queued is written. First the loop and maintain(),
  // then, once that thread has been joined, the log: stop_maintenance(), join, stop_writing(), join.
  void stop_maintenance();
  void stop_writing() { log_->stop(); }

  // Only where the end is the folder's own.
  [[nodiscard]] adapters::embedded::SqliteEventLog& log() { return *log_; }
  [[nodiscard]] adapters::embedded::MemoryFeatureStore& features() { return *features_; }
  [[nodiscard]] adapters::embedded::SqliteImpressionLog& impressions() { return *impressions_; }
  [[nodiscard]] EventLoop& loop() { return *loop_; }
  [[nodiscard]] Maintenance& maintenance() { return *maintenance_; }

 private:
  EmbeddedEvents(Options options, Services services);
  core::Status build();
  core::Status open_log();
  core::Status open_own_features();
  [[nodiscard]] std::vector<Chore> chores() const;

  Options options_;
  Services use_;
  FeatureFiles files_;
  std::optional<core::FileLock> lock_;  // where the log, which locks the folder, is another
  std::unique_ptr<adapters::embedded::SqliteEventLog> log_;
  std::unique_ptr<adapters::embedded::SqliteImpressionLog> impressions_;
  std::unique_ptr<adapters::embedded::MemoryFeatureStore> features_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Maintenance> maintenance_;
};

}  // namespace scalestyle::consumer
