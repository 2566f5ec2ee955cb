// RedisFeatureStore::check(): each thing that is wrong with a server is said at the start; and what records take.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "feature_comparison.hpp"

namespace scalestyle::support {
namespace {

class RedisFeatureCheckTest : public ::testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_REDIS(Servers::kPlain); }
};

TEST_F(RedisFeatureCheckTest, SettingsThatOthersDoNotHaveAreNamedWithBothValues) {
  RedisStoreFixture store(Servers::kPlain, consumer_options());
  auto options = consumer_options();
  EXPECT_TRUE(store.check_with(options));
  options.shards = 32;
  const auto shards = store.check_with(options);
  ASSERT_FALSE(shards);
  EXPECT_EQ(shards.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_EQ(shards.error().field, "redis_shards");
  EXPECT_NE(shards.error().message.find("64"), std::string::npos) << shards.error().message;
  EXPECT_NE(shards.error().message.find("32"), std::string::npos) << shards.error().message;
  options = consumer_options();
  options.features.affinity_half_life_seconds = 60;
  EXPECT_EQ(store.check_with(options).error().field, "affinity_half_life_seconds");
}

TEST_F(RedisFeatureCheckTest, AServerThatEvictsIsRefusedUnlessAllowed) {
  RedisStoreFixture store(Servers::kPlain, consumer_options());
  ASSERT_TRUE(store.ask({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}));
  auto options = consumer_options();
  const auto checked = store.check_with(options);
  options.allow_eviction = true;
  const auto allowed = store.check_with(options);
  ASSERT_TRUE(store.ask({"CONFIG", "SET", "maxmemory-policy", "noeviction"}));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().field, "redis_allow_eviction");
  EXPECT_NE(checked.error().message.find("allkeys-lru"), std::string::npos) << checked.error().message;
  EXPECT_TRUE(allowed);
}

TEST_F(RedisFeatureCheckTest, ACommandThatTheUserMayNotGiveIsFoundAtTheStart) {
  RedisStoreFixture admin(Servers::kPlain, consumer_options());
  ASSERT_TRUE(admin.ask({"ACL", "SETUSER", "weak", "on", ">secret", "~hm:*", "+@all", "-xadd"}));
  ASSERT_TRUE(admin.ask({"ACL", "SETUSER", "reader", "on", ">secret", "~hm:*", "+@read", "+@connection", "+info", "+cluster|slots"}));
  ASSERT_TRUE(admin.ask({"ACL", "SETUSER", "elsewhere", "on", ">secret", "~other:*", "+@all"}));
  const auto check = [&](const std::string& name, bool read_only) {
    RedisClient::Options servers = client_options(**redis_servers(Servers::kPlain));
    servers.username = name;
    servers.password = "secret";
    StandingWallClock clock;
    telemetry::Metrics metrics;
    telemetry::Logger log({.level = telemetry::LogLevel::kError}, clock);
    core::TimerQueue timers(clock);
    const auto client = *RedisClient::create(servers, {clock, metrics, log});
    std::thread io([&] { client->run(); });
    auto options = consumer_options();
    options.prefix = admin.options().prefix;
    options.read_only = read_only;
    options.merges_popularity = !read_only;
    const auto store = *RedisFeatureStore::create(options, {*client, timers, clock, metrics, log});
    const auto checked = core::sync_wait(store->check(core::Deadline::after(std::chrono::seconds(10), clock)));
    client->stop();
    io.join();
    return checked;
  };
  const auto weak = check("weak", false);
  ASSERT_FALSE(weak);
  EXPECT_EQ(weak.error().code, core::ErrorCode::kPermissionDenied) << weak.error().message;
  std::printf("%s\n", weak.error().message.c_str());
  const auto elsewhere = check("elsewhere", false);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, core::ErrorCode::kPermissionDenied) << elsewhere.error().message;
  EXPECT_FALSE(check("reader", false));
  const auto reader = check("reader", true);
  EXPECT_TRUE(reader) << reader.error().message;
}

TEST_F(RedisFeatureCheckTest, AFullServerRefusesABatchThatCanBeGivenAgain) {
  RedisStoreFixture store(Servers::kPlain, consumer_options());
  const Events batch{logged(1, click("ann", "1", "Dress", kFeatureNowMs - 5))};
  ASSERT_TRUE(store.ask({"CONFIG", "SET", "maxmemory", "1mb"}));
  const auto full = store.try_apply(batch, store.later());
  ASSERT_TRUE(store.ask({"CONFIG", "SET", "maxmemory", "0"}));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, core::ErrorCode::kResourceExhausted) << full.error().message;
  store.apply(batch);
  EXPECT_EQ(store.read(user("ann")).recent_items.size(), 1U);
}

// docs/formats/redis.md states these.
TEST_F(RedisFeatureCheckTest, MemoryOfRecords) {
  RedisStoreFixture store(Servers::kPlain, consumer_options());
  std::int64_t offset = 0;
  const auto fill = [&](const events::Subject& subject, int events, int items, int categories) {
    Events batch;
    for (int i = 0; i < events; ++i) {
      auto event = item_event(events::EventType::kClick, fmt::format("{:010}", 108'775'000 + i % items), fmt::format("Product type {:02}", i % categories),
                              kFeatureNowMs - 100'000 + i * 100);
      if (subject.kind == events::SubjectKind::kUser) event.user_id = core::UserId(subject.id);
      if (subject.kind == events::SubjectKind::kSession) event.session_id = core::SessionId(subject.id);
      event.event_id = fmt::format("{}-{}", subject.id, i);
      batch.push_back(logged(++offset, std::move(event)));
    }
    store.apply(std::move(batch));
    const auto used = store.ask({"MEMORY", "USAGE", key_of(store, subject), "SAMPLES", "0"});
    const auto size = store.ask({"STRLEN", key_of(store, subject)});
    std::printf("%s: %d events, %d items, %d categories: value %lld bytes, MEMORY USAGE %lld\n", subject.key().c_str(), events, items, categories,
                static_cast<long long>(size->integer), static_cast<long long>(used->integer));
    return used->integer;
  };
  EXPECT_LT(fill(session("0f8fad5b-d9cb-469f-a165-70867728950e"), 5, 4, 2), 600);
  EXPECT_LT(fill(user("customer-000001"), 30, 20, 6), 1'500);
  EXPECT_LT(fill(user("customer-000002"), 400, 100, 64), 12'000);
  store.merge();
  const std::string prefix = store.options().prefix;
  for (const std::string key : {"{pop}:items", "{pop}:changes", "{pop}:state", "global:popular"}) {
    const auto used = store.ask({"MEMORY", "USAGE", prefix + key, "SAMPLES", "0"});
    std::printf("%s: %lld bytes, %zu items\n", key.c_str(), static_cast<long long>(used->integer), store.popularity().size());
  }
}

}  // namespace
}  // namespace scalestyle::support
