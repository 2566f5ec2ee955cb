#include "adapters/kafka/kafka_impression_log.hpp"

#include <utility>

#include "events/event_json.hpp"

namespace scalestyle::adapters::kafka {

namespace {

std::string key_of(const events::Impression& impression) {
  if (impression.user_id) return impression.user_id->value();
  return impression.session_id ? events::Subject::session(*impression.session_id).key() : impression.request_id;
}

}  // namespace

KafkaImpressionLog::KafkaImpressionLog(KafkaProducer& producer, telemetry::Metrics& metrics, std::string topic)
    : producer_(producer),
      topic_(std::move(topic)),
      dropped_(metrics.counter(
          {"scalestyle_impressions_dropped_total", "Impression records that were dropped.", {{"reason", "kafka"}}})) {
  // What was taken and did not arrive is counted where it is known.
  metrics.on_render(
      [&producer, lost = metrics.gauge({"scalestyle_kafka_lost_posts", "Impression records that Kafka did not take.", {}})] {
        lost.set(static_cast<double>(producer.lost_posts()));
      });
}

bool KafkaImpressionLog::note(events::Impression impression) {
  KafkaMessage message;
  message.topic = topic_;
  message.key = key_of(impression);
  message.value = events::to_json(impression);
  if (producer_.post(std::move(message))) return true;
  dropped_.add();
  return false;
}

core::Task<core::Result<std::vector<events::Impression>>> KafkaImpressionLog::history(events::Subject, std::size_t,
                                                                                      core::Deadline) {
  co_return core::fail(core::ErrorCode::kUnsupported, "a Kafka topic cannot be asked for what one subject was shown");
}

}  // namespace scalestyle::adapters::kafka
