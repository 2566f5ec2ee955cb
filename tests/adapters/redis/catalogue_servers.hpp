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

namespace scalestyle::adapters::redis {

enum class Shape { kPlain, kTls, kCluster };

inline std::string name_of(Shape shape) { return shape == Shape::kPlain ? "plain" : shape == Shape::kTls ? "tls" : "cluster"; }

// Registered as an environment: starts all of them before the first test, stops them after the last one.
class CatalogueServers : public ::testing::Environment {
 public:
  void SetUp() override {
    for (const auto& [shape, name] : {std::pair(Shape::kPlain, "plain"), std::pair(Shape::kTls, "tls"), std::pair(Shape::kCluster, "cluster")}) {
      auto started = support::RealServer::start("redis.sh", {name});
      if (!started) {
        if (started.error().code == core::ErrorCode::kNotFound && !support::on_ci()) GTEST_SKIP() << started.error().message;
        FAIL() << started.error().message;
      }
      servers()[shape] = std::move(*started);
    }
  }
  void TearDown() override { servers().clear(); }

  static support::RealServer& of(Shape shape) { return *servers().at(shape); }

 private:
  static std::map<Shape, std::unique_ptr<support::RealServer>>& servers() {
    static std::map<Shape, std::unique_ptr<support::RealServer>> all;
    return all;
  }
};

// A client with its thread.
class RunningRedis {
 public:
  explicit RunningRedis(Shape shape, std::string prefix = new_prefix()) : keys{std::move(prefix)} {
    support::RealServer& server = CatalogueServers::of(shape);
    RedisClient::Options options;
    options.nodes = {"127.0.0.1:" + server.value("port")};
    options.command_timeout = std::chrono::seconds(20);
    if (shape == Shape::kTls) {
      options.tls = true;
      options.ca_file = server.value("ca_file");
      options.username = "app";
      options.password = server.value("app_password");
    }
    client_ = RedisClient::create(std::move(options), {pool_.clock(), metrics_, log_}).value();
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

  [[nodiscard]] RedisClient& client() { return *client_; }
  [[nodiscard]] core::WorkerPool& pool() { return *pool_; }

  // `key` is the second word.
  RedisValue run(std::vector<std::string> words) {
    RedisCommand command;
    command.key = words.at(1);
    command.arguments = std::move(words);
    auto reply = core::sync_wait(client_->call(std::move(command), core::Deadline::never()));
    EXPECT_TRUE(reply) << (reply ? "" : reply.error().message);
    return reply.value_or(RedisValue());
  }

  CatalogueKeys keys;

 private:
  telemetry::Metrics metrics_;
  support::RunningPool pool_{2};
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, pool_.clock()};
  std::unique_ptr<RedisClient> client_;
  std::thread io_;
};

}  // namespace scalestyle::adapters::redis
