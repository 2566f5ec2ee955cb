#include "store_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <utility>

namespace scalestyle::app {

namespace {

constexpr std::int64_t kLogDays = 7;  // KafkaTopicPlan::retention

// What a chosen engine needs to be told.
void require(const core::Settings& settings, const char* choice, const char* engine, const char* setting, std::vector<std::string>& missing,
             std::string& field) {
  if (settings.text(choice) != engine || settings.is_set(setting)) return;
  missing.push_back(fmt::format("{}={} needs {}", choice, engine, setting));
  if (field.empty()) field = setting;
}

}  // namespace

#ifdef SCALESTYLE_WITH_KAFKA
bool has_kafka() { return true; }
#else
bool has_kafka() { return false; }
#endif
#ifdef SCALESTYLE_WITH_MILVUS
bool has_milvus() { return true; }
#else
bool has_milvus() { return false; }
#endif

std::vector<std::string> with_store_settings(std::vector<std::string> names) {
  for (const char* name : {"event_log", "feature_store", "catalog_store", "vector_store"}) names.emplace_back(name);
  return names;
}

core::Result<StoreChoice> choose_stores(const core::Settings& settings, Role role) {
  StoreChoice choice;
  choice.log_in_kafka = settings.text("event_log") == "kafka";
  choice.features_in_redis = settings.text("feature_store") == "redis";
  choice.catalog_in_redis = settings.text("catalog_store") == "redis";
  choice.vectors_in_milvus = settings.text("vector_store") == "milvus";
  choice.vectors_in_graph = settings.text("vector_store") == "graph";
  choice.consumes = role != Role::kGateway || !choice.log_in_kafka || !choice.features_in_redis;
  if (choice.log_in_kafka && !has_kafka()) {
    return core::fail(core::ErrorCode::kUnsupported, "event_log=kafka: this program was built without Kafka", "event_log");
  }
  if (choice.vectors_in_milvus && !has_milvus()) {
    return core::fail(core::ErrorCode::kUnsupported, "vector_store=milvus: this program was built without Milvus", "vector_store");
  }
  std::vector<std::string> missing;
  std::string field;
  require(settings, "event_log", "kafka", "kafka_brokers", missing, field);
  require(settings, "feature_store", "redis", "redis_nodes", missing, field);
  require(settings, "catalog_store", "redis", "redis_nodes", missing, field);
  require(settings, "vector_store", "milvus", "milvus_address", missing, field);
  if (choice.log_in_kafka && choice.features_in_redis && settings.integer("redis_marker_days") <= kLogDays) {
    missing.push_back(fmt::format("redis_marker_days must be above {}, the days that Kafka keeps events: an older one could count twice", kLogDays));
    if (field.empty()) field = "redis_marker_days";
  }
  if (role == Role::kConsumer && !(choice.log_in_kafka && choice.features_in_redis)) {
    missing.emplace_back("a consumer carries events from Kafka to Redis: it needs event_log=kafka and feature_store=redis (an "
                         "embedded end is served by the process that holds it)");
    if (field.empty()) field = choice.log_in_kafka ? "feature_store" : "event_log";
  }
  if (role != Role::kConsumer && choice.needs_folder() && !settings.is_set("data")) {
    missing.emplace_back("--data is missing: an embedded event_log, feature_store, catalog_store or vector_store is in that folder");
    if (field.empty()) field = "data";
  }
  if (missing.empty()) return choice;
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}", fmt::join(missing, "; ")), field);
}

}  // namespace scalestyle::app
