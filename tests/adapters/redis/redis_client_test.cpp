// The client against a peer that does what no real server does.

#include "adapters/redis/redis_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/redis/running_client.hpp"
#include "adapters/redis/scripted_peer.hpp"

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;
using Command = ScriptedPeer::Command;

RedisClient::Options options_for(const std::string& node) {
  return {.nodes = {node}, .connections_per_node = 1, .reconnect_first = 5ms, .reconnect_longest = 20ms};
}

TEST(RedisClientOptionsTest, EveryFieldIsChecked) {
  const RedisClient::Options good{.nodes = {"localhost:6379"}};
  EXPECT_TRUE(good.validate());
  const auto field = [&](auto change) {
    RedisClient::Options options = good;
    change(options);
    const auto status = options.validate();
    return status ? std::string("none") : status.error().field;
  };
  EXPECT_EQ(field([](auto& options) { options.nodes = {}; }), "nodes");
  EXPECT_EQ(field([](auto& options) { options.nodes = {"localhost"}; }), "nodes");
  EXPECT_EQ(field([](auto& options) { options.nodes.assign(65, "a:1"); }), "nodes");
  EXPECT_EQ(field([](auto& options) { options.username = "app"; }), "password");
  EXPECT_EQ(field([](auto& options) { options.ca_file = "ca.crt"; }), "ca_file");
  EXPECT_EQ(field([](auto& options) { options.connections_per_node = 0; }), "connections_per_node");
  EXPECT_EQ(field([](auto& options) { options.max_waiting = 0; }), "max_waiting");
  EXPECT_EQ(field([](auto& options) { options.max_reply_bytes = 0; }), "max_reply_bytes");
  EXPECT_EQ(field([](auto& options) { options.connect_timeout = 0ms; }), "connect_timeout");
  EXPECT_EQ(field([](auto& options) { options.command_timeout = 0ms; }), "command_timeout");
  EXPECT_EQ(field([](auto& options) { options.reconnect_first = 0ms; }), "reconnect_first");
  EXPECT_EQ(field([](auto& options) { options.reconnect_longest = 1ms; }), "reconnect_longest");
}

TEST(RedisClientOptionsTest, AnAuthorityThatCannotBeReadIsAnErrorAtOnce) {
  core::SystemClock clock;
  telemetry::Metrics metrics;
  telemetry::Logger logger({.level = telemetry::LogLevel::kError}, clock);
  const auto client = RedisClient::create({.nodes = {"localhost:1"}, .tls = true, .ca_file = "/no/such/file"},
                                          {.clock = clock, .metrics = metrics, .log = logger});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().field, "ca_file");
  EXPECT_THAT(client.error().message, HasSubstr("/no/such/file"));
}

TEST(RedisClientTest, StopEndsWhatWaits) {
  core::SystemClock clock;
  telemetry::Metrics metrics;
  telemetry::Logger logger({.level = telemetry::LogLevel::kError}, clock);
  auto client = *RedisClient::create({.nodes = {"localhost:1"}}, {.clock = clock, .metrics = metrics, .log = logger});
  std::optional<core::Result<RedisValue>> outcome;
  auto operation = core::start(client->call(command({"GET", "a"}), core::Deadline::never()),
                               [&](core::Result<RedisValue>&& value) { outcome = std::move(value); });
  EXPECT_FALSE(outcome) << "nobody runs it";
  client->stop();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::kCancelled);
  EXPECT_EQ(core::sync_wait(client->call(command({"GET", "a"}), core::Deadline::never())).error().code, ErrorCode::kCancelled);
  client->run();  // returns
  EXPECT_EQ(client->trouble(), "redis: the client has stopped");
}

TEST(RedisClientTest, NobodyListens) {
  RunningClient client(options_for("127.0.0.1:1"));
  const auto value = client.call({"GET", "a"});
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(value.error().message, StartsWith("redis 127.0.0.1:1: Connection refused"));
  EXPECT_THAT(client->trouble(), StartsWith("redis 127.0.0.1:1: Connection refused"));
}

TEST(RedisClientTest, ACommandWithoutAWordIsRefusedAlone) {
  ScriptedPeer peer([](const Command& one) { return "+" + one[1] + "\r\n"; });
  RunningClient client(options_for(peer.node()));
  const auto results = client.pipeline({command({"GET", "a"}), RedisCommand{}, command({"GET", "b"})});
  ASSERT_TRUE(results);
  EXPECT_EQ((*results)[0]->text, "a");
  EXPECT_EQ((*results)[1].error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ((*results)[2]->text, "b");
}

TEST(RedisClientTest, HostileRepliesEndAsDamageAndTheConnectionIsMadeAnew) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "*1\r\n";
  const std::vector<std::string> wrong{"GARBAGE\r\n", "$99999999999\r\n", "*2147483647\r\n", deep, "$2000000\r\n",
                                       "+" + std::string(100'000, 'a'), std::string("\0\1\2", 3)};
  for (const auto& bytes : wrong) {
    ScriptedPeer peer([&](const Command& one) { return one[1] == "bad" ? bytes : std::string("$4\r\ngood\r\n"); });
    auto options = options_for(peer.node());
    options.max_reply_bytes = 1 << 20;
    RunningClient client(options);
    const auto value = client.call({"GET", "bad"});
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, ErrorCode::kDataLoss) << bytes.substr(0, 20);
    EXPECT_THAT(value.error().message, StartsWith("redis " + peer.node() + ": "));
    EXPECT_TRUE(eventually([&] { return client.text({"GET", "next"}) == "good"; })) << bytes.substr(0, 20);
    EXPECT_EQ(std::ranges::count(peer.commands(), (Command{"GET", "bad"})), 1) << "asking again would only do it again";
  }
}

TEST(RedisClientTest, AReplyThatNothingAskedForEndsTheConnection) {
  std::atomic<bool> first{true};
  ScriptedPeer peer([&](const Command&) { return std::string(first.exchange(false) ? "+one\r\n+more\r\n" : "+two\r\n"); });
  RunningClient client(options_for(peer.node()));
  EXPECT_EQ(client.text({"GET", "a"}), "one");
  EXPECT_TRUE(eventually([&] { return peer.connections() == 2 && client->trouble().empty(); }));
  EXPECT_EQ(client.text({"GET", "a"}), "two");
}

TEST(RedisClientTest, ALateReplyIsDiscardedInOrder) {
  ScriptedPeer peer([](const Command& one) {
    if (one[1] == "slow") std::this_thread::sleep_for(300ms);
    return "+" + one[1] + "\r\n";
  });
  RunningClient client(options_for(peer.node()));
  EXPECT_EQ(client.text({"GET", "first"}), "first");
  const auto late = client.call(command({"GET", "slow"}), 50ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(late.error().message, HasSubstr("the command had been sent"));
  EXPECT_EQ(client.text({"GET", "second"}), "second");
  EXPECT_EQ(peer.connections(), 1) << "the connection goes on";
}

TEST(RedisClientTest, WhatWasNotSentByItsDeadlineIsNeverSent) {
  std::atomic<bool> greeted{false};
  ScriptedPeer peer(
      [&](const Command& one) -> std::optional<std::string> {
        if (one[0] == "CLUSTER") return "-ERR This instance has cluster support disabled\r\n";
        if (one[0] == "CLIENT" && !greeted.exchange(true)) std::this_thread::sleep_for(300ms);
        return "+OK\r\n";
      },
      true);
  RunningClient client(options_for(peer.node()));
  const auto late = client.call(command({"SET", "early", "1"}), 50ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(late.error().message, HasSubstr("had not been sent"));
  EXPECT_EQ(client.text({"SET", "later", "1"}), "OK");
  EXPECT_EQ(std::ranges::count(peer.commands(), (Command{"SET", "early", "1"})), 0);
}

TEST(RedisClientTest, ABrokenConnectionRepeatsOnlyWhatMayBe) {
  std::atomic<int> breaks{3};
  ScriptedPeer peer([&](const Command&) -> std::optional<std::string> {
    if (breaks-- > 0) return std::nullopt;
    return "+OK\r\n";
  });
  RunningClient client(options_for(peer.node()));
  RedisCommand once = command({"INCR", "a"});
  once.repeatable = false;
  const auto lost = client.call(once);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(lost.error().message, HasSubstr("whether it was carried out is unknown"));
  EXPECT_EQ(std::ranges::count(peer.commands(), (Command{"INCR", "a"})), 1);

  EXPECT_EQ(client.text({"SET", "a", "1"}), "OK");
  EXPECT_EQ(std::ranges::count(peer.commands(), (Command{"SET", "a", "1"})), 3);
}

// A server that breaks every connection is not asked without end: what was sent is repeated as far as the budget goes.
TEST(RedisClientTest, RepetitionsEndWithTheirBudget) {
  ScriptedPeer peer([](const Command&) -> std::optional<std::string> { return std::nullopt; });
  auto options = options_for(peer.node());
  options.reconnect_first = options.reconnect_longest = 1ms;
  options.retry_reserve = 5;
  RunningClient client(options);
  const auto lost = client.call(command({"SET", "a", "1"}), 30s);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(std::ranges::count(peer.commands(), (Command{"SET", "a", "1"})), 6);
}

// What was behind a command that broke the connection comes after it again.
TEST(RedisClientTest, RepetitionsKeepTheirOrder) {
  std::atomic<int> left{2};
  ScriptedPeer peer([&](const Command& one) -> std::optional<std::string> {
    if (one[1] == "k1" && left-- > 0) return std::nullopt;
    return "+" + one[1] + "\r\n";
  });
  RunningClient client(options_for(peer.node()));
  std::vector<RedisCommand> commands;
  for (int i = 0; i < 4; ++i) commands.push_back(command({"GET", fmt::format("k{}", i)}));
  const auto results = client.pipeline(std::move(commands));
  std::string seen;
  for (const auto& one : peer.commands()) seen += one[1] + " ";
  EXPECT_EQ(seen, "k0 k1 k1 k1 k2 k3 ");
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ((*results)[i]->text, fmt::format("k{}", i));
}

TEST(RedisClientTest, AConnectionWithoutRepliesIsClosed) {
  std::atomic<bool> hang{true};
  ScriptedPeer* self = nullptr;
  ScriptedPeer peer([&](const Command&) {
    while (hang && !self->stopping()) std::this_thread::sleep_for(5ms);
    return std::string("+OK\r\n");
  });
  self = &peer;
  auto options = options_for(peer.node());
  options.command_timeout = 200ms;
  RunningClient client(options);
  RedisCommand once = command({"INCR", "a"});
  once.repeatable = false;
  const auto lost = client.call(once);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(lost.error().message, HasSubstr("no reply within 200 ms"));
  hang = false;
  EXPECT_TRUE(eventually([&] { return client.text({"SET", "a", "1"}) == "OK"; }));
  EXPECT_GE(peer.connections(), 2);
}

TEST(RedisClientTest, MoreThanMayWaitIsRefused) {
  std::atomic<bool> hang{true};
  ScriptedPeer* self = nullptr;
  ScriptedPeer peer([&](const Command&) {
    while (hang && !self->stopping()) std::this_thread::sleep_for(5ms);
    return std::string("+OK\r\n");
  });
  self = &peer;
  auto options = options_for(peer.node());
  options.command_timeout = 60s;
  RunningClient client(options);
  constexpr int kWaiting = 20'000;
  std::atomic<int> done{0};
  std::vector<core::Operation> operations;
  for (int i = 0; i < kWaiting; ++i) {
    auto call = client->call(command({"GET", "a"}), client.within(50s));
    operations.push_back(core::start(std::move(call), [&](core::Result<RedisValue>&& value) {
      if (value) ++done;
    }));
  }
  const auto refused = client.call({"GET", "a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(client.pipeline({command({"GET", "a"}), command({"GET", "b"})}).error().code, ErrorCode::kResourceExhausted);
  hang = false;
  EXPECT_TRUE(eventually([&] { return done == kWaiting; }));
  EXPECT_EQ(client.text({"GET", "a"}), "OK");
}

TEST(RedisClientTest, ADroppedCallIsCancelledAndTheConnectionGoesOn) {
  std::atomic<bool> hang{true};
  ScriptedPeer* self = nullptr;
  ScriptedPeer peer([&](const Command& one) {
    while (one[1] == "slow" && hang && !self->stopping()) std::this_thread::sleep_for(5ms);
    return "+" + one[1] + "\r\n";
  });
  self = &peer;
  RunningClient client(options_for(peer.node()));
  EXPECT_EQ(client.text({"GET", "a"}), "a");
  {
    auto dropped = core::start(client->call(command({"GET", "slow"}), client.within(50s)),
                               [](core::Result<RedisValue>&&) { ADD_FAILURE() << "nobody waits for it"; });
    ASSERT_TRUE(eventually([&] { return peer.commands().size() == 2; }));
  }
  EXPECT_TRUE(eventually([&] { return client.metric("scalestyle_redis_commands_total{result=\"cancelled\"}") == 1; }));
  hang = false;
  EXPECT_EQ(client.text({"GET", "b"}), "b");
  EXPECT_EQ(peer.connections(), 1);
}

TEST(RedisClientTest, AScriptIsSentWholeOnceAndAgainWhenTheServerForgotIt) {
  std::atomic<bool> forgets{false};
  ScriptedPeer peer([&](const Command& one) {
    return std::string(one[0] == "EVALSHA" && forgets.exchange(false) ? "-NOSCRIPT No matching script.\r\n" : "+OK\r\n");
  });
  RunningClient client(options_for(peer.node()));
  const auto script = std::make_shared<const RedisScript>("return 1");
  RedisCommand one{.arguments = {"1", "k", "x"}, .key = "k", .script = script};
  EXPECT_TRUE(client.call(one));
  EXPECT_TRUE(client.call(one));
  forgets = true;
  EXPECT_TRUE(client.call(one));
  const Command whole{"EVAL", "return 1", "1", "k", "x"};
  const Command named{"EVALSHA", script->sha1, "1", "k", "x"};
  EXPECT_EQ(peer.commands(), (std::vector<Command>{whole, named, named, whole}));
  EXPECT_EQ(client.metric("scalestyle_redis_commands_total{result=\"ok\"}"), 3);
  EXPECT_EQ(client.metric("scalestyle_redis_commands_total{result=\"failed_precondition\"}"), 0);
}

// A cluster of one node, as CLUSTER SLOTS shows it.
std::string one_node(std::uint16_t port) {
  return fmt::format("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{}\r\n", port);
}

TEST(RedisClientTest, RedirectionsEnd) {
  ScriptedPeer* self = nullptr;
  ScriptedPeer peer(
      [&](const Command& one) {
        if (one[0] == "CLUSTER") return one_node(self->port());
        return one[0] == "GET" ? fmt::format("-MOVED 1 127.0.0.1:{}\r\n", self->port()) : std::string("+OK\r\n");
      },
      true);
  self = &peer;
  RunningClient client(options_for(peer.node()));
  const auto value = client.call({"GET", "a"});
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(value.error().message, HasSubstr("after 5 redirections"));
  EXPECT_EQ(std::ranges::count(peer.commands(), (Command{"GET", "a"})), 6);
  EXPECT_EQ(client.metric("scalestyle_redis_redirections_total{kind=\"moved\"}"), 5);
}

TEST(RedisClientTest, AClusterThatIsDownIsWaitedForUntilTheDeadline) {
  std::atomic<int> down{3};
  ScriptedPeer* self = nullptr;
  ScriptedPeer peer(
      [&](const Command& one) {
        if (one[0] == "CLUSTER") return one_node(self->port());
        return std::string(one[0] == "INCR" && down-- > 0 ? "-CLUSTERDOWN The cluster is down\r\n" : "+OK\r\n");
      },
      true);
  self = &peer;
  RunningClient client(options_for(peer.node()));
  RedisCommand once = command({"INCR", "a"});
  once.repeatable = false;  // it was not carried out, so this is no repetition
  EXPECT_TRUE(client.call(once));
  down = 1'000'000;
  const auto value = client.call(command({"INCR", "a"}), 400ms);
  ASSERT_FALSE(value);
  // The deadline may come while it is being tried once more.
  if (value.error().code == ErrorCode::kDeadlineExceeded) return;
  EXPECT_EQ(value.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(value.error().message, "redis " + peer.node() + ": CLUSTERDOWN The cluster is down (until the deadline)");
}

TEST(RedisClientTest, ReplicasThatLeftAreNotWaitedFor) {
  std::atomic<int> attached{1};
  std::atomic<bool> answers{true};
  ScriptedPeer peer([&](const Command& one) {
    if (one[0] == "INFO") {
      const std::string info = attached > 0 ? "slave0:ip=a,port=1,state=online,offset=1,lag=0\r\n" : "role:master\r\n";
      return fmt::format("${}\r\n{}\r\n", info.size(), info);
    }
    return one[0] == "WAIT" ? fmt::format(":{}\r\n", answers ? attached.load() : 0) : std::string("+OK\r\n");
  });
  RunningClient client(options_for(peer.node()));
  const auto write = [&](std::chrono::milliseconds limit = 10s) {
    return core::sync_wait(client->pipeline_replicated({command({"SET", "a", "1"})}, 2, client.within(limit)));
  };
  const auto unreplicated = [&] { return client.metric("scalestyle_redis_unreplicated_writes_total"); };
  EXPECT_TRUE(write()->front()) << "one of two is all there are";
  EXPECT_EQ(peer.commands()[2][0], "WAIT");
  EXPECT_EQ(peer.commands()[2][1], "1");
  EXPECT_EQ(unreplicated(), 0);
  answers = false;
  const auto failed = write(300ms);
  ASSERT_FALSE(failed->front());
  EXPECT_EQ(failed->front().error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(failed->front().error().message, HasSubstr("carried out, but"));
  attached = 0;
  EXPECT_TRUE(write()->front());
  EXPECT_EQ(unreplicated(), 1);
}

}  // namespace
}  // namespace scalestyle::adapters::redis
