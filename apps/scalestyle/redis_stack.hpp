#pragma once
// The connections to Redis that the settings name, with the thread that serves them.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/redis/redis_client.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"

namespace scalestyle::app {

// `names` and the settings of a connection to Redis.
[[nodiscard]] std::vector<std::string> with_redis_settings(std::vector<std::string> names);

class RedisStack {
 public:
  // Starts the thread; connects when the first command is given. kInvalidArgument with the setting as field: redis_nodes is not
  // set, or something that cannot be.
  [[nodiscard]] static core::Result<std::unique_ptr<RedisStack>> open(const core::Settings& settings,
                                                                      adapters::redis::RedisClient::Dependencies dependencies);
  RedisStack(const RedisStack&) = delete;
  RedisStack& operator=(const RedisStack&) = delete;
  ~RedisStack() { stop(); }

  // Ends all commands (kCancelled), connections and the thread. May be repeated; the client stays until the end of the object.
  void stop();

  [[nodiscard]] adapters::redis::RedisClient& client() { return *client_; }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }  // of all keys, for example "scalestyle:"

 private:
  RedisStack(std::unique_ptr<adapters::redis::RedisClient> client, std::string prefix)
      : client_(std::move(client)), prefix_(std::move(prefix)), io_([this] { client_->run(); }) {}

  std::unique_ptr<adapters::redis::RedisClient> client_;
  std::string prefix_;
  std::thread io_;
};

}  // namespace scalestyle::app
