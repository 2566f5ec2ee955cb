#include "adapters/kafka/kafka_record_router.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "adapters/kafka/failed_record.hpp"
#include "adapters/kafka/json_splice.hpp"
#include "adapters/kafka/kafka_record.hpp"

namespace scalestyle::adapters::kafka {

namespace {

KafkaHeaders trace_headers(const events::Delivery& delivery) {
  KafkaHeaders headers;
  if (!delivery.traceparent.empty()) headers.emplace_back("traceparent", delivery.traceparent);
  if (!delivery.tracestate.empty()) headers.emplace_back("tracestate", delivery.tracestate);
  return headers;
}

// The record as it was read, for another's fields in it; else as we would write it.
std::string original_of(const events::LoggedEvent& event) {
  const auto& bytes = event.delivery.bytes;
  return bytes != nullptr && is_json_object(*bytes) ? *bytes : write_record(event.event);
}

constexpr std::array<std::string_view, KafkaTopics::kTiers> kTierNames{"retry_1s", "retry_10s", "retry_60s"};

bool is_hopeless(core::ErrorCode code) {
  return code == core::ErrorCode::kInvalidArgument || code == core::ErrorCode::kUnsupported;
}

}  // namespace

KafkaRecordRouter::KafkaRecordRouter(KafkaProducer& producer, const core::Clock& clock, telemetry::Metrics& metrics,
                                     KafkaTopics topics)
    : producer_(producer), clock_(clock), topics_(std::move(topics)) {
  for (std::size_t i = 0; i < put_off_.size(); ++i) {
    put_off_[i] = metrics.counter({"events_retry_tier_routed_total", "Events put off, by the tier that they were sent to.",
                                   {{"retry_count", std::to_string(i + 1)}, {"retry_tier", std::string(kTierNames[i])}}});
  }
  const auto letters = [&](std::string_view reason) {
    return metrics.counter({"events_dlq_sent_total", "Records sent to the dead letters, by reason.", {{"reason", std::string(reason)}}});
  };
  hopeless_letters_ = letters(kPermanentFailure);
  tired_letters_ = letters(kMaxRetriesExceeded);
}

core::Task<core::Status> KafkaRecordRouter::put_off(events::LoggedEvent event, core::Error cause, core::Deadline deadline) {
  KafkaMessage message;
  telemetry::Counter counter;
  message.key = event.event.event_id;
  message.headers = trace_headers(event.delivery);
  const std::uint32_t retries = event.delivery.retries;
  const bool hopeless = is_hopeless(cause.code);
  if (!hopeless && retries < KafkaTopics::kTiers) {
    const RetryNote note{.count = retries + 1,
                         .topic = topics_.tier(retries + 1),
                         .routed_at = clock_.wall_now(),
                         .cause = cause.message,
                         .origin = event.origin()};
    message.topic = note.topic;
    message.value = write_retry(original_of(event), note);
    message.headers.emplace_back("x-retry-count", std::to_string(note.count));
    counter = put_off_[retries];
  } else {
    DeadLetter letter;
    letter.id = event.event.event_id;
    letter.reason = hopeless ? kPermanentFailure : kMaxRetriesExceeded;
    letter.error_message = hopeless ? "Invalid schema or data format" : fmt::format("Failed after {} retry attempts", retries);
    letter.cause = cause.message;
    letter.position = event.position;
    letter.origin = event.delivery.origin;
    letter.key = event.delivery.origin.stream.empty() ? record_key(event.event) : event.event.event_id;
    letter.value = original_of(event);
    letter.retry_count = retries;
    letter.traceparent = event.delivery.traceparent;
    letter.tracestate = event.delivery.tracestate;
    letter.time_seconds = to_seconds(clock_.wall_now());
    message.topic = topics_.dead_letters();
    message.value = write_dead_letter(letter);
    counter = hopeless ? hopeless_letters_ : tired_letters_;
  }
  core::Status status = co_await send(std::move(message), deadline, counter);
  co_return status;
}

core::Task<core::Status> KafkaRecordRouter::keep(ports::UndecodableRecord record, core::Deadline deadline) {
  DeadLetter letter;
  letter.id = fmt::format("{}:{}:{}", record.position.stream, record.position.partition, record.position.offset);
  letter.reason = kPermanentFailure;
  letter.error_message = "Invalid schema or data format";
  letter.cause = record.problem;
  letter.position = record.position;
  letter.origin = record.delivery.origin;
  letter.key = record.key;
  letter.value = std::move(record.bytes);
  letter.retry_count = record.delivery.retries;
  letter.traceparent = record.delivery.traceparent;
  letter.tracestate = record.delivery.tracestate;
  letter.time_seconds = to_seconds(clock_.wall_now());
  KafkaMessage message;
  message.topic = topics_.dead_letters();
  message.key = letter.id;
  message.value = write_dead_letter(letter);
  message.headers = trace_headers(record.delivery);
  core::Status status = co_await send(std::move(message), deadline, hopeless_letters_);
  co_return status;
}

core::Task<core::Status> KafkaRecordRouter::send(KafkaMessage message, core::Deadline deadline, telemetry::Counter counter) {
  std::vector<KafkaMessage> one;
  one.push_back(std::move(message));
  KafkaSent sent = co_await producer_.send(std::move(one), deadline);
  if (!sent) co_return std::unexpected(std::move(sent).error().error);
  counter.add();
  co_return core::Status{};
}

}  // namespace scalestyle::adapters::kafka
