#pragma once
// The chores of the embedded shape, for Maintenance:
//   impressions_flush (1 s, and at the end)    writes the impressions that wait
//   feature_checkpoint (settings, and at the end)  makes effects durable, then lets the loop commit them to the stream
//   wal_checkpoint (1 s)                       keeps the log's write-ahead file within its bound
//   erasure (200 ms)                           erases what forgotten subjects left, once a checkpoint covers the wish
//   event_retention, impression_retention (60 s)
//
// Thread safety: as Maintenance.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/event_log_maintenance.hpp"
#include "adapters/embedded/impression_log.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "consumer/event_loop.hpp"
#include "consumer/feature_files.hpp"
#include "consumer/maintenance.hpp"
#include "core/clock.hpp"
#include "ports/feature_store.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::consumer {

// Checkpoints a feature store and tells the loop. Nothing is written when nothing was applied since the last time.
// One thread at a time.
class Checkpointer {
 public:
  struct Options {
    std::chrono::milliseconds deadline{120'000};  // of one checkpoint
    std::uint64_t events = 200'000;               // applied since the last one: then it is due before its interval ends
  };
  Checkpointer(ports::FeatureStore& features, EventLoop& loop, const core::Clock& clock, Options options)
      : features_(features), loop_(loop), clock_(clock), options_(options) {}

  [[nodiscard]] core::Status run();
  [[nodiscard]] bool due_early() const { return loop_.applied_events() - covered_ >= options_.events; }

 private:
  ports::FeatureStore& features_;
  EventLoop& loop_;
  const core::Clock& clock_;
  const Options options_;
  std::uint64_t covered_ = 0;  // of the loop's applied events
};

struct EmbeddedParts {
  adapters::embedded::SqliteEventLog& log;
  adapters::embedded::MemoryFeatureStore& features;
  adapters::embedded::SqliteImpressionLog& impressions;
  EventLoop& loop;
  const core::Clock& clock;
  telemetry::Logger& logger;
};

struct EmbeddedChoreOptions {
  Checkpointer::Options checkpoint{};
  std::chrono::milliseconds checkpoint_interval{30'000};
  std::chrono::milliseconds retention_interval{60'000};
  std::chrono::milliseconds flush_interval{1'000};    // of impressions
  std::chrono::milliseconds wal_interval{1'000};
  std::chrono::milliseconds erasure_interval{200};    // a person may wait for it
  adapters::embedded::WalCheckpointOptions wal{};
  adapters::embedded::RetentionRule event_retention{};
};

// Everything in `parts` must outlive the chores.
[[nodiscard]] std::vector<Chore> embedded_chores(const EmbeddedParts& parts, const FeatureFiles& files,
                                                 const EmbeddedChoreOptions& options);

// Where features are in another store: the chores of the log and the impressions. What is past retention goes as soon as its
// effects are durable: such a store's features cannot be rebuilt from it.
struct LogParts {
  adapters::embedded::SqliteEventLog& log;
  adapters::embedded::SqliteImpressionLog& impressions;
  const core::Clock& clock;
  telemetry::Logger& logger;
};
[[nodiscard]] std::vector<Chore> log_chores(const LogParts& parts, const EmbeddedChoreOptions& options);

// Where the log is another's: feature_checkpoint alone.
[[nodiscard]] std::vector<Chore> feature_chores(ports::FeatureStore& features, EventLoop& loop, const core::Clock& clock,
                                                const EmbeddedChoreOptions& options);

// Takes the subject, and the sessions that had become part of it, out of everything on disk but the log itself:
// impressions, horizon, candidates, checkpoint. Checkpoints that were put aside, and what tools left, are removed whole.
// May be repeated.
[[nodiscard]] core::Status scrub(const EmbeddedParts& parts, const FeatureFiles& files,
                                 const adapters::embedded::Forgotten& forgotten);

}  // namespace scalestyle::consumer
