#pragma once
// How to reach a Kafka cluster, and the names of the topics in it. Plain values.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::adapters::kafka {

enum class KafkaSecurity : std::uint8_t { kPlaintext, kSsl, kSaslPlaintext, kSaslSsl };
[[nodiscard]] std::string_view to_string(KafkaSecurity security);  // "plaintext", "ssl", "sasl_plaintext", "sasl_ssl"
// kInvalidArgument, field "kafka_security".
[[nodiscard]] core::Result<KafkaSecurity> parse_kafka_security(std::string_view text);

struct KafkaOptions {
  std::string brokers{};                              // "host:port,host:port"; any of them is enough to find the others
  KafkaSecurity security = KafkaSecurity::kPlaintext;
  std::string ca_file{};                              // PEM; empty: the system's. Certificate and host name are always checked
  std::string sasl_mechanism = "SCRAM-SHA-512";       // or SCRAM-SHA-256, PLAIN
  std::string username{};
  std::string password{};
  std::string client_id = "scalestyle";

  [[nodiscard]] bool uses_tls() const { return security == KafkaSecurity::kSsl || security == KafkaSecurity::kSaslSsl; }
  [[nodiscard]] bool uses_sasl() const {
    return security == KafkaSecurity::kSaslPlaintext || security == KafkaSecurity::kSaslSsl;
  }

  // kInvalidArgument with the setting (kafka_brokers …) as field.
  [[nodiscard]] core::Status validate() const;
};

// The topic of events, and those named after it (docs/formats/kafka.md).
struct KafkaTopics {
  std::string events = "scalestyle.clicks";

  static constexpr std::uint32_t kTiers = 3;
  static constexpr std::size_t kMaxEventsTopicBytes = 22;  // with ".retry.10s" it still is a stream's name

  [[nodiscard]] std::string tier(std::uint32_t number) const;  // 1 … kTiers: "….retry.1s", ".retry.10s", ".retry.60s"
  [[nodiscard]] std::string dead_letters() const { return events + ".dlq"; }
  [[nodiscard]] std::string impressions() const;               // "scalestyle.impressions" beside "scalestyle.clicks"

  // kInvalidArgument, field "kafka_topic".
  [[nodiscard]] core::Status validate() const;
};

// Of a tier, 1 … KafkaTopics::kTiers.
struct KafkaTier {
  std::string_view label;  // "retry_1s"
  std::string_view suffix; // ".retry.1s"
  double delay_seconds;
};
[[nodiscard]] const KafkaTier& kafka_tier(std::uint32_t number);

}  // namespace scalestyle::adapters::kafka
