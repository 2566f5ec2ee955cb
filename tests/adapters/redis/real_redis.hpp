#pragma once
// A suite's real Redis (tests/servers/redis.sh): started with the suite, skipped with the reason where there is none.

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/redis/running_client.hpp"
#include "support/real_server.hpp"

namespace scalestyle::adapters::redis {

// Kind is a type with `static constexpr const char* kName`: "plain", "tls", "cluster".
template <class Kind>
class RealRedisTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = support::RealServer::start("redis.sh", {Kind::kName});
    if (started) {
      server_ = std::move(*started);
    } else {
      missing_ = started.error();
    }
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (server_) return;
    if (missing_.code == core::ErrorCode::kNotFound) GTEST_SKIP() << missing_.message;
    FAIL() << missing_.message;
  }

  static std::string node() { return "127.0.0.1:" + server_->value("port"); }
  static RedisClient::Options options() { return {.nodes = {node()}}; }

  static inline std::unique_ptr<support::RealServer> server_;
  static inline core::Error missing_{};
};

}  // namespace scalestyle::adapters::redis
