#pragma once
// KafkaFailedRecords: the sink of failed records of an event loop over Kafka. Thread safety: as FailedRecordSink.

#include "adapters/kafka/kafka_record_router.hpp"
#include "consumer/failed_records.hpp"

namespace scalestyle::consumer {

class KafkaFailedRecords final : public FailedRecordSink {
 public:
  // `router` outlives the sink.
  explicit KafkaFailedRecords(adapters::kafka::KafkaRecordRouter& router) : router_(router) {}

  [[nodiscard]] core::Task<core::Status> keep(ports::UndecodableRecord record, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> put_off(events::LoggedEvent event, core::Error cause, core::Deadline deadline) override;

 private:
  adapters::kafka::KafkaRecordRouter& router_;
};

}  // namespace scalestyle::consumer
