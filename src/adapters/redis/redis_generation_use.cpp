#include "adapters/redis/redis_generation_use.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "adapters/redis/store_errors.hpp"

namespace scalestyle::adapters::redis {

namespace {

constexpr std::size_t kMaxGatewayBytes = 64;

// KEYS: the set. ARGV: for how many milliseconds, and "<generation> <gateway>".
constexpr const char* kReport = R"lua(
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[1])), ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last)))
return 1
)lua";

constexpr const char* kUsed = R"lua(
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
)lua";

RedisCommand on_set(const std::string& key, const char* source, std::vector<std::string> arguments) {
  RedisCommand command;
  command.key = key;
  command.script = std::make_shared<const RedisScript>(source);
  command.arguments = {"1", key};
  for (std::string& argument : arguments) command.arguments.push_back(std::move(argument));
  return command;
}

}  // namespace

core::Task<core::Status> RedisGenerationUse::report(std::string gateway, core::GenerationId generation,
                                                    std::chrono::milliseconds ttl, core::Deadline deadline) {
  if (gateway.empty() || gateway.size() > kMaxGatewayBytes || !is_generation_name(generation.value())) {
    co_return core::fail(core::ErrorCode::kInvalidArgument,
                         fmt::format("a report needs a gateway of 1 to {} bytes and a generation, not \"{}\" and \"{}\"",
                                     kMaxGatewayBytes, gateway, generation.value()));
  }
  if (ttl < std::chrono::seconds(1)) {
    co_return core::fail(core::ErrorCode::kInvalidArgument,
                         fmt::format("a report holds for a second at least, not {} ms", ttl.count()));
  }
  const std::string key = keys_.generation_use();
  std::vector<std::string> arguments{std::to_string(ttl.count()), generation.value() + " " + gateway};
  RedisCommand command = on_set(key, kReport, std::move(arguments));
  auto reply = co_await client_.call(std::move(command), deadline);
  if (!reply) co_return std::unexpected(read_error(std::move(reply).error(), key));
  co_return core::Status();
}

core::Task<core::Result<std::set<core::GenerationId>>> RedisGenerationUse::used(core::Deadline deadline) {
  const std::string key = keys_.generation_use();
  RedisCommand command = on_set(key, kUsed, {});
  auto reply = co_await client_.call(std::move(command), deadline);
  if (!reply) co_return std::unexpected(read_error(std::move(reply).error(), key));
  std::set<core::GenerationId> generations;
  for (const RedisValue& member : reply->elements) {
    const std::string id = member.text.substr(0, member.text.find(' '));
    if (!is_generation_name(id)) co_return damaged_key(key, "it names what is no generation");
    generations.insert(core::GenerationId(id));
  }
  co_return generations;
}

}  // namespace scalestyle::adapters::redis
