// RedisFeatureStore on real servers: the port's conformance suite, and that it does what the embedded store does.

#include "adapters/redis/redis_feature_store.hpp"

#include <gtest/gtest.h>

#include <random>

#include "feature_comparison.hpp"
#include "support/conformance_feature_store.hpp"

namespace scalestyle::support {
namespace {

// Whoever asks for popularity here does so after the merger has had its turn.
class MergedAtOnce final : public ports::FeatureStore {
 public:
  explicit MergedAtOnce(RedisStoreFixture& fixture) : fixture_{fixture} {}
  core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline deadline) override {
    return fixture_->committed(deadline);
  }
  core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline deadline) override {
    return fixture_->checkpoint(deadline);
  }
  core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const Events> batch, core::Deadline deadline) override {
    CORE_CO_TRY(auto report, co_await fixture_->apply(batch, deadline));
    CORE_CO_CHECK(co_await fixture_->merge_popularity(deadline));
    co_return report;
  }
  core::Task<core::Result<ports::SubjectSnapshot>> read(events::Subject subject, core::Deadline deadline) override {
    return fixture_->read(std::move(subject), deadline);
  }
  core::Task<core::Result<ports::AppliedState>> wait_applied(ports::WaitedEvent event, core::Deadline deadline) override {
    return fixture_->wait_applied(std::move(event), deadline);
  }
  core::Task<core::Result<ports::PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                core::Deadline deadline) override {
    return fixture_->popularity(since, now_ms, deadline);
  }

 private:
  struct Pointer {
    RedisStoreFixture& fixture;
    RedisFeatureStore* operator->() { return &*fixture; }
  };
  Pointer fixture_;
};

class RedisFeatureStoreEngine final : public FeatureStoreEngine {
 public:
  explicit RedisFeatureStoreEngine(Servers which) : fixture_(which, consumer_options()) {}
  ports::FeatureStore& store() override { return store_; }
  void crash_and_reopen() override { fixture_.reopen(); }
  core::Deadline soon() override { return fixture_.in(std::chrono::milliseconds(50)); }
  void let_pass() override { std::this_thread::sleep_for(std::chrono::milliseconds(60)); }

 private:
  RedisStoreFixture fixture_;
  MergedAtOnce store_{fixture_};
};

class NoEngine final : public FeatureStoreEngine {
 public:
  explicit NoEngine(std::string why) : why_(std::move(why)) {}
  ports::FeatureStore& store() override { std::abort(); }
  void crash_and_reopen() override {}
  core::Deadline soon() override { return core::Deadline::never(); }
  void let_pass() override {}
  [[nodiscard]] std::string missing() const override { return why_; }

 private:
  std::string why_;
};

template <Servers kWhich>
std::unique_ptr<FeatureStoreEngine> make_engine() {
  const auto& servers = redis_servers(kWhich);
  if (servers) return std::make_unique<RedisFeatureStoreEngine>(kWhich);
  return std::make_unique<NoEngine>(servers.error().message);
}

INSTANTIATE_TEST_SUITE_P(RedisStandalone, FeatureStoreConformance,
                         ::testing::Values(FeatureStoreFactory(make_engine<Servers::kPlain>)));
INSTANTIATE_TEST_SUITE_P(RedisTlsAndAcl, FeatureStoreConformance,
                         ::testing::Values(FeatureStoreFactory(make_engine<Servers::kTls>)));
INSTANTIATE_TEST_SUITE_P(RedisCluster, FeatureStoreConformance,
                         ::testing::Values(FeatureStoreFactory(make_engine<Servers::kCluster>)));

class RedisFeatureStoreTest : public ::testing::TestWithParam<Servers> {
 protected:
  void SetUp() override { SKIP_WITHOUT_REDIS(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Servers, RedisFeatureStoreTest, ::testing::Values(Servers::kPlain, Servers::kCluster),
                         name_of_servers);

TEST_P(RedisFeatureStoreTest, RandomEventsWithRedeliveriesGiveWhatTheEmbeddedStoreHas) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    std::mt19937_64 random(seed);
    const Events all = sample_events(600, kFeatureNowMs - 1'800'000, seed);
    FeatureStoreFixture memory;
    memory.apply(all);
    RedisStoreFixture redis(GetParam(), consumer_options());
    for (std::size_t begin = 0; begin < all.size();) {
      const std::size_t end = std::min(all.size(), begin + 1 + random() % 120);
      Events batch(all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end));
      // Anything given before may come again, anywhere.
      for (std::size_t extra = random() % 30; extra > 0 && begin > 0; --extra) {
        batch.insert(batch.begin() + static_cast<std::ptrdiff_t>(random() % batch.size()), all[random() % begin]);
      }
      redis.apply(std::move(batch));
      if (random() % 4 == 0) redis.merge();
      if (random() % 6 == 0) redis.reopen();
      begin = end;
    }
    expect_as_embedded(redis, memory, "seed " + std::to_string(seed));
  }
}

TEST_P(RedisFeatureStoreTest, AnyOrderOfItemEventsGivesTheSame) {
  std::mt19937_64 random(3);
  Events all;
  for (auto& event : sample_events(400, kFeatureNowMs - 1'200'000, 3)) {
    const bool counts = events::concerns_item(event.event.type) || event.event.type == events::EventType::kPreferences;
    if (counts) all.push_back(std::move(event));
  }
  FeatureStoreFixture memory;
  memory.apply(all);
  Events shuffled = all;
  for (int extra = 0; extra < 150; ++extra) shuffled.push_back(all[random() % all.size()]);
  std::ranges::shuffle(shuffled, random);
  // Each as if it were alone in its partition: nothing is known by its place.
  for (auto& event : shuffled) event.position.partition = static_cast<std::int32_t>(event.position.offset);
  RedisStoreFixture redis(GetParam(), consumer_options());
  for (std::size_t begin = 0; begin < shuffled.size(); begin += 90) {
    redis.apply({shuffled.begin() + static_cast<std::ptrdiff_t>(begin),
                 shuffled.begin() + static_cast<std::ptrdiff_t>(std::min(shuffled.size(), begin + 90))});
  }
  expect_as_embedded(redis, memory, "shuffled");
}

TEST_P(RedisFeatureStoreTest, TwoThatApplyAtOnceLoseNothing) {
  const Events all = sample_events(1'200, kFeatureNowMs - 1'500'000, 8);  // logins and forgetting included
  FeatureStoreFixture memory;
  memory.apply(all);
  RedisStoreFixture first(GetParam(), consumer_options());
  RedisStoreFixture second(first, consumer_options());
  const auto run = [&all](RedisStoreFixture& store, std::size_t size) {
    for (std::size_t begin = 0; begin < all.size(); begin += size) {
      store.apply({all.begin() + static_cast<std::ptrdiff_t>(begin),
                   all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), begin + size))});
    }
  };
  std::thread other([&] { run(second, 37); });
  run(first, 53);
  other.join();
  expect_as_embedded(first, memory, "two appliers");
}

TEST_P(RedisFeatureStoreTest, AValueOfAWrongTypeRefusesItsSubjectsEventsAlone) {
  RedisStoreFixture store(GetParam(), consumer_options());
  const std::string key = key_of(store, user("bad"));
  ASSERT_TRUE(store.ask({"LPUSH", key, "x"}));
  ASSERT_TRUE(store.ask({"SET", key_of(store, user("odd")), "no value of this store"}));
  const events::EpochMs time = kFeatureNowMs - 100;
  const auto report = store.apply({logged(1, click("ann", "1", "Dress", time)), logged(2, click("bad", "1", "Dress", time)),
                                   logged(3, click("odd", "1", "Dress", time)), logged(4, click("ann", "2", "Dress", time + 1)),
                                   logged(5, click("bad", "2", "Dress", time + 1))});
  ASSERT_EQ(report.refused.size(), 3U);
  EXPECT_EQ(report.refused[0].index, 1U);
  EXPECT_EQ(report.refused[1].index, 2U);
  EXPECT_EQ(report.refused[2].index, 4U);
  EXPECT_NE(report.refused[0].cause.message.find(key), std::string::npos) << report.refused[0].cause.message;
  EXPECT_NE(report.refused[1].cause.message.find("odd"), std::string::npos) << report.refused[1].cause.message;
  EXPECT_EQ(store.read(user("ann")).recent_items.size(), 2U);
  const auto unread = core::sync_wait(store->read(user("bad"), store.later()));
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code, core::ErrorCode::kUnavailable);
  EXPECT_NE(unread.error().message.find(key), std::string::npos);

  // Put off, put right, given again: once.
  ASSERT_TRUE(store.ask({"DEL", key}));
  auto retried = logged(2, click("bad", "1", "Dress", time));
  retried.delivery = {.retries = 1, .origin = {"log", 0, 2}};
  retried.position = {"retry", 0, 1};
  store.apply({logged(5, click("bad", "2", "Dress", time + 1))});
  store.apply({retried, retried});
  store.apply({retried});
  EXPECT_EQ(store.read(user("bad")).recent_items.size(), 2U);
  store.merge();
  EXPECT_EQ(store.popularity().at("1").windows[0], 2);
}

TEST_P(RedisFeatureStoreTest, ASharedKeyOfAWrongTypeIsNoFaultOfAnEvent) {
  RedisStoreFixture store(GetParam(), consumer_options());
  const adapters::redis::FeatureKeys keys(store.options().prefix, store.options().shards);
  const std::string stream = keys.contributions(keys.shard_of(user("ann")));
  ASSERT_TRUE(store.ask({"SET", stream, "x"}));
  const Events batch{logged(1, click("ann", "1", "Dress", kFeatureNowMs - 5))};
  const auto failed = store.try_apply(batch, store.later());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, core::ErrorCode::kUnavailable);
  EXPECT_NE(failed.error().message.find(stream), std::string::npos) << failed.error().message;
  EXPECT_TRUE(store.read(user("ann")).recent_items.empty()) << "all of an event or nothing";
  ASSERT_TRUE(store.ask({"DEL", stream}));
  EXPECT_TRUE(store.apply(batch).refused.empty());
  EXPECT_EQ(store.read(user("ann")).recent_items.size(), 1U);
}

TEST_P(RedisFeatureStoreTest, WhatCameBeforeAForgetHasNoEffectWheneverItComes) {
  RedisStoreFixture store(GetParam(), consumer_options());
  const events::EpochMs time = kFeatureNowMs - 1'000;
  auto elsewhere = logged(7, click("ann", "2", "Dress", time - 1));
  elsewhere.position.partition = 1;
  store.apply({logged(5, forget("ann", time))});
  store.apply({logged(4, click("ann", "1", "Dress", time + 50)), elsewhere, logged(6, click("ann", "3", "Dress", time - 50))});
  const auto features = store.read(user("ann"));
  ASSERT_EQ(features.recent_items.size(), 1U);
  EXPECT_EQ(features.recent_items[0].item_id, "3") << "behind it in its partition, whatever its clock said";
  store.merge();
  EXPECT_EQ(store.popularity().size(), 3U) << "popularity is the items' own";
}

TEST_P(RedisFeatureStoreTest, EveryKeyThatMayGoExpires) {
  RedisStoreFixture store(GetParam(), consumer_options());
  const events::EpochMs time = kFeatureNowMs - 1'000;
  store.apply({logged(1, click("ann", "1", "Dress", time)), logged(2, session_click("s", "1", "Dress", time)),
               logged(3, preferences("bob", false, time)), logged(4, forget("eve", time)), logged(5, merge("ann", "t", time))});
  const auto left_days = [&](const events::Subject& subject) {
    const std::int64_t left = store.ask({"PTTL", key_of(store, subject)})->integer;
    return left < 0 ? left : left / 86'400'000;
  };
  EXPECT_EQ(left_days(user("ann")), 209);
  EXPECT_EQ(left_days(session("s")), 8);
  EXPECT_EQ(left_days(session("t")), 8);
  EXPECT_EQ(left_days(user("eve")), 8);
  EXPECT_EQ(left_days(user("bob")), -1) << "a wish is kept";
  store.apply({logged(6, preferences("bob", true, time + 1))});
  EXPECT_EQ(left_days(user("bob")), 209);
}

TEST_P(RedisFeatureStoreTest, WaitingEndsWithTheSubjectsOwnEvent) {
  RedisStoreFixture consumer(GetParam(), consumer_options());
  RedisStoreFixture::Options gateway_options;
  gateway_options.read_only = true;
  gateway_options.log_stream = "log";
  RedisStoreFixture gateway(consumer, gateway_options);
  auto event = logged(3, session_click("s", "1", "Dress", kFeatureNowMs - 5));
  event.event.event_id = "the one";
  PendingWait wait;
  auto waiting =
      wait.start(gateway->wait_applied({event.position, adapters::redis::mark_of(event), session("s")}, gateway.later()));
  consumer.apply({logged(4, session_click("s", "2", "Dress", kFeatureNowMs - 4))});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(wait.done.try_acquire()) << "a later event is not it";
  consumer.apply({event});
  wait.done.acquire();
  waiting.detach();
  ASSERT_TRUE(*wait.outcome);
  EXPECT_TRUE((*wait.outcome)->reached);
  // Also where the session is its user by now.
  consumer.apply({logged(5, merge("ann", "s", kFeatureNowMs - 3))});
  const events::Subject subjects[] = {session("s"), user("ann")};
  for (const auto& subject : subjects) {
    const auto known =
        core::sync_wait(gateway->wait_applied({event.position, adapters::redis::mark_of(event), subject}, gateway.later()));
    EXPECT_TRUE(known && known->reached);
  }
  EXPECT_FALSE(gateway.try_apply({event}, gateway.later())) << "it only reads";
}

}  // namespace
}  // namespace scalestyle::support
