#include "adapters/redis/server_facts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace scalestyle::adapters::redis {
namespace {

using Answers = std::vector<core::Result<RedisValue>>;
using Kind = RedisValue::Kind;

core::Result<RedisValue> text(std::string value) { return RedisValue{.kind = Kind::kText, .text = std::move(value)}; }
core::Result<RedisValue> denied() { return core::fail(core::ErrorCode::kPermissionDenied, "NOPERM"); }
core::Result<RedisValue> no_cluster() { return core::fail(core::ErrorCode::kFailedPrecondition, "ERR"); }

Answers master(const std::string& policy, const std::string& replicas) {
  return {text("PONG"), text("# Server\r\nredis_version:7.0.15\r\nredis_mode:cluster\r\n"), text(replicas),
          text("maxmemory:1048576\r\nmaxmemory_policy:" + policy + "\r\n"), denied(), text("cluster_state:ok\r\n")};
}

TEST(ServerFactsTest, OneServer) {
  auto answers = master("noeviction", "role:master\r\nconnected_slaves:0\r\n");
  answers.back() = no_cluster();
  const auto facts = facts_of(answers);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->version, "7.0.15");
  EXPECT_FALSE(facts->cluster);
  EXPECT_EQ(facts->eviction_policy, "noeviction");
  EXPECT_EQ(facts->max_memory_bytes, 1'048'576);
  EXPECT_EQ(facts->masters, 1u);
  EXPECT_EQ(facts->replicas, 0u);
}

TEST(ServerFactsTest, OfAClusterTheFirstPolicyThatEvicts) {
  const std::string replicas = "slave0:ip=1,port=2,state=online,offset=1,lag=0\r\nslave1:ip=1,port=3,state=wait_bgsave\r\n";
  Answers answers;
  for (const std::string policy : {"noeviction", "allkeys-lru", "allkeys-random"}) {
    for (auto& answer : master(policy, replicas)) answers.push_back(answer);
  }
  const auto facts = facts_of(answers);
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->cluster);
  EXPECT_EQ(facts->eviction_policy, "allkeys-lru");
  EXPECT_EQ(facts->masters, 3u);
  EXPECT_EQ(facts->replicas, 3u) << "one that is not in step yet does not count";
}

TEST(ServerFactsTest, WhatAUserMayNotAskStaysEmpty) {
  auto answers = Answers{text("PONG"), denied(), denied(), denied(), denied(), denied()};
  const auto nothing = facts_of(answers);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->version, "");
  EXPECT_EQ(nothing->eviction_policy, "");
  answers[4] = RedisValue{.kind = Kind::kArray, .elements = {*text("maxmemory-policy"), *text("volatile-ttl")}};
  EXPECT_EQ(facts_of(answers)->eviction_policy, "volatile-ttl");
  answers[0] = core::fail(core::ErrorCode::kUnavailable, "LOADING");
  EXPECT_EQ(facts_of(answers).error().message, "LOADING");
}

}  // namespace
}  // namespace scalestyle::adapters::redis
