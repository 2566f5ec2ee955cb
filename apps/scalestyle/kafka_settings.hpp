#pragma once
// The settings of Kafka as the adapter takes them.

#include <string>
#include <vector>

#include "adapters/kafka/kafka_options.hpp"
#include "adapters/kafka/kafka_topics.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"

namespace scalestyle::app {

// Names of the settings that kafka_options() and kafka_topics() read, for a command's list.
[[nodiscard]] std::vector<std::string> kafka_connection_settings();

// The connection. kInvalidArgument with the setting as field; kNotFound for a password file that cannot be read.
[[nodiscard]] core::Result<adapters::kafka::KafkaOptions> kafka_options(const core::Settings& settings);

[[nodiscard]] core::Result<adapters::kafka::KafkaTopics> kafka_topics(const core::Settings& settings);

// kafka_partitions and kafka_replication.
[[nodiscard]] core::Result<adapters::kafka::KafkaTopicPlan> kafka_topic_plan(const core::Settings& settings);

}  // namespace scalestyle::app
