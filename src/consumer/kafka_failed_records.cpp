#include "consumer/kafka_failed_records.hpp"

#include <utility>

namespace scalestyle::consumer {

core::Task<core::Status> KafkaFailedRecords::keep(ports::UndecodableRecord record, core::Deadline deadline) {
  return router_.keep(std::move(record), deadline);
}

core::Task<core::Status> KafkaFailedRecords::put_off(events::LoggedEvent event, core::Error cause, core::Deadline deadline) {
  return router_.put_off(std::move(event), std::move(cause), deadline);
}

}  // namespace scalestyle::consumer
