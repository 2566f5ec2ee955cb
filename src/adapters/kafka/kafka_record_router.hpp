#pragma once
// KafkaRecordRouter: sends records that could not take effect where they are tried again later (the retry tiers), or kept for
// a person to look at (the dead letters). Each completes once the cluster has acknowledged the record where it went.
//
// A record is put off at most three times (1 s, 10 s, 60 s), then it is a dead letter. Nothing remembers which letters were
// written: one that fails again after a replay is written again.
// Thread safety: every method may be called from any thread.

#include <array>
#include <string>

#include "adapters/kafka/kafka_options.hpp"
#include "adapters/kafka/kafka_producer.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "events/event.hpp"
#include "ports/event_stream.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::kafka {

class KafkaRecordRouter {
 public:
  // `topics` must be valid; `producer`, `clock` and `metrics` outlive the router.
  KafkaRecordRouter(KafkaProducer& producer, const core::Clock& clock, telemetry::Metrics& metrics, KafkaTopics topics);

  // The event could not take effect this time, because of `cause`: to the tier of its retries so far, or a dead letter. A
  // cause that no repetition can mend (kInvalidArgument, kUnsupported) makes it a dead letter at once.
  // Errors: as KafkaProducer::send(); doing it again does no harm.
  [[nodiscard]] core::Task<core::Status> put_off(events::LoggedEvent event, core::Error cause, core::Deadline deadline);

  // The record can never take effect.
  [[nodiscard]] core::Task<core::Status> keep(ports::UndecodableRecord record, core::Deadline deadline);

 private:
  // `counter` counts what was acknowledged.
  core::Task<core::Status> send(KafkaMessage message, core::Deadline deadline, telemetry::Counter counter);

  KafkaProducer& producer_;
  const core::Clock& clock_;
  const KafkaTopics topics_;
  std::array<telemetry::Counter, KafkaTopics::kTiers> put_off_;  // by tier
  telemetry::Counter hopeless_letters_;
  telemetry::Counter tired_letters_;
};

}  // namespace scalestyle::adapters::kafka
