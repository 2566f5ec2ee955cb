// The conformance suites of catalogues and their changes on every kind of Redis.

#include <memory>
#include <string>

#include "adapters/redis/redis_catalog_changes.hpp"
#include "adapters/redis/redis_catalog_store.hpp"
#include "adapters/redis/redis_catalog_target.hpp"
#include "support/conformance_catalog_changes.hpp"
#include "support/conformance_catalog_store.hpp"
#include "support/redis_servers.hpp"

namespace scalestyle::support {
namespace {

using namespace adapters::redis;

const ::testing::Environment* const kServers =
    ::testing::AddGlobalTestEnvironment(new RedisServers({RedisShape::kPlain, RedisShape::kTls, RedisShape::kCluster}));

class RedisCatalogStoreEngine final : public CatalogStoreEngine {
 public:
  explicit RedisCatalogStoreEngine(RedisShape shape) : redis_(shape) {}
  ports::CatalogStore& store() override { return store_; }
  void publish(const ports::GenerationInfo& info, const std::vector<catalog::Article>& articles, bool make_current) override {
    catalog::CatalogBuilder builder;
    for (const auto& article : articles) ASSERT_TRUE(builder.add(article));
    auto snapshot = std::make_shared<ports::CatalogSnapshot>();
    snapshot->info = info;
    snapshot->info.articles = articles.size();
    snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
    RedisCatalogTarget target(redis_.client(), redis_.pool(), redis_.clock(), {.prefix = redis_.keys.prefix});
    const auto never = core::Deadline::never();
    ports::TargetGeneration generation{.snapshot = snapshot, .popular = std::make_shared<const ports::PopularitySeeds>()};
    const auto begun = core::sync_wait(target.begin(std::move(generation), never));
    ASSERT_TRUE(begun) << begun.error().message;
    const auto written = core::sync_wait(target.write_articles(never));
    ASSERT_TRUE(written) << written.error().message;
    const auto counted = core::sync_wait(target.finish(never));
    ASSERT_TRUE(counted) << counted.error().message;
    EXPECT_EQ(counted->articles, articles.size());
    if (!make_current) return;
    const auto switched = core::sync_wait(target.switch_to(never));
    ASSERT_TRUE(switched) << switched.error().message;
  }

 private:
  RunningRedis redis_;
  RedisCatalogStore store_{redis_.client(), redis_.pool(), {.prefix = redis_.keys.prefix}};
};

class RedisCatalogChangesEngine final : public CatalogChangesEngine {
 public:
  explicit RedisCatalogChangesEngine(RedisShape shape) : shape_(shape) { reopen(); }
  ports::CatalogChanges& changes() override { return *changes_; }
  void reopen() override {
    changes_.reset();
    redis_ = std::make_unique<RunningRedis>(shape_, prefix_);
    changes_ = std::make_unique<RedisCatalogChanges>(redis_->client(), RedisCatalogChanges::Options{.prefix = prefix_});
  }

 private:
  RedisShape shape_;
  std::string prefix_ = RunningRedis::new_prefix();
  std::unique_ptr<RunningRedis> redis_;
  std::unique_ptr<RedisCatalogChanges> changes_;
};

template <class Factory, class Engine>
auto on_every_shape() {
  return ::testing::Values(Factory([] { return std::make_unique<Engine>(RedisShape::kPlain); }),
                           Factory([] { return std::make_unique<Engine>(RedisShape::kTls); }),
                           Factory([] { return std::make_unique<Engine>(RedisShape::kCluster); }));
}
std::string name_of_shape(std::size_t index) { return index == 0 ? "plain" : index == 1 ? "tls" : "cluster"; }

INSTANTIATE_TEST_SUITE_P(Redis, CatalogStoreConformance, (on_every_shape<CatalogStoreFactory, RedisCatalogStoreEngine>()),
                         [](const auto& tested) { return name_of_shape(tested.index); });
INSTANTIATE_TEST_SUITE_P(Redis, CatalogChangesConformance, (on_every_shape<CatalogChangesFactory, RedisCatalogChangesEngine>()),
                         [](const auto& tested) { return name_of_shape(tested.index); });

}  // namespace
}  // namespace scalestyle::support
