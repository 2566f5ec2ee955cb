#include "adapters/kafka/kafka_topics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "adapters/kafka/kafka_cluster.hpp"
#include "adapters/kafka/rdkafka_impl.hpp"

namespace scalestyle::adapters::kafka {

namespace {

using rdkafka::Owned;

struct KnownTopic {
  std::int32_t partitions = 0;
  std::size_t replicas = 0;
  bool has_leaders = false;  // all partitions can be written to
};
struct Cluster {
  std::size_t brokers = 0;
  std::map<std::string, KnownTopic> topics{};
};

core::Result<Cluster> describe(const rdkafka::Tool& client, const KafkaOptions& kafka, std::chrono::milliseconds timeout) {
  const rd_kafka_metadata_t* got = nullptr;
  const auto code = rd_kafka_metadata(client.get(), 1, nullptr, &got, static_cast<int>(timeout.count()));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client.fail(code, fmt::format("the brokers {} do not answer", kafka.brokers));
  const Owned<const rd_kafka_metadata_t> metadata(got);
  Cluster cluster;
  cluster.brokers = static_cast<std::size_t>(metadata->broker_cnt);
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    KnownTopic known{.partitions = topic.partition_cnt, .replicas = 1'000, .has_leaders = topic.partition_cnt > 0};
    for (int p = 0; p < topic.partition_cnt; ++p) {
      known.has_leaders = known.has_leaders && topic.partitions[p].leader >= 0;
      known.replicas = std::min(known.replicas, static_cast<std::size_t>(topic.partitions[p].replica_cnt));
    }
    cluster.topics.emplace(topic.topic, known);
  }
  return cluster;
}

Owned<rd_kafka_AdminOptions_t> admin_options(rd_kafka_t* client, rd_kafka_admin_op_t operation,
                                             std::chrono::milliseconds timeout) {
  std::array<char, 256> problem{};
  Owned<rd_kafka_AdminOptions_t> options(rd_kafka_AdminOptions_new(client, operation));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(timeout.count()), problem.data(), problem.size());
  return options;
}

core::Status create(rd_kafka_t* client, const KafkaTopicSpec& spec, std::chrono::milliseconds timeout) {
  std::array<char, 512> problem{};
  Owned<rd_kafka_NewTopic_t> topic(
      rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, spec.replication, problem.data(), problem.size()));
  if (!topic) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("kafka: topic {}: {}", spec.name, problem.data()));
  for (const auto& [name, value] : spec.settings) rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  const auto options = admin_options(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
  rd_kafka_NewTopic_t* const wanted = topic.get();
  std::array<rd_kafka_NewTopic_t*, 1> all{wanted};
  rd_kafka_CreateTopics(client, all.data(), all.size(), options.get(), queue.get());
  const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), static_cast<int>(timeout.count()) + 1'000));
  if (!event) return core::fail(core::ErrorCode::kUnavailable, fmt::format("kafka: making topic {}: no answer", spec.name));
  const std::string what =
      fmt::format("making topic {} ({} partitions, {} replicas)", spec.name, spec.partitions, spec.replication);
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return rdkafka::fail(code, what, rd_kafka_event_error_string(event.get()));
  }
  std::size_t count = 0;
  const auto* const* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* const text = rd_kafka_topic_result_error_string(results[i]);
    return rdkafka::fail(code, what, text == nullptr ? std::string_view() : std::string_view(text));
  }
  return {};
}

// The controller has made them before all brokers know.
core::Status await_topics(const rdkafka::Tool& client, const KafkaOptions& kafka, const std::vector<std::string>& names,
                          std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kPause(20);
  std::string missing;
  for (auto waited = kPause; waited <= timeout; waited += kPause) {
    CORE_TRY(const Cluster cluster, describe(client, kafka, timeout));
    missing.clear();
    for (const auto& name : names) {
      const auto known = cluster.topics.find(name);
      if (known == cluster.topics.end() || !known->second.has_leaders) missing = name;
    }
    if (missing.empty()) return {};
    std::this_thread::sleep_for(kPause);
  }
  return core::fail(core::ErrorCode::kUnavailable, fmt::format("kafka: topic {} was made, but has no leaders yet", missing));
}

// A setting of a topic as the broker has it; nothing where it may not be read.
std::optional<std::size_t> topic_setting(rd_kafka_t* client, const std::string& topic, std::string_view name,
                                         std::chrono::milliseconds timeout) {
  const Owned<rd_kafka_ConfigResource_t> resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const auto options = admin_options(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout);
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
  std::array<rd_kafka_ConfigResource_t*, 1> all{resource.get()};
  rd_kafka_DescribeConfigs(client, all.data(), all.size(), options.get(), queue.get());
  const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), static_cast<int>(timeout.count()) + 1'000));
  if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  std::size_t count = 0;
  const auto* const* resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1 || rd_kafka_ConfigResource_error(resources[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  std::size_t entries = 0;
  const auto* const* configs = rd_kafka_ConfigResource_configs(resources[0], &entries);
  for (std::size_t i = 0; i < entries; ++i) {
    if (name != rd_kafka_ConfigEntry_name(configs[i])) continue;
    const char* const text = rd_kafka_ConfigEntry_value(configs[i]);
    std::size_t value = 0;
    const std::string_view digits = text == nullptr ? std::string_view() : std::string_view(text);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc()) return value;
  }
  return std::nullopt;
}

std::vector<KafkaTopicSpec> wanted_topics(const KafkaTopics& topics, const KafkaTopicPlan& plan, std::int16_t replication) {
  const auto milliseconds = [](std::chrono::hours hours) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(hours).count());
  };
  std::vector<KafkaTopicSpec> wanted;
  std::vector<std::string> plain{topics.events, topics.impressions()};
  for (std::uint32_t tier = 1; tier <= KafkaTopics::kTiers; ++tier) plain.push_back(topics.tier(tier));
  for (auto& name : plain) {
    wanted.push_back({std::move(name), plan.partitions, replication, {{"retention.ms", milliseconds(plan.retention)}}});
  }
  // Compacted as well: a dead letter that was dropped goes for good, by a tombstone of its key.
  wanted.push_back({topics.dead_letters(),
                    plan.partitions,
                    replication,
                    {{"retention.ms", milliseconds(plan.dead_letter_retention)},
                     {"cleanup.policy", "compact,delete"},
                     {"max.message.bytes", "4194304"}}});
  return wanted;
}

void compare(const KafkaTopicSpec& wanted, const KnownTopic& known, std::size_t brokers, std::vector<std::string>& findings) {
  if (known.partitions != wanted.partitions) {
    findings.push_back(fmt::format("topic {} has {} partitions, {} are planned; it stays as it is", wanted.name, known.partitions,
                                   wanted.partitions));
  }
  if (known.replicas < 2 && brokers > 1) {
    findings.push_back(
        fmt::format("topic {} has one replica: it is lost with its broker, though there are {}", wanted.name, brokers));
  }
}

}  // namespace

core::Status KafkaTopicPlan::validate() const {
  const auto refuse = [](std::string what, std::string field) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(what), std::move(field));
  };
  if (partitions < 1 || partitions > 1'000) return refuse("kafka_partitions must be from 1 to 1,000", "kafka_partitions");
  if (replication < 0 || replication > 9) return refuse("kafka_replication must be from 0 to 9", "kafka_replication");
  if (retention.count() < 1 || dead_letter_retention.count() < 1) {
    return refuse("a retention must be at least an hour", "retention");
  }
  return {};
}

core::Result<std::vector<std::string>> ensure_topics(const KafkaOptions& kafka, const KafkaTopics& topics,
                                                     const KafkaTopicPlan& plan, std::chrono::milliseconds timeout) {
  CORE_CHECK(topics.validate());
  CORE_CHECK(plan.validate());
  CORE_TRY(const auto client, rdkafka::Tool::make(kafka, RD_KAFKA_PRODUCER, {}));
  CORE_TRY(const Cluster cluster, describe(client, kafka, timeout));
  constexpr std::size_t kUsualReplicas = 3;
  const auto replication =
      plan.replication > 0 ? plan.replication : static_cast<std::int16_t>(std::min(kUsualReplicas, cluster.brokers));
  std::vector<std::string> findings;
  std::vector<std::string> fresh;
  for (const KafkaTopicSpec& wanted : wanted_topics(topics, plan, replication)) {
    const auto known = cluster.topics.find(wanted.name);
    if (known != cluster.topics.end()) {
      compare(wanted, known->second, cluster.brokers, findings);
      continue;
    }
    const auto made = create(client.get(), wanted, timeout);
    // Another process may have been quicker.
    if (!made && made.error().code != core::ErrorCode::kAlreadyExists) return std::unexpected(made.error());
    fresh.push_back(wanted.name);
  }
  CORE_CHECK(await_topics(client, kafka, fresh, timeout));
  const auto known = cluster.topics.find(topics.events);
  const std::size_t replicas = known == cluster.topics.end() ? static_cast<std::size_t>(replication) : known->second.replicas;
  if (const auto in_sync = topic_setting(client.get(), topics.events, "min.insync.replicas", timeout)) {
    if (*in_sync > replicas) {
      findings.push_back(fmt::format("topic {}: min.insync.replicas is {}, but it has {} replicas: no event can be acknowledged",
                                     topics.events, *in_sync, replicas));
    } else if (*in_sync == replicas && replicas > 1) {
      findings.push_back(fmt::format("topic {}: all {} replicas must be in sync: no event is acknowledged while a broker is away",
                                     topics.events, replicas));
    } else if (*in_sync < 2 && replicas > 1) {
      findings.push_back(
          fmt::format("topic {}: min.insync.replicas is 1: an acknowledged event can be lost with one broker", topics.events));
    }
  }
  return findings;
}

core::Result<KafkaClusterFacts> look_at_cluster(const KafkaOptions& kafka, const KafkaTopics& topics, const KafkaTopicPlan& plan,
                                                std::chrono::milliseconds timeout) {
  CORE_CHECK(topics.validate());
  CORE_CHECK(plan.validate());
  CORE_TRY(const auto client, rdkafka::Tool::make(kafka, RD_KAFKA_PRODUCER, {}));
  CORE_TRY(const Cluster cluster, describe(client, kafka, timeout));
  KafkaClusterFacts facts{.brokers = cluster.brokers, .client_version = rd_kafka_version_str()};
  // Told with the metadata: no time goes by.
  if (char* const id = rd_kafka_clusterid(client.get(), 0); id != nullptr) {
    facts.cluster_id = id;
    rd_kafka_mem_free(client.get(), id);
  }
  for (const KafkaTopicSpec& wanted : wanted_topics(topics, plan, plan.replication)) {
    const auto known = cluster.topics.find(wanted.name);
    if (known == cluster.topics.end()) {
      facts.missing.push_back(wanted.name);
      continue;
    }
    if (!known->second.has_leaders) facts.without_leader.push_back(wanted.name);
    compare(wanted, known->second, cluster.brokers, facts.findings);
  }
  return facts;
}

core::Status create_topic(const KafkaOptions& kafka, const KafkaTopicSpec& topic, std::chrono::milliseconds timeout) {
  CORE_TRY(const auto client, rdkafka::Tool::make(kafka, RD_KAFKA_PRODUCER, {}));
  CORE_CHECK(create(client.get(), topic, timeout));
  return await_topics(client, kafka, {topic.name}, timeout);
}

}  // namespace scalestyle::adapters::kafka
