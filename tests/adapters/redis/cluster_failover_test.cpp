// A real cluster that loses masters while it is written to.

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

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct FailingCluster {
  static constexpr const char* kName = "cluster";
};
using ClusterFailoverTest = RealRedisTest<FailingCluster>;

constexpr int kWriters = 3;
constexpr int kKeysOfABatch = 12;

// Writes batches of fresh keys until told to end, and remembers which were acknowledged.
class Writer {
 public:
  Writer(RunningClient& client, int number) : client_(client), number_(number) {}
  void run(const std::atomic<bool>& ends) {
    for (int batch = 0; !ends; ++batch) {
      std::vector<RedisCommand> commands;
      std::vector<std::string> keys;
      for (int i = 0; i < kKeysOfABatch; ++i) {
        keys.push_back(fmt::format("written:{}:{}:{}", number_, batch, i));
        commands.push_back(command({"SET", keys.back(), "1"}));
      }
      const auto begin = Clock::now();
      const auto results = core::sync_wait(client_->pipeline_replicated(std::move(commands), 1, client_.within(20s)));
      slowest = std::max(slowest, Clock::now() - begin);
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (results && (*results)[i]) {
          acknowledged.push_back(keys[i]);
        } else {
          errors.push_back(results ? (*results)[i].error().message : results.error().message);
        }
      }
    }
  }
  std::vector<std::string> acknowledged;
  std::vector<std::string> errors;
  Clock::duration slowest{};

 private:
  RunningClient& client_;
  int number_;
};

std::vector<std::string> lost_of(RunningClient& client, const std::vector<std::string>& keys) {
  std::vector<std::string> lost;
  for (std::size_t first = 0; first < keys.size(); first += 1'000) {
    const std::size_t end = std::min(keys.size(), first + 1'000);
    std::vector<RedisCommand> commands;
    for (std::size_t i = first; i < end; ++i) commands.push_back(command({"GET", keys[i]}));
    const auto results = client.pipeline(std::move(commands));
    for (std::size_t i = first; i < end; ++i) {
      if (!results || !(*results)[i - first] || (*results)[i - first]->text != "1") lost.push_back(keys[i]);
    }
  }
  return lost;
}

TEST_F(ClusterFailoverTest, AKilledMasterLosesNoAcknowledgedWrite) {
  RunningClient client(options());
  ASSERT_EQ(client.text({"SET", "probe", "0"}), "OK");
  std::vector<Writer> writers;
  for (int i = 0; i < kWriters; ++i) writers.emplace_back(client, i);
  std::atomic<bool> ends{false};
  std::vector<std::jthread> threads;
  for (auto& writer : writers) threads.emplace_back([&] { writer.run(ends); });
  std::this_thread::sleep_for(500ms);
  ASSERT_TRUE(server_->run("kill", {"master-of-slot", std::to_string(RedisClient::slot_of("probe"))}));
  const auto killed = Clock::now();
  const auto probe = client.call(command({"SET", "probe", "1"}), 30s);
  const double recovered = std::chrono::duration<double>(Clock::now() - killed).count();
  ASSERT_TRUE(probe) << probe.error().message;
  EXPECT_LT(recovered, 15.0);
  std::this_thread::sleep_for(500ms);
  ends = true;
  threads.clear();

  std::size_t acknowledged = 0;
  Clock::duration slowest{};
  for (const auto& writer : writers) {
    acknowledged += writer.acknowledged.size();
    slowest = std::max(slowest, writer.slowest);
    EXPECT_EQ(writer.errors, std::vector<std::string>()) << "writes wait for the failover";
    EXPECT_EQ(lost_of(client, writer.acknowledged), std::vector<std::string>()) << "acknowledged and lost";
  }
  EXPECT_GT(acknowledged, 100u);
  fmt::print("redis cluster: writable {:.1f} s after kill -9 of a master; {} acknowledged writes, none lost; slowest {:.1f} s; "
             "{:.0f} without a replica\n", recovered, acknowledged, std::chrono::duration<double>(slowest).count(),
             client.metric("scalestyle_redis_unreplicated_writes_total"));

  ASSERT_TRUE(server_->run("restart"));
  EXPECT_TRUE(eventually([&] {
    const auto facts = core::sync_wait(client->facts(client.within(10s)));
    return facts && facts->masters == 3 && facts->replicas == 3;
  })) << "the killed one comes back as a replica";
}

TEST_F(ClusterFailoverTest, TheWholeClusterGoesAndComesBack) {
  RunningClient client(options());
  ASSERT_EQ(client.text({"SET", "probe", "0"}), "OK");
  ASSERT_TRUE(server_->run("kill", {"all"}));
  ASSERT_TRUE(eventually([&] {
    const auto away = client.call(command({"GET", "probe"}), 20s);
    return !away && away.error().code == core::ErrorCode::kUnavailable;
  }));
  EXPECT_FALSE(client->trouble().empty());
  ASSERT_TRUE(server_->run("restart"));
  const auto begin = Clock::now();
  EXPECT_TRUE(eventually([&] { return client.text({"SET", "probe", "2"}) == "OK"; }, 60s));
  fmt::print("redis cluster: writable {:.1f} s after all its nodes were started again\n",
             std::chrono::duration<double>(Clock::now() - begin).count());
  EXPECT_TRUE(eventually([&] { return client->trouble().empty(); }));
}

}  // namespace
}  // namespace scalestyle::adapters::redis
