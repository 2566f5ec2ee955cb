#pragma once
// A look at a Kafka cluster that changes nothing: for people and checks before a start.
// Thread safety: free functions without state. They block.

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "adapters/kafka/kafka_options.hpp"
#include "adapters/kafka/kafka_topics.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::kafka {

struct KafkaClusterFacts {
  std::size_t brokers = 0;
  std::string cluster_id{};                    // empty where the brokers do not tell
  std::string client_version{};                // of librdkafka; the protocol does not tell that of brokers
  std::vector<std::string> missing{};          // topics of the service that ensure_topics() would make
  std::vector<std::string> without_leader{};   // topics with a partition that cannot be written to
  std::vector<std::string> findings{};         // what a person should know of the topics that are there
};

// Errors: those of the options, kUnavailable (no broker answers within `timeout`), kPermissionDenied.
[[nodiscard]] core::Result<KafkaClusterFacts> look_at_cluster(const KafkaOptions& kafka, const KafkaTopics& topics,
                                                              const KafkaTopicPlan& plan, std::chrono::milliseconds timeout);

}  // namespace scalestyle::adapters::kafka
