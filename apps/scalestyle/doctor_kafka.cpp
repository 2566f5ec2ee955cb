// The Kafka that settings name.

#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adapters/kafka/kafka_cluster.hpp"
#include "doctor_parts.hpp"
#include "kafka_settings.hpp"

namespace scalestyle::app {

namespace {

namespace kafka = adapters::kafka;

core::Result<kafka::KafkaClusterFacts> look(const core::Settings& settings) {
  CORE_TRY(const auto options, kafka_options(settings));
  CORE_TRY(const auto topics, kafka_topics(settings));
  CORE_TRY(const auto plan, kafka_topic_plan(settings));
  return kafka::look_at_cluster(options, topics, plan, kKafkaDeadline);
}

}  // namespace

Checks check_kafka(const core::Settings& settings) {
  if (!settings.is_set("kafka_brokers")) return {};
  const auto facts = look(settings);
  if (!facts) {
    return {failed_at("kafka", settings.text("kafka_brokers"), facts.error(),
                   "are kafka_brokers, kafka_security and the user right, the brokers up, nothing in between closed?")};
  }
  Checks checks{passed("kafka", fmt::format("cluster {}, {} broker{}; spoken to by librdkafka {}",
                                            facts->cluster_id.empty() ? "without a name" : facts->cluster_id,
                                            facts->brokers, facts->brokers == 1 ? "" : "s", facts->client_version))};
  if (!facts->without_leader.empty()) {
    checks.push_back(failed("kafka_topics",
                            fmt::format("no leader for all partitions of {}", fmt::join(facts->without_leader, ", ")),
                            "bring the brokers back that have them: events of those partitions are refused"));
  } else if (!facts->findings.empty()) {
    checks.push_back(warned("kafka_topics", fmt::format("{}", fmt::join(facts->findings, "; ")),
                            "docs/formats/kafka.md says what is planned"));
  } else if (!facts->missing.empty()) {
    checks.push_back(passed("kafka_topics",
                            fmt::format("still to be made, as a server does at its start: {}", fmt::join(facts->missing, ", "))));
  } else {
    checks.push_back(passed("kafka_topics", "all are there, as planned"));
  }
  return checks;
}

}  // namespace scalestyle::app
