#pragma once
// EventRetention: removes events that are past retention from the log, so that the features can still be rebuilt: a copy
// of the features at the horizon stays, and a rebuild is that copy plus the events that are kept.
//
// A horizon must be a checkpoint that was made when the horizon's event was the newest. So copies of the checkpoint are
// kept as candidates, one each half period (or half of the size that is allowed); the newest candidate whose every event
// is past retention becomes the horizon, then the events go. Events are therefore kept for at least max_age and at most
// half as long again; max_bytes is the bound of the whole, candidates' spacing included.
//
// Any order of crashes is fine: a candidate becomes the horizon before its events go, and an event up to the
// horizon that is still there is passed over by a rebuild.
// Crash points: horizon.staged, horizon.candidate, horizon.promoted.
// Thread safety: run() on the maintenance thread.

#include <chrono>
#include <cstdint>
#include <utility>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/event_log_maintenance.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "consumer/feature_files.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::consumer {

class EventRetention {
 public:
  struct Dependencies {
    adapters::embedded::SqliteEventLog& log;
    adapters::embedded::MemoryFeatureStore& features;
    const core::Clock& clock;
    telemetry::Logger& logger;
  };

  EventRetention(Dependencies dependencies, FeatureFiles files, adapters::embedded::RetentionRule rule)
      : use_(dependencies), files_(std::move(files)), rule_(rule) {}

  // One look: promotes, removes, makes a candidate, as is due.
  [[nodiscard]] core::Status run();

 private:
  [[nodiscard]] core::Status promote(std::int64_t past);
  [[nodiscard]] core::Status remove_up_to_horizon(std::int64_t past);
  [[nodiscard]] core::Status add_candidate(events::EpochMs now_ms);
  // Up to here the horizon and the candidates reach.
  [[nodiscard]] core::Result<std::int64_t> newest_copy_offset(const adapters::embedded::EventLogFigures& figures) const;
  [[nodiscard]] core::Result<bool> candidate_is_due(std::int64_t newest, const adapters::embedded::EventLogFigures& figures,
                                                    events::EpochMs now_ms) const;

  Dependencies use_;
  const FeatureFiles files_;
  const adapters::embedded::RetentionRule rule_;
};

}  // namespace scalestyle::consumer
