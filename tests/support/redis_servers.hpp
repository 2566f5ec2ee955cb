#pragma once
// The Redis servers that the tests of this program share, and what speaks to one of them under a prefix of its own.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/redis/catalogue_keys.hpp"
#include "adapters/redis/redis_client.hpp"
#include "core/task.hpp"
#include "support/real_server.hpp"
#include "support/running_pool.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::support {

enum class RedisShape { kPlain, kTls, kCluster };

inline std::string name_of(RedisShape shape) {
  if (shape == RedisShape::kCluster) return "cluster";
  return shape == RedisShape::kTls ? "tls" : "plain";
}

// An environment of the program: starts them before the first test, stops them after the last one. In one file of it:
//   const auto* const kServers = ::testing::AddGlobalTestEnvironment(new support::RedisServers({RedisShape::kPlain}));
class RedisServers : public ::testing::Environment {
 public:
  explicit RedisServers(std::vector<RedisShape> shapes) : shapes_(std::move(shapes)) {}

  void SetUp() override {
    for (const RedisShape shape : shapes_) {
      auto started = RealServer::start("redis.sh", {name_of(shape)});
      if (!started) {
        if (started.error().code == core::ErrorCode::kNotFound && !on_ci()) GTEST_SKIP() << started.error().message;
        FAIL() << started.error().message;
      }
      servers()[shape] = std::move(*started);
    }
  }
  void TearDown() override { servers().clear(); }

  static RealServer& of(RedisShape shape) { return *servers().at(shape); }

 private:
  static std::map<RedisShape, std::unique_ptr<RealServer>>& servers() {
    static std::map<RedisShape, std::unique_ptr<RealServer>> all;
    return all;
  }

  std::vector<RedisShape> shapes_;
};

// A client with its thread.
class RunningRedis {
 public:
  explicit RunningRedis(RedisShape shape, std::string prefix = new_prefix()) : keys{std::move(prefix)} {
    RealServer& server = RedisServers::of(shape);
    adapters::redis::RedisClient::Options options;
    options.nodes = {"127.0.0.1:" + server.value("port")};
    options.command_timeout = std::chrono::seconds(20);
    if (shape == RedisShape::kTls) {
      options.tls = true;
      options.ca_file = server.value("ca_file");
      options.username = "app";
      options.password = server.value("app_password");
    }
    client_ = adapters::redis::RedisClient::create(std::move(options), {pool_.clock(), metrics_, log_}).value();
    io_ = std::thread([this] { client_->run(); });
  }
  ~RunningRedis() {
    client_->stop();
    io_.join();
  }

  // What the user of the TLS server may touch begins so.
  static std::string new_prefix() {
    static std::atomic<int> last{0};
    return "hm:" + std::to_string(++last) + ":";
  }

  [[nodiscard]] adapters::redis::RedisClient& client() { return *client_; }
  [[nodiscard]] core::WorkerPool& pool() { return *pool_; }
  [[nodiscard]] const core::Clock& clock() const { return pool_.clock(); }

  // `key` is the second word.
  adapters::redis::RedisValue run(std::vector<std::string> words) {
    adapters::redis::RedisCommand command;
    command.key = words.at(1);
    command.arguments = std::move(words);
    auto reply = core::sync_wait(client_->call(std::move(command), core::Deadline::never()));
    EXPECT_TRUE(reply) << (reply ? "" : reply.error().message);
    return reply.value_or(adapters::redis::RedisValue());
  }

  adapters::redis::CatalogueKeys keys;

 private:
  telemetry::Metrics metrics_;
  RunningPool pool_{2};
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, pool_.clock()};
  std::unique_ptr<adapters::redis::RedisClient> client_;
  std::thread io_;
};

}  // namespace scalestyle::support
