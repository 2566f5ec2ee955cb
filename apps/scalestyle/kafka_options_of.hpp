#pragma once
// What the settings say of Kafka.

#include "adapters/kafka/kafka_options.hpp"
#include "adapters/kafka/kafka_record.hpp"
#include "adapters/kafka/kafka_topics.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"

namespace scalestyle::app {

// kInvalidArgument with the setting as field, each.
[[nodiscard]] core::Result<adapters::kafka::KafkaOptions> kafka_options(const core::Settings& settings);
[[nodiscard]] core::Result<adapters::kafka::KafkaTopics> kafka_topics(const core::Settings& settings);
[[nodiscard]] core::Result<adapters::kafka::KafkaTopicPlan> kafka_topic_plan(const core::Settings& settings);
// Weights of events that other producers wrote without one.
[[nodiscard]] adapters::kafka::KafkaReadOptions kafka_read_options(const core::Settings& settings);

}  // namespace scalestyle::app
