// RedisFeatureStore: whether a server can be used, before anything depends on it.

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "adapters/redis/redis_feature_store_impl.hpp"

namespace scalestyle::adapters::redis {

namespace {

// XRANGE with an exclusive begin, XTRIM MINID and ZADD GT are of 6.2.
constexpr std::pair<int, int> kLeastVersion{6, 2};
constexpr std::string_view kFormat = "1";

std::pair<int, int> version_of(std::string_view text) {
  std::pair<int, int> version{0, 0};
  const char* const end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, version.first);
  if (error == std::errc() && dot != end) std::from_chars(dot + 1, end, version.second);
  return version;
}

core::Error without_rights(core::Error error, const std::string& prefix) {
  const bool refused = error.code == core::ErrorCode::kPermissionDenied || error.code == core::ErrorCode::kFailedPrecondition;
  if (!refused) return as_store_error(std::move(error));
  return core::fail(core::ErrorCode::kPermissionDenied,
                    fmt::format("the feature store may not do all that it must: {}; the user needs the keys ~{}* and the commands of "
                                "docs/formats/redis.md",
                                error.message, prefix))
      .error();
}

}  // namespace

core::Task<core::Status> RedisFeatureStore::check(core::Deadline deadline) {
  CORE_CO_CHECK(co_await impl_->check_server(deadline));
  CORE_CO_CHECK(co_await impl_->check_rights(deadline));
  CORE_CO_CHECK(co_await impl_->check_meta(deadline));
  co_return co_await impl_->keeper.refresh(deadline);
}

core::Task<core::Status> RedisFeatureStore::Impl::check_server(core::Deadline deadline) {
  const auto facts = co_await environment.client.facts(deadline);
  if (!facts) co_return std::unexpected(facts.error());
  if (version_of(facts->version) < kLeastVersion) {
    co_return core::fail(core::ErrorCode::kFailedPrecondition,
                         fmt::format("Redis is {}; the feature store needs {}.{} or later", facts->version, kLeastVersion.first, kLeastVersion.second));
  }
  const std::string& policy = facts->eviction_policy;
  if (policy.empty()) {
    environment.log.warning("this Redis user may not ask for maxmemory-policy; it must be noeviction");
  } else if (policy != "noeviction" && !options.allow_eviction) {
    co_return core::fail(core::ErrorCode::kFailedPrecondition,
                         fmt::format("Redis may evict keys (maxmemory-policy is {}): events would be lost or count twice. Set it with "
                                     "CONFIG SET maxmemory-policy noeviction and in redis.conf, or allow it with redis_allow_eviction",
                                     policy),
                         "redis_allow_eviction");
  }
  context.replicas = options.replicas_acked.value_or(facts->replicas > 0 ? 1 : 0);
  environment.log.info("the feature store is in Redis", {{"version", facts->version},
                                                         {"cluster", facts->cluster},
                                                         {"masters", facts->masters},
                                                         {"replicas", facts->replicas},
                                                         {"replicas_acked", context.replicas}});
  co_return core::Status{};
}

// Every command that will be used, on keys of the probe's own; what only reads, on the real ones.
core::Task<core::Status> RedisFeatureStore::Impl::check_rights(core::Deadline deadline) {
  std::vector<RedisCommand> tries;
  const auto attempt = [&](std::vector<std::string> arguments) { tries.push_back(key_command(std::move(arguments))); };
  attempt({"GET", keys.probe("value")});
  attempt({"HGETALL", keys.meta()});
  attempt({"HSCAN", keys.items(), "0", "COUNT", "1"});
  attempt({"HMGET", keys.items(), "probe"});
  attempt({"ZRANGEBYSCORE", keys.changes(), "1", "1", "LIMIT", "0", "1"});
  if (!options.read_only) {
    const std::string value = keys.probe("value");
    const std::string aside = keys.probe("aside");
    const std::string stream = keys.probe("stream");
    const std::string hash = keys.probe("hash");
    const std::string sorted = keys.probe("zset");
    const std::string removed = keys.probe("removed");
    const std::string state = keys.probe("state");
    attempt({"DEL", value, aside, stream, hash, sorted, removed, state});
    tries.push_back(script_call(scripts.write_subject, {value, stream}, {"", "12345678", "60000", "probe", "10"}));
    tries.push_back(script_call(scripts.take_session, {value, aside}, {"12345678", "23456789", "60000", "probe", "60000"}));
    tries.push_back(script_call(scripts.advance_positions, {hash}, {"probe/0", "1"}));
    tries.push_back(script_call(scripts.hold_lease, {value}, {"23456789", "60000"}));
    tries.push_back(script_call(scripts.merge_popularity, {hash, sorted, removed, state},
                                {"0", "1", "1", "1", "1", "1", "0", "item", "record", "gone"}));
    attempt({"HSETNX", hash, "field", "1"});
    attempt({"SET", value, "", "PX", "60000"});
    attempt({"PEXPIRE", value, "60000"});
    attempt({"XRANGE", stream, "-", "+", "COUNT", "1"});
    attempt({"XTRIM", stream, "MINID", "0-1"});
    attempt({"ZADD", sorted, "GT", "1", "item"});
    attempt({"ZREM", sorted, "gone"});
    attempt({"ZREMRANGEBYRANK", sorted, "0", "-2"});
    attempt({"DEL", value, aside, stream, hash, sorted, removed, state});
  }
  const auto replies = co_await environment.client.pipeline(std::move(tries), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (const auto& reply : *replies) {
    if (!reply) co_return std::unexpected(without_rights(reply.error(), keys.prefix()));
  }
  co_return core::Status{};
}

// What all processes must agree on is written by the first.
core::Task<core::Status> RedisFeatureStore::Impl::check_meta(core::Deadline deadline) {
  const std::array<std::array<std::string, 3>, 4> wanted{{
      {"format", std::string(kFormat), "this program's"},
      {"shards", std::to_string(options.shards), "redis_shards"},
      {"affinity_half_life_seconds", fmt::format("{}", options.features.affinity_half_life_seconds), "affinity_half_life_seconds"},
      {"global_half_life_seconds", fmt::format("{}", options.features.global_half_life_seconds), "global_half_life_seconds"},
  }};
  std::vector<RedisCommand> calls;
  for (const auto& [field, value, setting] : wanted) {
    if (!options.read_only) calls.push_back(key_command({"HSETNX", keys.meta(), field, value}));
  }
  calls.push_back(key_command({"HGETALL", keys.meta()}));
  const auto replies = co_await environment.client.pipeline(std::move(calls), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (const auto& reply : *replies) {
    if (!reply) co_return std::unexpected(as_store_error(reply.error()));
  }
  const auto& fields = replies->back()->elements;
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    for (const auto& [field, value, setting] : wanted) {
      if (fields[i].text != field || fields[i + 1].text == value) continue;
      co_return core::fail(core::ErrorCode::kFailedPrecondition,
                           fmt::format("{} says {} {}, and {} is {}; give all processes the same, or another redis_prefix and rebuild from the log",
                                       keys.meta(), field, fields[i + 1].text, setting, value),
                           setting);
    }
  }
  co_return core::Status{};
}

}  // namespace scalestyle::adapters::redis
