#pragma once
// The Kafka of the settings, wired: the event log that a gateway appends to, what it shows noted, and the streams that consumers
// read, each with its thread.

#include <memory>
#include <string>
#include <vector>

#include "consumer/event_loop.hpp"
#include "consumer/failed_records.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "ports/event_log.hpp"
#include "ports/event_stream.hpp"
#include "ports/feature_store.hpp"
#include "ports/impression_log.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::app {

// `names` and the settings of Kafka.
[[nodiscard]] std::vector<std::string> with_kafka_settings(std::vector<std::string> names);

class KafkaStack {
 public:
  struct Services {
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
    telemetry::Tracer* tracer = nullptr;  // null: nothing is traced
  };
  // What an open consumer tells of itself.
  struct ConsumerState {
    std::string topic{};
    std::string trouble{};             // of its stream or its loop; empty while all goes well
    std::size_t assigned_partitions = 0;
    double seconds_since_step = 0;     // of its loop
    std::uint64_t lag = 0;
  };

  // Connects to nothing yet. kInvalidArgument with the setting as field; kUnsupported where the program is built without Kafka.
  [[nodiscard]] static core::Result<std::unique_ptr<KafkaStack>> open(const core::Settings& settings, Services services);
  ~KafkaStack();
  KafkaStack(const KafkaStack&) = delete;
  KafkaStack& operator=(const KafkaStack&) = delete;

  // Makes the topics that are missing. Errors: kUnavailable (no broker within the deadline), kPermissionDenied …
  [[nodiscard]] core::Status prepare_topics(core::Deadline deadline);

  // For who appends. Starts the producer's thread on first use.
  [[nodiscard]] core::Result<ports::EventLog*> log();
  [[nodiscard]] core::Result<ports::ImpressionLog*> impressions();

  // Every partition of the log, for features that keep their own positions.
  [[nodiscard]] core::Result<ports::EventStream*> all_partitions();
  [[nodiscard]] core::Result<consumer::FailedRecordSink*> failed_records();

  // Carries the log's events (primary), or those of the tiers that put them off (retry), into `features`, with the others of
  // the group, until stop(). `features` outlives it.
  [[nodiscard]] core::Status consume_primary(ports::FeatureStore& features);
  [[nodiscard]] core::Status consume_retries(ports::FeatureStore& features);
  [[nodiscard]] std::vector<ConsumerState> consumers() const;

  // Ends consumers gracefully (what took effect is committed), then the threads. May be repeated. While the timers' thread and
  // those of the feature store still run.
  void stop();

 private:
  struct Impl;
  explicit KafkaStack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::app
