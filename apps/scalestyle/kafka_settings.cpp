#include "kafka_settings.hpp"

#include <fmt/format.h>

#include <fstream>
#include <utility>

namespace scalestyle::app {

namespace kafka = adapters::kafka;

std::vector<std::string> kafka_connection_settings() {
  return {"kafka_brokers",  "kafka_topic",    "kafka_security",     "kafka_ca_file", "kafka_sasl_mechanism",
          "kafka_username", "kafka_password", "kafka_password_file"};
}

core::Result<kafka::KafkaOptions> kafka_options(const core::Settings& settings) {
  kafka::KafkaOptions options;
  options.brokers = settings.text("kafka_brokers");
  CORE_TRY(options.security, kafka::parse_kafka_security(settings.text("kafka_security")));
  options.ca_file = settings.text("kafka_ca_file");
  options.sasl_mechanism = settings.text("kafka_sasl_mechanism");
  options.username = settings.text("kafka_username");
  options.password = settings.text("kafka_password");
  if (settings.is_set("kafka_password_file")) {
    if (!options.password.empty()) {
      return core::fail(core::ErrorCode::kInvalidArgument, "kafka_password and kafka_password_file are both set",
                        "kafka_password_file");
    }
    const std::string& name = settings.text("kafka_password_file");
    std::ifstream file(name);
    if (!file || !std::getline(file, options.password) || options.password.empty()) {
      return core::fail(core::ErrorCode::kNotFound,
                        fmt::format("kafka_password_file: {} cannot be read, or its first line is empty", name),
                        "kafka_password_file");
    }
    if (options.password.back() == '\r') options.password.pop_back();
  }
  CORE_CHECK(options.validate());
  return options;
}

core::Result<kafka::KafkaTopics> kafka_topics(const core::Settings& settings) {
  kafka::KafkaTopics topics{settings.text("kafka_topic")};
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

}  // namespace scalestyle::app
