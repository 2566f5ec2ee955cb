#include "kafka_options_of.hpp"

#include <cstdint>

#include "event_stack.hpp"

namespace scalestyle::app {

namespace kafka = adapters::kafka;

core::Result<kafka::KafkaOptions> kafka_options(const core::Settings& settings) {
  kafka::KafkaOptions options;
  options.brokers = settings.text("kafka_brokers");
  CORE_TRY(options.security, kafka::parse_kafka_security(settings.text("kafka_security")));
  options.ca_file = settings.text("kafka_ca_file");
  options.sasl_mechanism = settings.text("kafka_sasl_mechanism");
  options.username = settings.text("kafka_username");
  options.password = settings.text("kafka_password");
  CORE_CHECK(options.validate());
  return options;
}

core::Result<kafka::KafkaTopics> kafka_topics(const core::Settings& settings) {
  kafka::KafkaTopics topics;
  topics.events = settings.text("kafka_topic");
  CORE_CHECK(topics.validate());
  return topics;
}

core::Result<kafka::KafkaTopicPlan> kafka_topic_plan(const core::Settings& settings) {
  kafka::KafkaTopicPlan plan;
  plan.partitions = static_cast<std::int32_t>(settings.integer("kafka_partitions"));
  plan.replication = static_cast<std::int16_t>(settings.integer("kafka_replication"));
  CORE_CHECK(plan.validate());
  return plan;
}

kafka::KafkaReadOptions kafka_read_options(const core::Settings& /*settings*/) { return {}; }

}  // namespace scalestyle::app
