// The client against a real cluster of 3 masters and 3 replicas.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/redis/real_redis.hpp"

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using testing::HasSubstr;
using namespace std::chrono_literals;

struct Cluster {
  static constexpr const char* kName = "cluster";
};
using ClusterTest = RealRedisTest<Cluster>;

TEST_F(ClusterTest, KeysOfAllSlotsFindTheirNode) {
  RunningClient client(options());
  constexpr int kKeys = 20'000 / 2;
  std::vector<RedisCommand> commands;
  std::set<int> slots;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = fmt::format("all:{}", i);
    slots.insert(RedisClient::slot_of(key));
    commands.push_back(command({"SET", key, std::to_string(i)}));
    commands.push_back(command({"GET", key}));
  }
  const auto results = client.pipeline(std::move(commands));
  ASSERT_TRUE(results);
  for (std::size_t i = 0; i < kKeys; ++i) {
    ASSERT_TRUE((*results)[2 * i + 1]) << (*results)[2 * i + 1].error().message;
    ASSERT_EQ((*results)[2 * i + 1]->text, std::to_string(i)) << "results are in the order of their commands";
  }
  EXPECT_GT(slots.size(), 7'000u);
  EXPECT_EQ(client.metric("scalestyle_redis_redirections_total{kind=\"moved\"}"), 0);
  EXPECT_EQ(client->trouble(), "");
}

TEST_F(ClusterTest, CommandsOfOneKeyKeepTheirOrderAmongOthers) {
  RunningClient client(options());
  std::vector<RedisCommand> commands;
  for (int i = 0; i < 300; ++i) {
    for (const char* const key : {"one", "two", "three", "four"}) commands.push_back(command({"INCR", key}));
  }
  const auto results = client.pipeline(std::move(commands));
  ASSERT_TRUE(results);
  for (std::size_t i = 0; i < results->size(); ++i) {
    ASSERT_TRUE((*results)[i]);
    ASSERT_EQ((*results)[i]->integer, static_cast<std::int64_t>(i / 4 + 1));
  }
}

TEST_F(ClusterTest, KeysOfSeveralSlotsInOneCommandAreTheCallersError) {
  RunningClient client(options());
  const auto value = client.call({"MGET", "one", "two", "three"});
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(value.error().message, HasSubstr("CROSSSLOT"));
}

TEST_F(ClusterTest, AnyNodeServesForAFirstContact) {
  auto some = options();
  some.nodes = {"127.0.0.1:1", "127.0.0.1:" + server_->value("ports").substr(server_->value("ports").rfind(',') + 1)};
  RunningClient client(some);
  EXPECT_EQ(client.text({"SET", "contact", "1"}), "OK");
  EXPECT_EQ(client.call(RedisCommand{.arguments = {"PING"}})->text, "PONG") << "a command without a key";
}

TEST_F(ClusterTest, FactsOfAllMasters) {
  RunningClient client(options());
  const auto facts = core::sync_wait(client->facts(client.within(10s)));
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_TRUE(facts->cluster);
  EXPECT_EQ(facts->masters, 3u);
  EXPECT_EQ(facts->replicas, 3u);
  EXPECT_EQ(facts->eviction_policy, "noeviction");
}

TEST_F(ClusterTest, ScriptsOnEveryNode) {
  RunningClient client(options());
  const auto script = std::make_shared<const RedisScript>("return redis.call('INCR', KEYS[1])");
  std::vector<RedisCommand> commands;
  for (int i = 0; i < 60; ++i) {
    const std::string key = fmt::format("scripted:{}", i % 20);
    commands.push_back({.arguments = {"1", key}, .key = key, .script = script});
  }
  const auto results = client.pipeline(std::move(commands));
  for (std::size_t i = 0; i < 60; ++i) {
    ASSERT_TRUE((*results)[i]) << (*results)[i].error().message;
    EXPECT_EQ((*results)[i]->integer, static_cast<std::int64_t>(i / 20 + 1));
  }
}

TEST_F(ClusterTest, ASlotMovesUnderTheClient) {
  RunningClient client(options());
  const auto count = [&](const char* kind) {
    return client.metric(fmt::format("scalestyle_redis_redirections_total{{kind=\"{}\"}}", kind));
  };
  RunningClient idle(options());
  EXPECT_EQ(client.text({"SET", "{moving}old", "1"}), "OK");
  EXPECT_EQ(idle.text({"GET", "{moving}old"}), "1");
  const std::string slot = std::to_string(RedisClient::slot_of("{moving}"));
  ASSERT_TRUE(server_->run("move-slot", {slot, "begin"}));

  EXPECT_EQ(client.text({"GET", "{moving}old"}), "1") << "what is there still is served there";
  EXPECT_EQ(count("ask"), 0);
  EXPECT_EQ(client.text({"SET", "{moving}new", "2"}), "OK");
  EXPECT_EQ(client.text({"GET", "{moving}new"}), "2");
  EXPECT_EQ(count("ask"), 2);
  EXPECT_EQ(count("moved"), 0);
  const auto both = client.call(command({"MGET", "{moving}old", "{moving}new"}), 300ms);
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(both.error().message, HasSubstr("TRYAGAIN"));

  std::optional<core::Result<RedisValue>> waited;
  std::atomic<bool> done{false};
  auto waiting = core::start(client->call(command({"MGET", "{moving}old", "{moving}new"}), client.within(20s)),
                             [&](core::Result<RedisValue>&& value) {
                               waited = std::move(value);
                               done = true;
                             });
  ASSERT_TRUE(server_->run("move-slot", {slot, "finish"}));
  ASSERT_TRUE(eventually([&] { return done.load(); }));
  ASSERT_TRUE(*waited) << (*waited).error().message;
  EXPECT_EQ((*waited)->elements[0].text + (*waited)->elements[1].text, "12");
  const auto results =
      client.pipeline({command({"GET", "{moving}old"}), command({"INCR", "{moving}new"}), command({"GET", "{moving}new"})});
  EXPECT_EQ((*results)[0]->text, "1");
  EXPECT_EQ((*results)[2]->text, "3");
  EXPECT_GE(client.metric("scalestyle_redis_slot_map_refreshes_total{result=\"ok\"}"), 2);

  const auto moved = [](RunningClient& one) { return one.metric("scalestyle_redis_redirections_total{kind=\"moved\"}"); };
  EXPECT_EQ(idle.text({"GET", "{moving}new"}), "3") << "by the map that it read before the move";
  EXPECT_EQ(idle.text({"GET", "{moving}old"}), "1");
  EXPECT_EQ(moved(idle), 1) << "it has learnt";
  RunningClient fresh(options());
  EXPECT_EQ(fresh.text({"GET", "{moving}new"}), "3");
  EXPECT_EQ(moved(fresh), 0);
}

TEST_F(ClusterTest, ReplicatedPipelinesReachEveryNode) {
  RunningClient client(options());
  std::vector<RedisCommand> commands;
  for (int i = 0; i < 300; ++i) commands.push_back(command({"SET", fmt::format("safe:{}", i), "1"}));
  commands.push_back(command({"LPUSH", "safe:1", "wrong"}));
  const auto results = core::sync_wait(client->pipeline_replicated(std::move(commands), 1, client.within(10s)));
  ASSERT_TRUE(results);
  for (std::size_t i = 0; i < 300; ++i) ASSERT_TRUE((*results)[i]) << (*results)[i].error().message;
  EXPECT_EQ((*results)[300].error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(client.metric("scalestyle_redis_unreplicated_writes_total"), 0);
}

}  // namespace
}  // namespace scalestyle::adapters::redis
