// What only a store that several gateways share has to do; and who holds which generation.
#include "adapters/redis/redis_catalog_changes.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/redis/redis_generation_use.hpp"
#include "support/redis_servers.hpp"

namespace scalestyle::adapters::redis {
namespace {

using support::RedisShape;
using support::RunningRedis;
using ::testing::HasSubstr;

constexpr core::Deadline (*never)() = core::Deadline::never;

class RedisCatalogChangesTest : public ::testing::TestWithParam<RedisShape> {
 protected:
  RedisCatalogChangesTest() : redis_(GetParam()), changes_(redis_.client(), {.prefix = redis_.keys.prefix, .max_changes = 300}) {}

  static catalog::ArticleChange price(int number, double value) {
    return {.id = catalog::ArticleId::parse(std::to_string(number)).value(), .sets_price = true, .price = value};
  }
  std::expected<std::int64_t, ports::AppendFailure> append(std::vector<catalog::ArticleChange> batch) {
    ports::ChangeBatch wanted;
    wanted.changes = std::move(batch);
    wanted.time_ms = 9;
    return core::sync_wait(changes_.append(std::move(wanted), never()));
  }

  RunningRedis redis_;
  RedisCatalogChanges changes_;
};

TEST_P(RedisCatalogChangesTest, ItSaysThatOthersMayWriteToo) { EXPECT_TRUE(changes_.shared()); }

TEST_P(RedisCatalogChangesTest, SequencesOfManyWritersAscendByOneAndEachBatchIsWhole) {
  constexpr int kWriters = 4;
  constexpr int kBatches = 25;
  std::vector<std::vector<std::int64_t>> firsts(kWriters);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kBatches; ++i) {
        const int number = 1'000 * writer + 2 * i;
        firsts[static_cast<std::size_t>(writer)].push_back(append({price(number, i), price(number + 1, i)}).value());
      }
    });
  }
  for (auto& writer : writers) writer.join();
  std::set<std::int64_t> all;
  for (const auto& own : firsts) {
    EXPECT_TRUE(std::ranges::is_sorted(own));
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kWriters * kBatches));
  const auto log = core::sync_wait(changes_.read(0, 1'000, never())).value();
  ASSERT_EQ(log.size(), 2U * kWriters * kBatches);
  for (std::size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i].sequence, static_cast<std::int64_t>(i + 1));
  for (std::size_t i = 0; i < log.size(); i += 2) {
    EXPECT_EQ(std::stoi(log[i].change.id.text()) + 1, std::stoi(log[i + 1].change.id.text()));
  }
}

TEST_P(RedisCatalogChangesTest, AFullLogRefusesUntilItIsSettled) {
  for (int i = 0; i < 3; ++i) {
    std::vector<catalog::ArticleChange> many;
    for (int number = 0; number < 100; ++number) many.push_back(price(100 * i + number, 1));
    ASSERT_TRUE(append(std::move(many)));
  }
  const auto refused = append({price(999, 1)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().outcome, ports::AppendOutcome::kNotKept);
  EXPECT_EQ(refused.error().error.code, core::ErrorCode::kResourceExhausted);
  ASSERT_TRUE(core::sync_wait(changes_.settle(300, 9, never())));
  EXPECT_EQ(append({price(999, 1)}).value(), 301);
}

TEST_P(RedisCatalogChangesTest, AKeyOfAnotherTypeChangesNothingAndIsNamed) {
  ASSERT_TRUE(append({price(1, 1)}));
  const std::string key = redis_.keys.change("vector_sequences");
  redis_.run({"SET", key, "x"});
  const auto refused = append({price(2, 2)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().outcome, ports::AppendOutcome::kNotKept);
  EXPECT_EQ(refused.error().error.code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().error.message, HasSubstr(key));
  EXPECT_EQ(core::sync_wait(changes_.read(0, 10, never())).value().size(), 1U);
  redis_.run({"DEL", key});
  EXPECT_EQ(append({price(2, 2)}).value(), 2);
}

TEST_P(RedisCatalogChangesTest, ADamagedLogIsDataLossNamingIt) {
  ASSERT_TRUE(append({price(1, 1)}));
  const std::string log = redis_.keys.change("log");
  redis_.run({"ZADD", log, "2", "2 9 1 no"});
  const auto read = core::sync_wait(changes_.read(0, 10, never()));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, core::ErrorCode::kDataLoss);
  EXPECT_THAT(read.error().message, HasSubstr(log));
  EXPECT_FALSE(core::sync_wait(changes_.settle(5, 9, never())));
}

TEST_P(RedisCatalogChangesTest, EveryChangeIsInOneSlot) {
  const auto slot = RedisClient::slot_of(redis_.keys.change("log"));
  for (const char* part : {"sequence", "articles", "vectors", "vector_sequences", "batch:x"}) {
    EXPECT_EQ(RedisClient::slot_of(redis_.keys.change(part)), slot) << part;
  }
}

TEST_P(RedisCatalogChangesTest, GenerationsAreInUseUntilTheirTimeIsOver) {
  RedisGenerationUse use(redis_.client(), {.prefix = redis_.keys.prefix});
  const auto report = [&](const std::string& gateway, const std::string& id, std::chrono::milliseconds ttl) {
    return core::sync_wait(use.report(gateway, core::GenerationId(id), ttl, never()));
  };
  const auto used = [&] { return core::sync_wait(use.used(never())).value(); };
  using Ids = std::set<core::GenerationId>;
  const core::GenerationId a("a");
  const core::GenerationId b("b");
  EXPECT_TRUE(used().empty());
  ASSERT_TRUE(report("one", "a", std::chrono::minutes(5)));
  ASSERT_TRUE(report("two with blanks", "a", std::chrono::seconds(1)));
  ASSERT_TRUE(report("two with blanks", "b", std::chrono::seconds(1)));
  EXPECT_EQ(used(), (Ids{a, b}));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'200));
  EXPECT_EQ(used(), (Ids{a}));
  ASSERT_TRUE(report("three", "b", std::chrono::minutes(5)));
  EXPECT_EQ(redis_.run({"ZCARD", redis_.keys.generation_use()}).integer, 2);  // what is over is forgotten
  EXPECT_GT(redis_.run({"PTTL", redis_.keys.generation_use()}).integer, 0);
  for (const auto& wrong : {report("", "a", std::chrono::seconds(5)), report("one", "", std::chrono::seconds(5)),
                            report("one", "a b", std::chrono::seconds(5)), report("one", "a", std::chrono::milliseconds(999))}) {
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, core::ErrorCode::kInvalidArgument);
  }
  redis_.run({"DEL", redis_.keys.generation_use()});
  redis_.run({"SET", redis_.keys.generation_use(), "x"});
  EXPECT_EQ(core::sync_wait(use.used(never())).error().code, core::ErrorCode::kDataLoss);
}

INSTANTIATE_TEST_SUITE_P(Redis, RedisCatalogChangesTest,
                         ::testing::Values(RedisShape::kPlain, RedisShape::kTls, RedisShape::kCluster),
                         [](const auto& tested) { return name_of(tested.param); });

}  // namespace
}  // namespace scalestyle::adapters::redis
