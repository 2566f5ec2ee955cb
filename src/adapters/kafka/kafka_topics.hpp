#pragma once
// The topics that the service needs: made where they are missing, and compared with what is wanted where they exist.
// Thread safety: free functions without state. They block: for the start of a process and the command line.

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/kafka_options.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::kafka {

struct KafkaTopicPlan {
  std::int32_t partitions = 12;    // 1 … 1,000
  std::int16_t replication = 0;    // 0: three, or as many as there are brokers
  std::chrono::hours retention{24 * 7};
  std::chrono::hours dead_letter_retention{24 * 14};

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

// Makes the topic of events, the tiers, the dead letters and the impressions where they are missing; never changes one that
// exists. The result is what a person should know: partitions other than planned, too few replicas to lose a broker, fewer
// replicas than must be in sync. Errors: kUnavailable (no broker answers), kPermissionDenied (names the topic and the right),
// kInvalidArgument (as the broker says).
[[nodiscard]] core::Result<std::vector<std::string>> ensure_topics(const KafkaOptions& kafka, const KafkaTopics& topics,
                                                                   const KafkaTopicPlan& plan, std::chrono::milliseconds timeout);

// One topic, for tests and tools. kAlreadyExists.
struct KafkaTopicSpec {
  std::string name{};
  std::int32_t partitions = 1;
  std::int16_t replication = 1;
  std::vector<std::pair<std::string, std::string>> settings{};  // "retention.ms" …
};
[[nodiscard]] core::Status create_topic(const KafkaOptions& kafka, const KafkaTopicSpec& topic,
                                        std::chrono::milliseconds timeout);

}  // namespace scalestyle::adapters::kafka
