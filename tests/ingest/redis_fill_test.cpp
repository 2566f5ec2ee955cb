// The ingest into a real Redis: what gateways load from it is what the data folder has, and a run that is killed at any
// moment leaves the old generation served.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/redis/redis_catalog_changes.hpp"
#include "adapters/redis/redis_catalog_store.hpp"
#include "adapters/redis/redis_catalog_target.hpp"
#include "adapters/redis/redis_generation_use.hpp"
#include "catalog/sample.hpp"
#include "core/task.hpp"
#include "ingest/ingest_fixture.hpp"
#include "support/redis_servers.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::ingest {
namespace {

using adapters::redis::RedisCatalogTarget;
using support::RedisShape;
using support::RunningRedis;
using ::testing::HasSubstr;

const auto* const kServers =
    ::testing::AddGlobalTestEnvironment(new support::RedisServers({RedisShape::kPlain, RedisShape::kCluster}));

class RedisFillTest : public IngestFixture, public ::testing::WithParamInterface<RedisShape> {
 protected:
  // A run with connections of its own, as the command makes it.
  core::Result<IngestSummary> run_into_redis() {
    RunningRedis redis(GetParam(), prefix_);
    RedisCatalogTarget target(redis.client(), redis.pool(), redis.clock(), {.prefix = prefix_});
    adapters::redis::RedisGenerationUse use(redis.client(), {.prefix = prefix_});
    adapters::redis::RedisCatalogChanges changes(redis.client(), {.prefix = prefix_});
    stores_ = {.targets = {&target}, .use = &use, .changes = &changes};
    auto summary = run();
    stores_ = {};
    return summary;
  }
  // Returns its wait status.
  int run_in_child(const std::function<void(pid_t)>& in_parent = nullptr) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto result = run_into_redis();
      ::_exit(result ? 0 : 1);
    }
    if (in_parent) in_parent(child);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  // What a gateway serves.
  core::Result<std::shared_ptr<const ports::CatalogSnapshot>> served() {
    RunningRedis redis(GetParam(), prefix_);
    adapters::redis::RedisCatalogStore store(redis.client(), redis.pool(), {.prefix = prefix_});
    CORE_TRY(auto id, core::sync_wait(store.current(core::Deadline::never())));
    return core::sync_wait(store.load(id, core::Deadline::never()));
  }
  std::shared_ptr<const ports::CatalogSnapshot> in_data_folder() {
    support::RunningPool pool(1);
    adapters::embedded::LocalCatalogStore store({.data_dir = options_.data_dir}, *pool);
    return core::sync_wait(store.load(*data().read_current(), core::Deadline::never())).value();
  }
  void expect_same_as_data_folder() {
    const auto read = served();
    ASSERT_TRUE(read) << read.error().message;
    const auto wanted = in_data_folder();
    const catalog::Catalog& a = *(*read)->catalog;
    const catalog::Catalog& b = *wanted->catalog;
    EXPECT_EQ((*read)->info.id, wanted->info.id);
    ASSERT_EQ(a.numbering(), b.numbering());
    for (std::uint32_t row = 0; row < a.size(); ++row) ASSERT_EQ(a.row({row}).to_article(), b.row({row}).to_article()) << row;
    ASSERT_EQ((*read)->neighbours == nullptr, wanted->neighbours == nullptr);
    if (wanted->neighbours == nullptr) return;
    EXPECT_TRUE(std::ranges::equal((*read)->neighbours->begins(), wanted->neighbours->begins()));
    EXPECT_TRUE(std::ranges::equal((*read)->neighbours->all(), wanted->neighbours->all()));
  }

  std::string prefix_ = RunningRedis::new_prefix();
};

TEST_P(RedisFillTest, TheSampleCatalogueIsTheSameInRedisAsInTheDataFolder) {
  ASSERT_TRUE(catalog::write_sample(folder_ / "sample", {.products = 400, .images = false}));
  options_.articles = folder_ / "sample" / "articles.csv";
  options_.transactions = folder_ / "sample" / "transactions.csv";
  const auto summary = run_into_redis();
  ASSERT_TRUE(summary) << summary.error().message;
  ASSERT_EQ(summary->filled.size(), 1U);
  EXPECT_EQ(summary->filled[0].counts.articles, summary->accepted);
  EXPECT_GT(*summary->filled[0].counts.popular, 100U);
  EXPECT_GT(*summary->filled[0].counts.neighbours, 100U);
  expect_same_as_data_folder();
  EXPECT_NE(in_data_folder()->neighbours, nullptr);
}

TEST_P(RedisFillTest, RealArticlesKilledHalfWayAndRepeated) {
  const auto hm = support::shared_dir() / "data" / "hm";
  SCALESTYLE_NEED(hm / "articles_small.csv");
  SCALESTYLE_NEED(hm / "transactions.parquet");
  ASSERT_TRUE(catalog::write_sample(folder_ / "sample", {.products = 30, .images = false}));
  options_.articles = folder_ / "sample" / "articles.csv";
  options_.transactions = folder_ / "sample" / "transactions.csv";
  options_.checkpoint_interval = std::chrono::milliseconds(1'000);
  ASSERT_TRUE(run_into_redis());
  const auto before = served().value()->info.id;
  options_.articles = hm / "articles_small.csv";
  options_.transactions = hm / "transactions.parquet";
  options_.batch_texts = 32;
  // Before each step of the store, and some milliseconds into it.
  for (const std::string at : {"fill redis", "verify redis", "switch redis"}) {
    for (const int delay_ms : GetParam() == RedisShape::kPlain ? std::vector{0, 7} : std::vector{0}) {
      SCOPED_TRACE(at + " + " + std::to_string(delay_ms) + " ms");
      std::thread killer;
      before_step_ = [&](std::string_view step) {
        if (step != at) return;
        if (delay_ms == 0) ::raise(SIGKILL);
        killer = std::thread([delay_ms] {
          std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
          ::raise(SIGKILL);
        });
      };
      const int status = run_in_child();
      const auto now = served();
      ASSERT_TRUE(now) << now.error().message;
      const auto in_folder = *data().read_current();
      if (WIFSIGNALED(status)) {
        // One of the two, whole; the folder is never ahead of the store.
        if ((*now)->info.id == before) {
          EXPECT_EQ(in_folder, before);
        } else {
          EXPECT_EQ((*now)->catalog->size(), 2'000U);
        }
      }
      if ((*now)->info.id != before) break;  // it was quicker
    }
  }
  before_step_ = [](std::string_view) {};
  const auto again = run_into_redis();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->filled[0].counts.articles, 2'000U);
  EXPECT_EQ(again->embedded_texts, 0U);
  expect_same_as_data_folder();
}

TEST_P(RedisFillTest, ARedisThatIsNotThereIsToldAtOnceAndNothingChanges) {
  write_text(options_.articles, articles_csv(10));
  options_.allow_no_purchases = true;
  ASSERT_TRUE(run_into_redis());
  const auto before = *data().read_current();
  telemetry::Metrics metrics;
  support::RunningPool pool(1);
  telemetry::Logger log({telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, pool.clock());
  adapters::redis::RedisClient::Options nowhere;
  nowhere.nodes = {"127.0.0.1:1"};
  nowhere.command_timeout = std::chrono::milliseconds(300);
  const auto client = adapters::redis::RedisClient::create(nowhere, {pool.clock(), metrics, log}).value();
  std::thread io([&] { client->run(); });
  RedisCatalogTarget target(*client, *pool, pool.clock(), {.prefix = prefix_});
  stores_ = {.targets = {&target}};
  const auto failed = run();
  client->stop();
  io.join();
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().code == core::ErrorCode::kUnavailable || failed.error().code == core::ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(texts_encoded_, 0);
  EXPECT_EQ(*data().read_current(), before);
}

TEST_P(RedisFillTest, LiveChangesInRedisAreTakenInAndAnOlderGenerationGoes) {
  write_text(options_.articles, articles_csv(10));
  options_.allow_no_purchases = true;
  options_.live_changes = LiveChanges::kAll;
  const auto first = run_into_redis();
  ASSERT_TRUE(first) << first.error().message;
  {
    RunningRedis redis(GetParam(), prefix_);
    adapters::redis::RedisCatalogChanges changes(redis.client(), {.prefix = prefix_});
    ports::ChangeBatch batch{.time_ms = 5};
    batch.changes.push_back({.id = catalog::ArticleId::parse("500000003").value(), .sets_price = true, .price = 7.5});
    ASSERT_TRUE(core::sync_wait(changes.append(std::move(batch), core::Deadline::never())));
  }
  for (int i = 0; i < 2; ++i) {
    write_text(options_.articles, articles_csv(11 + i));
    const auto summary = run_into_redis();
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(summary->carried_changes, 1U);
  }
  const auto now = served().value();
  EXPECT_EQ(now->info.changes_through, 1);
  EXPECT_EQ(now->catalog->row(*now->catalog->find(std::string_view("0500000003"))).price(), 7.5);
  RunningRedis redis(GetParam(), prefix_);
  EXPECT_EQ(redis.run({"HLEN", redis.keys.generations()}).integer, 2);  // this one and the one before
  EXPECT_EQ(redis.run({"EXISTS", redis.keys.manifest(first->generation)}).integer, 0);
}

INSTANTIATE_TEST_SUITE_P(Redis, RedisFillTest, ::testing::Values(RedisShape::kPlain, RedisShape::kCluster),
                         [](const auto& tested) { return name_of(tested.param); });

}  // namespace
}  // namespace scalestyle::ingest
