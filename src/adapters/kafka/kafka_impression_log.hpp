#pragma once
// KafkaImpressionLog: what answers showed, on a topic. A record may be dropped, counted, and never delays an answer.
// Thread safety: every method may be called from any thread, concurrently.

#include <cstddef>
#include <string>
#include <vector>

#include "adapters/kafka/kafka_producer.hpp"
#include "ports/impression_log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::kafka {

class KafkaImpressionLog final : public ports::ImpressionLog {
 public:
  // `topic`: KafkaTopics::impressions(). `producer` and `metrics` outlive the log.
  KafkaImpressionLog(KafkaProducer& producer, telemetry::Metrics& metrics, std::string topic);

  bool note(events::Impression impression) override;
  // kUnsupported.
  [[nodiscard]] core::Task<core::Result<std::vector<events::Impression>>> history(events::Subject subject, std::size_t limit,
                                                                                 core::Deadline deadline) override;

 private:
  KafkaProducer& producer_;
  const std::string topic_;
  telemetry::Counter dropped_;
};

}  // namespace scalestyle::adapters::kafka
