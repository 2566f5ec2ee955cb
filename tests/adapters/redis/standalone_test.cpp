// The client against one real server.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "adapters/redis/real_redis.hpp"

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

struct Plain {
  static constexpr const char* kName = "plain";
};
using StandaloneTest = RealRedisTest<Plain>;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST_F(StandaloneTest, CommandsOfEveryKind) {
  RunningClient client(options());
  EXPECT_EQ(client.text({"SET", "text", std::string("a\r\n\0b", 5)}), "OK");
  EXPECT_EQ(client.text({"GET", "text"}), std::string("a\r\n\0b", 5));
  EXPECT_TRUE(client.call({"GET", "nothing"})->is_null());
  EXPECT_EQ(client.text({"INCRBY", "number", "-5"}), "-5");
  EXPECT_EQ(client.text({"RPUSH", "list", "a", "", "c"}), "3");
  const auto list = client.call({"LRANGE", "list", "0", "-1"});
  ASSERT_EQ(list->elements.size(), 3u);
  EXPECT_EQ(list->elements[2].text, "c");
  EXPECT_EQ(client->trouble(), "");
  EXPECT_TRUE(eventually([&] { return client.metric("scalestyle_redis_connections") == 2; }));
}

TEST_F(StandaloneTest, ErrorsAreTypedAndInTheServersWords) {
  RunningClient client(options());
  client.text({"SET", "is-text", "x"});
  const auto wrong = client.call({"LPUSH", "is-text", "y"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(wrong.error().message, StartsWith("redis " + node() + ": WRONGTYPE"));
  EXPECT_EQ(client.call({"NOSUCH", "x"}).error().code, ErrorCode::kFailedPrecondition);
  const auto from_script = client.call(RedisCommand{.arguments = {"0"}, .script = std::make_shared<RedisScript>(
                                                                            "return redis.error_reply('MYCODE my words')")});
  ASSERT_FALSE(from_script);
  EXPECT_THAT(from_script.error().message, HasSubstr("MYCODE my words"));
}

TEST_F(StandaloneTest, APipelineKeepsItsOrder) {
  RunningClient client(options());
  std::vector<RedisCommand> commands;
  for (int i = 0; i < 1'000; ++i) {
    commands.push_back(command({"SET", fmt::format("key:{}", i), std::to_string(i)}));
    commands.push_back(command({"RPUSH", "order", std::to_string(i)}));
    if (i == 500) commands.push_back(command({"LPUSH", "key:1", "wrong"}));
  }
  const auto results = client.pipeline(std::move(commands));
  ASSERT_TRUE(results);
  ASSERT_EQ(results->size(), 2'001u);
  EXPECT_EQ(std::ranges::count_if(*results, [](const auto& one) { return !one; }), 1) << "one error is its command's alone";
  const auto order = client.call({"LRANGE", "order", "0", "-1"});
  ASSERT_EQ(order->elements.size(), 1'000u);
  for (std::size_t i = 0; i < 1'000; ++i) ASSERT_EQ(order->elements[i].text, std::to_string(i));
  EXPECT_EQ(client.text({"GET", "key:999"}), "999");
  EXPECT_TRUE(client.pipeline({})->empty());
}

TEST_F(StandaloneTest, ScriptsSurviveTheServersForgetting) {
  RunningClient client(options());
  const auto script = std::make_shared<const RedisScript>("return redis.call('INCRBY', KEYS[1], ARGV[1])");
  const RedisCommand add{.arguments = {"1", "counter", "2"}, .key = "counter", .script = script};
  EXPECT_EQ(client.call(add)->integer, 2);
  EXPECT_EQ(client.call(add)->integer, 4);
  EXPECT_EQ(client.text({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_EQ(client.call(add)->integer, 6);
  const auto in_pipeline = client.pipeline({add, command({"GET", "counter"}), add});
  EXPECT_EQ((*in_pipeline)[1]->text, "8");
}

TEST_F(StandaloneTest, AReplyOfMegabytes) {
  RunningClient client(options());
  const std::string big(8u << 20, 'x');
  ASSERT_EQ(client.text({"SET", "big", big}), "OK");
  EXPECT_EQ(client.text({"GET", "big"}), big);
  auto small = options();
  small.max_reply_bytes = 1u << 20;
  RunningClient careful(small);
  EXPECT_EQ(careful.call({"GET", "big"}).error().code, ErrorCode::kDataLoss);
  EXPECT_TRUE(eventually([&] { return careful.text({"GET", "nothing"}).empty(); })) << "the connection is made anew";
  client.text({"DEL", "big"});
}

TEST_F(StandaloneTest, WithoutReplicasNothingIsWaitedForAndThatIsCounted) {
  RunningClient client(options());
  std::vector<RedisCommand> commands{command({"SET", "a", "1"}), command({"SET", "b", "2"})};
  const auto results = core::sync_wait(client->pipeline_replicated(std::move(commands), 1, client.within(10s)));
  ASSERT_TRUE(results);
  EXPECT_TRUE((*results)[0] && (*results)[1]);
  EXPECT_EQ(client.metric("scalestyle_redis_unreplicated_writes_total"), 2);
}

TEST_F(StandaloneTest, FactsOfTheServer) {
  RunningClient client(options());
  const auto facts = core::sync_wait(client->facts(client.within(10s)));
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_FALSE(facts->version.empty());
  EXPECT_FALSE(facts->cluster);
  EXPECT_EQ(facts->eviction_policy, "noeviction");
  EXPECT_EQ(facts->max_memory_bytes, 0);
  EXPECT_EQ(facts->masters, 1u);
}

TEST_F(StandaloneTest, ManyThreadsAtOnce) {
  RunningClient client(options());
  constexpr int kThreads = 8;
  constexpr int kEach = 200;
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        const std::string key = fmt::format("thread:{}", thread);
        for (int i = 1; i <= kEach; ++i) {
          const auto value = client.call({"INCR", key});
          if (!value || value->integer != i) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(StandaloneTest, TheServerGoesAndComesBack) {
  RunningClient client(options());
  EXPECT_EQ(client.text({"SET", "a", "1"}), "OK");
  ASSERT_TRUE(server_->run("kill", {server_->value("port")}));
  ASSERT_TRUE(eventually([&] { return !client->trouble().empty(); }));
  const auto begin = std::chrono::steady_clock::now();
  const auto away = client.call({"GET", "a"});
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(away.error().message, StartsWith("redis " + node() + ": "));
  EXPECT_LT(seconds_since(begin), 5.0) << "it does not wait for its deadline";
  ASSERT_TRUE(server_->run("restart"));
  EXPECT_TRUE(eventually([&] { return client->trouble().empty(); }));
  EXPECT_EQ(client.text({"SET", "a", "2"}), "OK");
}

TEST_F(StandaloneTest, FiguresOfThroughput) {
  RunningClient client(options());
  client.text({"SET", "figure", "x"});
  constexpr int kSingle = 2'000;
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kSingle; ++i) ASSERT_TRUE(client.call({"GET", "figure"}));
  const double single = kSingle / seconds_since(begin);
  constexpr int kRounds = 100;
  const std::vector<RedisCommand> batch(1'000, command({"GET", "figure"}));
  begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) {
    const auto results = client.pipeline(batch);
    ASSERT_TRUE(results);
    ASSERT_EQ(std::ranges::count_if(*results, [](const auto& one) { return one.has_value(); }), 1'000);
  }
  const double piped = kRounds * 1'000 / seconds_since(begin);
  fmt::print("redis: {:.0f} commands/s of one caller, one after another; {:.0f} commands/s in pipelines of 1,000\n", single,
             piped);
}

}  // namespace
}  // namespace scalestyle::adapters::redis
