#include "redis_stack.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

namespace scalestyle::app {

namespace {

using adapters::redis::RedisClient;

constexpr std::size_t kMaxPrefixBytes = 64;

std::vector<std::string> nodes_of(std::string_view list) {
  std::vector<std::string> nodes;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view node = list.substr(0, comma);
    while (node.starts_with(' ')) node.remove_prefix(1);
    while (node.ends_with(' ')) node.remove_suffix(1);
    if (!node.empty()) nodes.emplace_back(node);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return nodes;
}

// Braces in a prefix would put all keys into one slot of a Cluster, and other marks mean something in an ACL's patterns.
core::Status check_prefix(const std::string& prefix) {
  constexpr std::string_view kMarks = ":_-.";
  const bool plain = std::ranges::all_of(prefix, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kMarks.contains(c);
  });
  if (plain && prefix.size() <= kMaxPrefixBytes) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    "redis_prefix is \"" + prefix + "\": it has at most 64 letters, digits, ':', '_', '-' and '.'",
                    "redis_prefix");
}

// The setting that stands for a field of RedisClient::Options.
std::string setting_of(const std::string& field) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames{{{"nodes", "redis_nodes"},
                                                                                 {"username", "redis_username"},
                                                                                 {"password", "redis_password"},
                                                                                 {"ca_file", "redis_ca_file"},
                                                                                 {"connections_per_node", "redis_connections"},
                                                                                 {"command_timeout", "redis_timeout_ms"}}};
  const auto* found = std::ranges::find(kNames, field, &std::pair<std::string_view, std::string_view>::first);
  return found == kNames.end() ? field : std::string(found->second);
}

}  // namespace

std::vector<std::string> with_redis_settings(std::vector<std::string> names) {
  constexpr std::array kNames{"redis_nodes",   "redis_username", "redis_password",   "redis_tls",
                              "redis_ca_file", "redis_prefix",   "redis_timeout_ms", "redis_connections"};
  names.insert(names.end(), kNames.begin(), kNames.end());
  return names;
}

core::Result<std::unique_ptr<RedisStack>> RedisStack::open(const core::Settings& settings,
                                                           RedisClient::Dependencies dependencies) {
  RedisClient::Options options;
  options.nodes = nodes_of(settings.text("redis_nodes"));
  if (options.nodes.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      "redis_nodes is not set: name the Redis server, or some nodes of the Cluster, as host:port,host:port",
                      "redis_nodes");
  }
  options.username = settings.text("redis_username");
  options.password = settings.text("redis_password");
  options.tls = settings.boolean("redis_tls");
  options.ca_file = settings.text("redis_ca_file");
  options.connections_per_node = static_cast<std::size_t>(settings.integer("redis_connections"));
  options.command_timeout = std::chrono::milliseconds(settings.integer("redis_timeout_ms"));
  CORE_CHECK(check_prefix(settings.text("redis_prefix")));
  auto client = RedisClient::create(std::move(options), dependencies);
  if (!client) {
    core::Error error = std::move(client).error();
    error.field = setting_of(error.field);
    return std::unexpected(std::move(error));
  }
  return std::unique_ptr<RedisStack>(new RedisStack(std::move(*client), settings.text("redis_prefix")));
}

void RedisStack::stop() {
  client_->stop();
  if (io_.joinable()) io_.join();
}

}  // namespace scalestyle::app
