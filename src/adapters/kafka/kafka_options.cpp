#include "adapters/kafka/kafka_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace scalestyle::adapters::kafka {

namespace {

constexpr std::array<std::pair<KafkaSecurity, std::string_view>, 4> kSecurityNames{
    {{KafkaSecurity::kPlaintext, "plaintext"},
     {KafkaSecurity::kSsl, "ssl"},
     {KafkaSecurity::kSaslPlaintext, "sasl_plaintext"},
     {KafkaSecurity::kSaslSsl, "sasl_ssl"}}};
constexpr std::array<KafkaTier, KafkaTopics::kTiers> kTierTable{
    {{"retry_1s", ".retry.1s", 1.0}, {"retry_10s", ".retry.10s", 10.0}, {"retry_60s", ".retry.60s", 60.0}}};

std::unexpected<core::Error> refuse(std::string what, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(what), std::move(field));
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

// "host:port" or "[v6]:port".
bool is_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || !is_visible(text)) return false;
  const auto port = text.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view to_string(KafkaSecurity security) {
  return std::ranges::find(kSecurityNames, security, &std::pair<KafkaSecurity, std::string_view>::first)->second;
}

core::Result<KafkaSecurity> parse_kafka_security(std::string_view text) {
  const auto found = std::ranges::find(kSecurityNames, text, &std::pair<KafkaSecurity, std::string_view>::second);
  if (found == kSecurityNames.end()) {
    return refuse(fmt::format("kafka_security is \"{}\"; it must be plaintext, ssl, sasl_plaintext or sasl_ssl", text),
                  "kafka_security");
  }
  return found->first;
}

core::Status KafkaOptions::validate() const {
  if (brokers.empty()) return refuse("kafka_brokers is not set: host:port, several with commas between", "kafka_brokers");
  std::string_view rest = brokers;
  while (true) {
    const auto comma = rest.find(',');
    if (!is_address(rest.substr(0, comma))) {
      return refuse(fmt::format("kafka_brokers: \"{}\" is not host:port", rest.substr(0, comma)), "kafka_brokers");
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (!ca_file.empty() && !uses_tls()) {
    return refuse("kafka_ca_file is set, but kafka_security does not use TLS", "kafka_ca_file");
  }
  if (!uses_sasl()) {
    if (!username.empty()) return refuse("kafka_username is set, but kafka_security does not use SASL", "kafka_username");
    return {};
  }
  if (sasl_mechanism != "SCRAM-SHA-512" && sasl_mechanism != "SCRAM-SHA-256" && sasl_mechanism != "PLAIN") {
    return refuse(fmt::format("kafka_sasl_mechanism is \"{}\"; it must be SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN", sasl_mechanism),
                  "kafka_sasl_mechanism");
  }
  if (username.empty()) return refuse("kafka_security uses SASL, but kafka_username is not set", "kafka_username");
  if (password.empty()) return refuse("kafka_security uses SASL, but kafka_password is not set", "kafka_password");
  return {};
}

const KafkaTier& kafka_tier(std::uint32_t number) {
  assert(number >= 1 && number <= KafkaTopics::kTiers);
  return kTierTable[number - 1];
}

std::string KafkaTopics::tier(std::uint32_t number) const { return events + std::string(kafka_tier(number).suffix); }

std::string KafkaTopics::impressions() const {
  const auto dot = events.rfind('.');
  return dot == std::string::npos ? events + ".impressions" : events.substr(0, dot) + ".impressions";
}

core::Status KafkaTopics::validate() const {
  const bool right =
      !events.empty() && events.size() <= kMaxEventsTopicBytes && events.front() != '.' && events.back() != '.' &&
      std::ranges::all_of(events, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'; });
  if (right) return {};
  return refuse(
      fmt::format("kafka_topic is \"{}\"; it must be 1 to {} of a-z, 0-9 and dots between them", events, kMaxEventsTopicBytes),
      "kafka_topic");
}

}  // namespace scalestyle::adapters::kafka
