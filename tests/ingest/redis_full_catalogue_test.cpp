// The whole real catalogue in Redis: how long a fill and a gateway's load take, and what an article costs. Prints figures.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "adapters/redis/redis_catalog_store.hpp"
#include "adapters/redis/redis_catalog_target.hpp"
#include "core/task.hpp"
#include "ingest/ingest_fixture.hpp"
#include "support/redis_servers.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::ingest {
namespace {

using support::RedisShape;
using support::RunningRedis;

const auto* const kServers =
    ::testing::AddGlobalTestEnvironment(new support::RedisServers({RedisShape::kPlain, RedisShape::kTls, RedisShape::kCluster}));

class RedisFullCatalogueTest : public IngestFixture {
 protected:
  static double seconds_since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
};

TEST_F(RedisFullCatalogueTest, IsFilledAndLoadedInSeconds) {
  const auto hm = support::shared_dir() / "data" / "hm";
  SCALESTYLE_NEED(hm / "articles.parquet");
  SCALESTYLE_NEED(hm / "transactions.parquet");
  options_.articles = hm / "articles.parquet";
  options_.transactions = hm / "transactions.parquet";
  options_.checkpoint_interval = std::chrono::milliseconds(3'000);
  options_.batch_texts = 256;
  options_.batches_in_flight = 4;
  for (const RedisShape shape : {RedisShape::kPlain, RedisShape::kTls, RedisShape::kCluster}) {
    RunningRedis redis(shape);
    adapters::redis::RedisCatalogTarget target(redis.client(), redis.pool(), redis.clock(), {.prefix = redis.keys.prefix});
    stores_ = {.targets = {&target}};
    options_.update = shape != RedisShape::kPlain;  // the same texts
    const auto summary = run();
    stores_ = {};
    ASSERT_TRUE(summary) << summary.error().message;
    ASSERT_EQ(summary->filled.size(), 1U);
    adapters::redis::RedisCatalogStore store(redis.client(), redis.pool(), {.prefix = redis.keys.prefix});
    double load_seconds = 1e9;
    for (int i = 0; i < 3; ++i) {
      const auto begun = std::chrono::steady_clock::now();
      const auto loaded = core::sync_wait(store.load(summary->generation, core::Deadline::never()));
      ASSERT_TRUE(loaded) << loaded.error().message;
      load_seconds = std::min(load_seconds, seconds_since(begun));
      ASSERT_EQ((*loaded)->catalog->size(), summary->accepted);
    }
    const FilledTarget& filled = summary->filled[0];
    fmt::print("{}: {} articles, {} neighbours: blocks and check {:.1f} s, with items and switch {:.1f} s, load {:.2f} s "
               "(best of 3)\n",
               name_of(shape), summary->accepted, *filled.counts.neighbours, filled.seconds, summary->fill_seconds, load_seconds);
    EXPECT_LT(load_seconds, 50);
  }
}

}  // namespace
}  // namespace scalestyle::ingest
