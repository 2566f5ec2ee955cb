#pragma once
// The inside of MemoryFeatureStore. For this folder only.
//
// Locks, in the order in which they are taken: checkpointing (one checkpoint, copy or scrub at a time) → writer (apply,
// a few events at a time; begin and end of a freeze) → those of the tables and of the positions.

#include <map>
#include <mutex>
#include <span>

#include "adapters/embedded/applied_positions.hpp"
#include "adapters/embedded/feature_checkpoint.hpp"
#include "adapters/embedded/feature_state.hpp"
#include "adapters/embedded/memory_feature_store.hpp"

namespace scalestyle::adapters::embedded {

struct MemoryFeatureStore::Impl {
  struct Frozen {
    CheckpointHeader header{};
    std::vector<events::NameChange> item_names{};
    std::vector<events::NameChange> categories{};
    std::vector<events::NameCode> items{};
    SubjectTable::Changes subjects{};
  };

  Impl(FeatureCheckpoint opened, const events::FeatureOptions& options, Environment given);

  void apply_some(std::span<const events::LoggedEvent> events, AppliedPositions::Waiters& reached);
  void publish_metrics();
  [[nodiscard]] core::Result<std::vector<events::EventPosition>> checkpoint();
  [[nodiscard]] core::Status empty_journal();
  [[nodiscard]] Frozen freeze();
  [[nodiscard]] core::Status write(const Frozen& frozen);
  void thaw();
  void put_back(Frozen frozen);
  [[nodiscard]] std::vector<events::EventPosition> committed() const;

  Environment environment;
  FeatureCheckpoint file;  // guarded by checkpointing
  FeatureState state;
  AppliedPositions positions;
  std::mutex writer;
  std::mutex checkpointing;
  bool journal_used = false;  // guarded by checkpointing
  mutable std::mutex committed_mutex;
  std::vector<events::EventPosition> committed_positions;  // guarded by committed_mutex

  struct {
    telemetry::Gauge memory_bytes, subjects, items;
    telemetry::Counter evicted_subjects, evicted_items, expired_subjects, checkpoint_failures;
    telemetry::Histogram checkpoint_seconds;
  } metrics;
  Usage counted{};  // what the counters have been told; guarded by writer
};

}  // namespace scalestyle::adapters::embedded
