#include "adapters/kafka/kafka_options.hpp"

#include <gtest/gtest.h>

namespace scalestyle::adapters::kafka {
namespace {

std::string field_of(const KafkaOptions& options) {
  const auto status = options.validate();
  return status ? "" : status.error().field;
}

TEST(KafkaOptionsTest, ValidationNamesTheSetting) {
  KafkaOptions options;
  EXPECT_EQ(field_of(options), "kafka_brokers");
  for (const char* wrong : {"host", "host:", ":9092", "a:9092,", "a b:9092", "a:9x"}) {
    options.brokers = wrong;
    EXPECT_EQ(field_of(options), "kafka_brokers") << wrong;
  }
  options.brokers = "a:9092,[::1]:9093";
  EXPECT_EQ(field_of(options), "");
  options.ca_file = "/ca.pem";
  EXPECT_EQ(field_of(options), "kafka_ca_file");
  options.security = KafkaSecurity::kSaslSsl;
  EXPECT_EQ(field_of(options), "kafka_username");
  options.username = "shop";
  EXPECT_EQ(field_of(options), "kafka_password");
  options.password = "p";
  EXPECT_EQ(field_of(options), "");
  options.sasl_mechanism = "GSSAPI";
  EXPECT_EQ(field_of(options), "kafka_sasl_mechanism");
  options = {.brokers = "a:1", .username = "shop"};
  EXPECT_EQ(field_of(options), "kafka_username");
}

TEST(KafkaOptionsTest, NamesOfTopicsAreDerivedAndBounded) {
  const KafkaTopics topics;
  EXPECT_EQ(topics.tier(1), "scalestyle.clicks.retry.1s");
  EXPECT_EQ(topics.tier(3), "scalestyle.clicks.retry.60s");
  EXPECT_EQ(topics.dead_letters(), "scalestyle.clicks.dlq");
  EXPECT_EQ(topics.impressions(), "scalestyle.impressions");
  EXPECT_TRUE(topics.validate());
  for (const char* wrong : {"", "Clicks", "a_b", ".a", "a.", "a-name-that-is-far-too-long"}) {
    EXPECT_FALSE(KafkaTopics{wrong}.validate()) << wrong;
  }
}

TEST(KafkaOptionsTest, SecurityHasFourNames) {
  for (const char* name : {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}) {
    EXPECT_EQ(to_string(*parse_kafka_security(name)), name);
  }
  EXPECT_EQ(parse_kafka_security("SSL").error().field, "kafka_security");
}

}  // namespace
}  // namespace scalestyle::adapters::kafka
