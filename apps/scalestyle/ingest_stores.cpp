#include "ingest_stores.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "adapters/redis/redis_catalog_changes.hpp"
#include "adapters/redis/redis_catalog_target.hpp"
#include "adapters/redis/redis_generation_use.hpp"

namespace scalestyle::app {

std::vector<std::string> with_ingest_store_settings(std::vector<std::string> names) {
  for (const char* name : {"to", "popular_top", "allow_no_purchases", "event_weight_purchase", "popularity_half_life_hours"}) {
    names.emplace_back(name);
  }
  return with_milvus_filling_settings(with_redis_settings(std::move(names)));
}

core::Result<std::vector<std::string>> wanted_stores(const core::Settings& settings) {
  std::vector<std::string> wanted;
  std::string_view list = settings.text("to");
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string name(list.substr(0, comma));
    if (name != "redis" && name != "milvus") {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        "--to: '" + name + "' is no store that this program fills; it fills: redis, milvus", "to");
    }
    if (std::ranges::find(wanted, name) == wanted.end()) wanted.push_back(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return wanted;
}

IngestStoreStack::IngestStoreStack(Compute& compute)
    : log_({.level = telemetry::LogLevel::kError, .format = telemetry::LogFormat::kHuman}, compute.clock()) {}

core::Result<std::unique_ptr<IngestStoreStack>> IngestStoreStack::open(const core::Settings& settings, Compute& compute) {
  CORE_TRY(const auto wanted, wanted_stores(settings));
  std::unique_ptr<IngestStoreStack> stack(new IngestStoreStack(compute));
  const auto is_wanted = [&](const char* name) { return std::ranges::find(wanted, name) != wanted.end(); };
  // Who fills Milvus alone asks Redis, where one is named, which generations are served.
  if (is_wanted("redis") || (is_wanted("milvus") && settings.is_set("redis_nodes"))) {
    CORE_CHECK(stack->open_redis(settings, compute, is_wanted("redis")));
  }
  if (is_wanted("milvus")) {
    CORE_TRY(stack->milvus_, MilvusFilling::open(settings, {.clock = compute.clock(), .metrics = stack->metrics_, .use = stack->use_.get()}));
  }
  return stack;
}

core::Status IngestStoreStack::open_redis(const core::Settings& settings, Compute& compute, bool filled) {
  using namespace adapters::redis;
  CORE_TRY(redis_, RedisStack::open(settings, {compute.clock(), metrics_, log_}));
  const std::string& prefix = redis_->prefix();
  use_ = std::make_unique<RedisGenerationUse>(redis_->client(), RedisGenerationUse::Options{.prefix = prefix});
  if (!filled) return {};
  RedisCatalogTarget::Options options{.prefix = prefix};
  options.popularity_half_life_seconds = settings.number("popularity_half_life_hours") * 3'600;
  redis_target_ = std::make_unique<RedisCatalogTarget>(redis_->client(), compute.pool(), compute.clock(), std::move(options));
  changes_ = std::make_unique<RedisCatalogChanges>(redis_->client(), RedisCatalogChanges::Options{.prefix = prefix});
  return {};
}

ingest::IngestStores IngestStoreStack::stores() const {
  ingest::IngestStores stores;
  if (milvus_ != nullptr) stores.targets.push_back(&milvus_->target());
  if (redis_target_ != nullptr) stores.targets.push_back(redis_target_.get());
  stores.use = use_.get();
  stores.changes = changes_.get();
  return stores;
}

}  // namespace scalestyle::app
