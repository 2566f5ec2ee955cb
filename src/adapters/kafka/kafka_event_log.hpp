#pragma once
// KafkaEventLog: the event log on a Kafka topic. An event is acknowledged when all in-sync replicas have it.
//
// A log of many partitions: an event that is appended twice (a client's repetition) is in it twice, and takes effect once,
// because stores remember marks (events::event_mark) for longer than the topic keeps records. Within one append an id is sent
// once. Positions of one subject ascend in order of acceptance. Nothing can be looked up by subject, and a record cannot be
// removed by itself: what a forgotten subject did stays, unread, until the topic's retention takes it.
// Thread safety: every method may be called from any thread, concurrently.

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "adapters/kafka/kafka_producer.hpp"
#include "ports/event_log.hpp"

namespace scalestyle::adapters::kafka {

class KafkaEventLog final : public ports::EventLog {
 public:
  struct Options {
    std::string topic = "scalestyle.clicks";          // a name that KafkaTopics takes
    std::chrono::milliseconds ack_timeout{5'000};     // for an acknowledgement, within the caller's deadline; 100 … 60,000

    // kInvalidArgument with the setting as field.
    [[nodiscard]] core::Status validate() const;
  };

  // `options` must be valid; `producer` and `clock` outlive the log.
  KafkaEventLog(KafkaProducer& producer, const core::Clock& clock, Options options);

  [[nodiscard]] core::Task<ports::AppendResult> append(std::vector<events::Event> batch, core::Deadline deadline) override;
  // The trace context becomes headers of the records.
  [[nodiscard]] core::Task<ports::AppendResult> append_traced(std::vector<events::Event> batch, ports::TraceContext trace,
                                                              core::Deadline deadline) override;
  // kUnsupported.
  [[nodiscard]] core::Task<core::Result<std::vector<events::LoggedEvent>>> history(events::Subject subject,
                                                                                   std::int64_t after_offset, std::size_t limit,
                                                                                   core::Deadline deadline) override;
  // kUnreadable.
  [[nodiscard]] core::Task<core::Result<ports::ErasureState>> wait_erased(events::EventPosition position,
                                                                          core::Deadline deadline) override;
  [[nodiscard]] std::string refusal() const override { return producer_.refusal(); }

 private:
  KafkaProducer& producer_;
  const core::Clock& clock_;
  const Options options_;
};

}  // namespace scalestyle::adapters::kafka
