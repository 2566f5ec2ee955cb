#include "adapters/kafka/kafka_event_log.hpp"

#include <fmt/format.h>

#include <cassert>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "adapters/kafka/kafka_record.hpp"
#include "events/event_id.hpp"
#include "events/validation.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::adapters::kafka {

namespace {

ports::AppendResult not_kept(core::Error error) {
  return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept, std::move(error)});
}

core::Status check_batch(const std::vector<events::Event>& batch) {
  if (batch.size() > events::kMaxBatchEvents) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("an append takes at most {} events", events::kMaxBatchEvents), "events");
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const events::Event& event = batch[i];
    if (event.subject().id.empty()) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("events[{}]: user_id or session_id is required", i),
                        "user_id");
    }
    if (auto checked = events::check_event(event); !checked) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("events[{}]: {}", i, checked.error().message),
                        checked.error().field);
    }
  }
  return {};
}

}  // namespace

core::Status KafkaEventLog::Options::validate() const {
  CORE_CHECK(KafkaTopics{topic}.validate());
  if (ack_timeout.count() < 100 || ack_timeout.count() > 60'000) {
    return core::fail(core::ErrorCode::kInvalidArgument, "kafka_ack_timeout_ms must be from 100 to 60,000",
                      "kafka_ack_timeout_ms");
  }
  return {};
}

KafkaEventLog::KafkaEventLog(KafkaProducer& producer, const core::Clock& clock, Options options)
    : producer_(producer), clock_(clock), options_(std::move(options)) {
  assert(options_.validate());
}

core::Task<ports::AppendResult> KafkaEventLog::append(std::vector<events::Event> batch, core::Deadline deadline) {
  return append_traced(std::move(batch), ports::TraceContext{}, deadline);
}

core::Task<ports::AppendResult> KafkaEventLog::append_traced(std::vector<events::Event> batch, ports::TraceContext trace,
                                                             core::Deadline deadline) {
  if (auto checked = check_batch(batch); !checked) co_return not_kept(std::move(checked).error());
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  telemetry::ActiveSpan span(context, "send " + options_.topic, telemetry::SpanKind::kProducer);
  span.set("messaging.system", "kafka");
  span.set("messaging.destination.name", std::string_view(options_.topic));
  span.set("messaging.batch.message_count", static_cast<std::int64_t>(batch.size()));
  if (span.recording()) trace.traceparent = span.traceparent();
  KafkaHeaders headers;
  if (!trace.traceparent.empty()) headers.emplace_back("traceparent", trace.traceparent);
  if (!trace.traceparent.empty() && !trace.tracestate.empty()) headers.emplace_back("tracestate", trace.tracestate);
  std::vector<KafkaMessage> messages;
  std::vector<std::size_t> place_of(batch.size());  // the message that carries the event
  std::unordered_map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto [known, fresh] = first.try_emplace(batch[i].event_id, messages.size());
    place_of[i] = known->second;
    if (fresh) {
      messages.push_back(
          {.topic = options_.topic, .key = record_key(batch[i]), .value = write_record(batch[i]), .headers = headers});
    }
  }
  const core::Deadline within = deadline.within(options_.ack_timeout, clock_);
  KafkaSent sent = co_await producer_.send(std::move(messages), within);
  if (!sent) {
    span.fail(core::to_string(sent.error().error.code));
    co_return std::unexpected(std::move(sent).error());
  }
  span.end();
  std::vector<ports::AppendedEvent> appended(batch.size());
  std::vector<bool> seen(sent->size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const KafkaPlace& place = (*sent)[place_of[i]];
    appended[i].position = {options_.topic, place.partition, place.offset};
    appended[i].duplicate = seen[place_of[i]];
    appended[i].mark = events::event_mark(batch[i].event_id);
    seen[place_of[i]] = true;
  }
  co_return appended;
}

core::Task<core::Result<std::vector<events::LoggedEvent>>> KafkaEventLog::history(events::Subject, std::int64_t, std::size_t,
                                                                                 core::Deadline) {
  co_return core::fail(core::ErrorCode::kUnsupported, "a Kafka topic cannot be asked for what one subject did");
}

core::Task<core::Result<ports::ErasureState>> KafkaEventLog::wait_erased(events::EventPosition, core::Deadline) {
  co_return ports::ErasureState::kUnreadable;
}

}  // namespace scalestyle::adapters::kafka
