// RedisFeatureStore: ends in the middle of everything, several consumers at once, a master that dies.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>
#include <stdexcept>

#include "core/crash_point.hpp"
#include "feature_comparison.hpp"

namespace scalestyle::support {
namespace {

using std::chrono::milliseconds;

// Ends what is under way at the nth crash point from now; what was in memory is then thrown away by the test.
std::atomic<int> points_left{0};
void stop_at_point(std::string_view point) {
  if (points_left.load() > 0 && points_left.fetch_sub(1) == 1) throw std::runtime_error("stopped at " + std::string(point));
}
class StopAtPoint {
 public:
  explicit StopAtPoint(int nth) {
    points_left = nth;
    core::set_crash_hook(stop_at_point);
  }
  ~StopAtPoint() {
    points_left = 0;
    core::set_crash_hook(nullptr);
  }
};

class RedisFeatureFaultsTest : public ::testing::TestWithParam<Servers> {
 protected:
  void SetUp() override { SKIP_WITHOUT_REDIS(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Servers, RedisFeatureFaultsTest, ::testing::Values(Servers::kPlain, Servers::kCluster),
                         name_of_servers);

// Clicks of sessions and users, logins of all of them, and clicks behind.
Events logins() {
  Events all;
  events::EpochMs time = kFeatureNowMs - 60'000;
  const auto add = [&](events::Event event) {
    event.event_id = "e" + std::to_string(all.size());
    all.push_back(logged(static_cast<std::int64_t>(all.size()) + 1, std::move(event)));
    time += 10;
  };
  for (int i = 0; i < 4; ++i) {
    const std::string id = std::to_string(i);
    add(session_click("s" + id, "1" + id, "Dress", time));
    add(session_click("s" + id, "2", "Shirt", time));
    if (i != 2) add(click("u" + id, "3", "Dress", time));
  }
  for (int i = 0; i < 4; ++i) add(merge("u" + std::to_string(i), "s" + std::to_string(i), time));
  for (int i = 0; i < 4; ++i) {
    add(session_click("s" + std::to_string(i), "4", "Hat", time));
    add(click("u" + std::to_string(i), "5", "Hat", time));
  }
  add(merge("u9", "s0", time));
  return all;
}

TEST_P(RedisFeatureFaultsTest, AnEndAtAnyPointAndRepetitionChangeNothing) {
  const Events all = logins();
  FeatureStoreFixture memory;
  memory.apply(all);
  int points = 0;
  for (int nth = 1;; ++nth) {
    RedisStoreFixture store(GetParam(), consumer_options());
    int stops = 0;
    // The same end three times over, then through.
    for (int attempt = 0; attempt < 4; ++attempt) {
      const StopAtPoint stop(attempt < 3 ? nth : 0);
      const auto applied = store.try_apply(all, store.later());
      const auto merged = applied ? core::sync_wait(store->merge_popularity(store.later())) : core::Status(std::unexpected(applied.error()));
      if (merged) continue;
      ASSERT_EQ(merged.error().code, core::ErrorCode::kInternal) << merged.error().message;
      ++stops;
      store.reopen();
    }
    expect_as_embedded(store, memory, "stopped at point " + std::to_string(nth));
    store.apply(all);
    expect_as_embedded(store, memory, "given once more after point " + std::to_string(nth));
    if (stops == 0) break;
    points = nth;
  }
  std::printf("ended at each of %d points\n", points);
  EXPECT_GE(points, 10);
}

TEST_P(RedisFeatureFaultsTest, WhatASessionDidBeforeItsLoginFollowsItToTheUser) {
  RedisStoreFixture store(GetParam(), consumer_options());
  const events::EpochMs time = kFeatureNowMs - 1'000;
  const auto in_partition = [](std::int32_t partition, events::LoggedEvent event) {
    event.position.partition = partition;
    return event;
  };
  const auto late = in_partition(1, logged(8, session_click("s", "2", "Dress", time - 10)));
  const auto after = in_partition(1, logged(9, session_click("s", "3", "Dress", time + 10)));
  store.apply({in_partition(1, logged(7, session_click("s", "1", "Dress", time - 20))), logged(1, merge("ann", "s", time))});
  // Once, however often it comes; alone, and beside events of the user.
  store.apply({late, after});
  store.apply({late, logged(2, click("ann", "4", "Dress", time + 20)), after, late});
  EXPECT_EQ(store.read(session("s")).recent_items.size(), 1U);
  const auto features = store.read(user("ann"));
  EXPECT_EQ(features.recent_items.size(), 3U);
  ASSERT_EQ(features.affinities.size(), 1U);
  EXPECT_NEAR(features.affinities[0].score.value, 3, 1e-3);
  store.merge();
  EXPECT_EQ(store.popularity().at("2").windows[0], 1);
  EXPECT_EQ(store.popularity().size(), 4U);
}

TEST_P(RedisFeatureFaultsTest, SeveralMergersCountEveryEntryOnce) {
  Events items;
  for (auto& event : sample_events(3'000, kFeatureNowMs - 3'100'000, 12)) {
    if (events::concerns_item(event.event.type)) items.push_back(std::move(event));
  }
  FeatureStoreFixture memory;
  memory.apply(items);
  RedisStoreFixture first(GetParam(), consumer_options());
  RedisStoreFixture second(first, consumer_options());
  RedisStoreFixture third(first, consumer_options());
  std::atomic<bool> applied{false};
  std::vector<std::thread> mergers;
  for (RedisStoreFixture* store : {&second, &third}) {
    mergers.emplace_back([store, &applied] {
      while (!applied) store->merge();
    });
  }
  for (std::size_t begin = 0; begin < items.size(); begin += 100) {
    first.apply({items.begin() + static_cast<std::ptrdiff_t>(begin), items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), begin + 100))});
  }
  applied = true;
  for (auto& merger : mergers) merger.join();
  expect_as_embedded(first, memory, "three mergers");
  expect_as_embedded(second, memory, "another of them");
}

TEST_P(RedisFeatureFaultsTest, ConsumersMergeOnTheirClockAndGatewaysFollow) {
  RedisStoreFixture consumer(GetParam(), consumer_options());
  RedisStoreFixture spare(consumer, consumer_options());
  RedisStoreFixture::Options gateway_options;
  gateway_options.read_only = true;
  RedisStoreFixture gateway(consumer, gateway_options);
  consumer->start();
  spare->start();
  gateway->start();
  const auto sum_reaches = [&](double wanted) {
    for (int look = 0; look < 1'000; ++look) {
      const auto items = gateway.popularity();
      if (items.contains("1") && items.at("1").windows[0] == wanted) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  };
  for (int i = 0; i < 50; ++i) consumer.apply({logged(i, click("u" + std::to_string(i), "1", "Dress", kFeatureNowMs - 5))});
  EXPECT_TRUE(sum_reaches(50));
  EXPECT_EQ(core::sync_wait(gateway->read(user("nobody"), gateway.later()))->newest_applied_ms, kFeatureNowMs - 5);
  // The one with the lease goes; another takes over.
  consumer->stop();
  spare.apply({logged(60, click("u1", "1", "Dress", kFeatureNowMs - 4))});
  EXPECT_TRUE(sum_reaches(51));
  EXPECT_EQ(gateway->trouble(), "");
}

TEST_P(RedisFeatureFaultsTest, ItemsBeyondTheBoundGoByLastEventAndId) {
  RedisStoreFixture::Options options = consumer_options();
  options.max_items = 100;
  options.max_global_popular = 20;
  RedisStoreFixture store(GetParam(), options);
  RedisStoreFixture gateway(store, options);
  const auto item = [](int i) { return fmt::format("{:04}", i); };
  Events batch;
  for (int i = 0; i < 150; ++i) batch.push_back(logged(i, click("u" + std::to_string(i % 7), item(i), "Dress", kFeatureNowMs - 10'000 + i / 2)));
  for (std::size_t begin = 0; begin < batch.size(); begin += 30) {
    store.apply({batch.begin() + static_cast<std::ptrdiff_t>(begin), batch.begin() + static_cast<std::ptrdiff_t>(begin + 30)});
    store.merge();
    ASSERT_TRUE(core::sync_wait(gateway->refresh_popularity(gateway.later())));
  }
  const auto left = store.popularity();
  EXPECT_EQ(left.size(), 100U);
  EXPECT_FALSE(left.contains(item(49)));
  EXPECT_TRUE(left.contains(item(50)));
  EXPECT_EQ(difference(gateway.popularity(), left), "") << "who follows sees what went, too";
  gateway.reopen();
  EXPECT_EQ(difference(gateway.popularity(), left), "");
  EXPECT_EQ(store.ask({"ZCARD", store.options().prefix + "global:popular"})->integer, 20);
  EXPECT_GT(store.ask({"PTTL", store.options().prefix + "global:popular"})->integer, 0);
}

Events many_events(std::size_t count, std::size_t subjects, std::size_t items, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Events all;
  for (std::size_t i = 0; i < count; ++i) {
    auto event = click("user-" + std::to_string(random() % subjects), fmt::format("{:010}", 100'000'000 + random() % items),
                       "type " + std::to_string(random() % 60), kFeatureNowMs - 3'000'000 + static_cast<events::EpochMs>(i));
    event.event_id = fmt::format("00000000-0000-4000-8000-{:012x}", i);
    all.push_back(logged(static_cast<std::int64_t>(i) + 1, std::move(event)));
  }
  return all;
}

TEST(RedisFeatureClusterTest, AMasterThatDiesWhileEventsAreAppliedLosesNone) {
  auto started = RealServer::start("redis.sh", {"cluster"});
  if (!started && started.error().code == core::ErrorCode::kNotFound) GTEST_SKIP() << started.error().message;
  ASSERT_TRUE(started) << started.error().message;
  RealServer& servers = **started;
  RedisStoreFixture store(client_options(servers), consumer_options());
  store->start();
  const Events all = many_events(30'000, 800, 300, 5);
  FeatureStoreFixture memory;
  memory.apply(all);
  const std::string key = key_of(store, user("user-17"));
  std::chrono::steady_clock::duration longest{};
  int errors = 0;
  for (std::size_t begin = 0; begin < all.size(); begin += 1'000) {
    std::thread killer;
    if (begin == 10'000) {
      killer = std::thread([&] {
        std::this_thread::sleep_for(milliseconds(30));
        EXPECT_TRUE(servers.run("kill", {"master-of-slot", std::to_string(RedisClient::slot_of(key))}));
      });
    }
    const Events batch(all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(begin + 1'000));
    const auto start = std::chrono::steady_clock::now();
    for (int attempt = 0;; ++attempt) {
      const auto applied = store.try_apply(batch, store.in(milliseconds(3'000)));
      if (applied) {
        EXPECT_TRUE(applied->refused.empty()) << applied->refused[0].cause.message;
        break;
      }
      ++errors;
      ASSERT_LT(attempt, 100) << applied.error().message;
      std::this_thread::sleep_for(milliseconds(50));
    }
    longest = std::max(longest, std::chrono::steady_clock::now() - start);
    if (killer.joinable()) killer.join();
  }
  store->stop();
  std::printf("a master was killed: the longest batch took %.2f s, %d attempts failed\n", std::chrono::duration<double>(longest).count(), errors);
  std::size_t wrong = 0;
  for (int i = 0; i < 800; ++i) {
    const auto subject = user("user-" + std::to_string(i));
    const std::string found = difference(store.read(subject), memory.read(subject));
    if (!found.empty() && ++wrong < 5) ADD_FAILURE() << subject.key() << ": " << found;
  }
  EXPECT_EQ(wrong, 0U);
  store.merge();
  EXPECT_EQ(difference(store.popularity(), popularity_of(memory)), "") << "every event once";
}

}  // namespace
}  // namespace scalestyle::support
