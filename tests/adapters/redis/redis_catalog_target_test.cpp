// What an ingest writes into Redis, and what becomes of it when something goes wrong.
#include "adapters/redis/redis_catalog_target.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numbers>

#include "adapters/redis/catalogue_blocks.hpp"
#include "adapters/redis/redis_catalog_store.hpp"
#include "support/redis_servers.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::adapters::redis {
namespace {

using support::RedisShape;
using support::RunningRedis;
using ::testing::HasSubstr;

constexpr core::Deadline (*never)() = core::Deadline::never;

// Some hundreds of articles, so that there are several blocks of both kinds.
std::shared_ptr<const ports::CatalogSnapshot> snapshot_of(const std::string& id, std::size_t count, bool with_neighbours = true) {
  catalog::CatalogBuilder builder;
  for (std::size_t i = 0; i < count; ++i) {
    auto article = support::sample_article(std::to_string(1'000 + i));
    if (i % 3 != 0) article.price = 0.1 * static_cast<double>(i);
    article.purchase_count = i;
    article.available = i % 4 != 0;
    if (i % 2 == 0) article.image_path = "001/" + article.id.text() + ".jpg";
    EXPECT_TRUE(builder.add(article));
  }
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->info = support::sample_info(id);
  snapshot->info.articles = count;
  snapshot->info.image_folder = "/some/folder";
  snapshot->info.purchases_from = "2020-01-01";
  snapshot->info.purchases_to = "2020-02-01";
  snapshot->info.changes_through = 77;
  snapshot->info.changes_overruled_ms = 123;
  snapshot->info.image_encoder = snapshot->info.document_encoder;
  snapshot->info.image_vectors = 5;
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
  if (with_neighbours) {
    std::vector<std::uint32_t> begins{0};
    std::vector<ranking::Neighbour> neighbours;
    for (std::uint32_t row = 0; row < count; ++row) {
      for (std::uint32_t i = 1; i <= row % 4 && i < count; ++i) {
        neighbours.push_back({(row + i) % static_cast<std::uint32_t>(count), 1.0F / static_cast<float>(i + 1)});
      }
      begins.push_back(static_cast<std::uint32_t>(neighbours.size()));
    }
    snapshot->neighbours =
        std::make_shared<const ranking::ItemNeighbours>(ranking::ItemNeighbours::make(begins, neighbours).value());
  }
  return snapshot;
}

class RedisCatalogTargetTest : public ::testing::TestWithParam<RedisShape> {
 protected:
  RedisCatalogTargetTest() : redis_(GetParam()) {}

  static ports::TargetGeneration generation_of(std::shared_ptr<const ports::CatalogSnapshot> snapshot) {
    ports::PopularitySeeds seeds;
    for (std::uint32_t row = 0; row < snapshot->catalog->size(); ++row) {
      const auto count = snapshot->catalog->row({row}).purchase_count();
      if (count > 0) seeds.all_time.push_back({{row}, static_cast<double>(count)});
    }
    seeds.last_24h = {{{0}, 5.0}};
    seeds.last_7d = {{{0}, 10.0}};
    if (snapshot->catalog->size() > 1) seeds.last_7d.push_back({{1}, 5.0});
    ports::TargetGeneration generation;
    generation.snapshot = std::move(snapshot);
    generation.popular = std::make_shared<const ports::PopularitySeeds>(std::move(seeds));
    return generation;
  }
  void write(RedisCatalogTarget& target, const std::shared_ptr<const ports::CatalogSnapshot>& snapshot) {
    const auto begun = core::sync_wait(target.begin(generation_of(snapshot), never()));
    ASSERT_TRUE(begun) << begun.error().message;
    const auto written = core::sync_wait(target.write_articles(never()));
    ASSERT_TRUE(written) << written.error().message;
  }
  ports::TargetCounts fill(RedisCatalogTarget& target, const std::shared_ptr<const ports::CatalogSnapshot>& snapshot) {
    write(target, snapshot);
    const auto counts = core::sync_wait(target.finish(never()));
    EXPECT_TRUE(counts) << (counts ? "" : counts.error().message);
    const auto switched = core::sync_wait(target.switch_to(never()));
    EXPECT_TRUE(switched) << (switched ? "" : switched.error().message);
    return counts.value_or(ports::TargetCounts());
  }
  RedisCatalogTarget new_target() { return {redis_.client(), redis_.pool(), redis_.clock(), {.prefix = redis_.keys.prefix}}; }
  core::Result<std::shared_ptr<const ports::CatalogSnapshot>> load(const std::string& id) {
    return core::sync_wait(store_.load(core::GenerationId(id), never()));
  }
  std::string current() {
    const auto id = core::sync_wait(store_.current(never()));
    return id ? id->value() : id.error().message;
  }
  std::map<std::string, std::string> item(const std::string& id) {
    std::map<std::string, std::string> fields;
    const auto reply = redis_.run({"HGETALL", redis_.keys.item(id)});
    for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) fields[reply.elements[i].text] = reply.elements[i + 1].text;
    return fields;
  }
  bool exists(const std::string& key) { return redis_.run({"EXISTS", key}).integer == 1; }

  RunningRedis redis_;
  RedisCatalogStore store_{redis_.client(), redis_.pool(), {.prefix = redis_.keys.prefix}};
};

void expect_same(const ports::CatalogSnapshot& read, const ports::CatalogSnapshot& written) {
  const catalog::Catalog& a = *read.catalog;
  const catalog::Catalog& b = *written.catalog;
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.numbering(), b.numbering());
  EXPECT_EQ(a.available_count(), b.available_count());
  for (std::uint32_t row = 0; row < a.size(); ++row) ASSERT_EQ(a.row({row}).to_article(), b.row({row}).to_article()) << row;
  for (const auto attribute : catalog::all_attributes()) EXPECT_TRUE(std::ranges::equal(a.codes(attribute), b.codes(attribute)));
  EXPECT_TRUE(std::ranges::equal(a.name_codes(), b.name_codes()));
  EXPECT_TRUE(std::ranges::equal(a.description_codes(), b.description_codes()));
  ASSERT_EQ(read.neighbours == nullptr, written.neighbours == nullptr);
  if (read.neighbours != nullptr) {
    EXPECT_TRUE(std::ranges::equal(read.neighbours->begins(), written.neighbours->begins()));
    EXPECT_TRUE(std::ranges::equal(read.neighbours->all(), written.neighbours->all()));
  }
  EXPECT_EQ(read.info.id, written.info.id);
  EXPECT_EQ(read.info.articles, written.info.articles);
  EXPECT_EQ(read.info.document_encoder, written.info.document_encoder);
  EXPECT_EQ(read.info.text_format, written.info.text_format);
  EXPECT_EQ(read.info.currency, written.info.currency);
  EXPECT_EQ(read.info.price_scale, written.info.price_scale);
  EXPECT_EQ(read.info.created_at, written.info.created_at);
  EXPECT_EQ(read.info.image_folder, written.info.image_folder);
  EXPECT_EQ(read.info.purchases_from, written.info.purchases_from);
  EXPECT_EQ(read.info.purchases_to, written.info.purchases_to);
  EXPECT_EQ(read.info.changes_through, written.info.changes_through);
  EXPECT_EQ(read.info.changes_overruled_ms, written.info.changes_overruled_ms);
  EXPECT_EQ(read.info.image_encoder, written.info.image_encoder);
  EXPECT_EQ(read.info.image_vectors, written.info.image_vectors);
}

TEST_P(RedisCatalogTargetTest, EverythingComesBackAsItWas) {
  for (const std::size_t count : {std::size_t{1}, kArticlesABlock, 3 * kNeighbourRowsABlock / 2}) {
    const auto snapshot = snapshot_of("g" + std::to_string(count), count, count > 1);
    auto target = new_target();
    const auto counts = fill(target, snapshot);
    EXPECT_EQ(counts.articles, count);
    EXPECT_EQ(counts.popular, count - 1);
    EXPECT_EQ(current(), snapshot->info.id.value());
    const auto read = load(snapshot->info.id.value());
    ASSERT_TRUE(read) << read.error().message;
    expect_same(**read, *snapshot);
  }
}

TEST_P(RedisCatalogTargetTest, OtherReadersFindArticlesAndWhatIsPopular) {
  auto target = new_target();
  fill(target, snapshot_of("g1", 700));
  const auto with = item("0000001002");
  EXPECT_EQ(with.at("article_id"), "0000001002");
  EXPECT_EQ(with.at("prod_name"), "Name of 1002");
  EXPECT_EQ(with.at("colour_group_name"), "colour_group_name value");
  EXPECT_EQ(with.at("product_type_name"), "product_type_name value");
  EXPECT_EQ(with.at("department_name"), "department_name value");
  EXPECT_THAT(with.at("detail_desc"), HasSubstr("ünïcödé"));
  EXPECT_EQ(with.at("category"), with.at("product_type_name"));
  EXPECT_EQ(with.at("price"), "0.2");
  EXPECT_EQ(with.at("image_url"), "/images/0000001002");
  EXPECT_EQ(with.at("available"), "1");
  EXPECT_EQ(with.at("purchase_count"), "2");
  EXPECT_EQ(with.at("generation"), "g1");
  const auto without = item("0000001003");
  EXPECT_FALSE(without.contains("price"));
  EXPECT_EQ(without.at("image_url"), "");
  const auto best = redis_.run({"ZREVRANGE", redis_.keys.global_popular(), "0", "1", "WITHSCORES"});
  ASSERT_EQ(best.elements.size(), 4U);
  EXPECT_EQ(best.elements[0].text, "0000001699");
  const double seconds = std::chrono::duration<double>(redis_.clock().wall_now().time_since_epoch()).count();
  EXPECT_NEAR(std::stod(best.elements[1].text), std::log(699.0) + std::numbers::ln2 / (48 * 3'600.0) * seconds, 1e-3);
  EXPECT_EQ(redis_.run({"ZCARD", redis_.keys.popularity_seed("7d")}).integer, 2);
  EXPECT_EQ(redis_.run({"ZCARD", redis_.keys.popularity_seed("24h")}).integer, 1);
  const auto lives = redis_.run({"TTL", redis_.keys.popularity_seed("24h")}).integer;
  EXPECT_TRUE(lives > 86'000 && lives <= 86'400) << lives;
  EXPECT_EQ(redis_.run({"TTL", redis_.keys.global_popular()}).integer, -1);
}

// Live popularity is published under the same name, on the same scale: neither undoes the other.
TEST_P(RedisCatalogTargetTest, PopularArticlesOfLiveEventsStayBesideThoseOfThePast) {
  redis_.run({"ZADD", redis_.keys.global_popular(), "1000000", "0000001001", "1", "0000001002", "9", "0000009999"});
  auto target = new_target();
  const auto counts = fill(target, snapshot_of("g1", 10));
  EXPECT_EQ(counts.popular, 9U);
  EXPECT_EQ(redis_.run({"ZSCORE", redis_.keys.global_popular(), "0000001001"}).text, "1000000");
  EXPECT_GT(std::stod(redis_.run({"ZSCORE", redis_.keys.global_popular(), "0000001002"}).text), 1'000);
  ASSERT_TRUE(core::sync_wait(target.remove_others({}, never())));
  EXPECT_TRUE(redis_.run({"ZSCORE", redis_.keys.global_popular(), "0000009999"}).is_null());  // of no article
  EXPECT_EQ(redis_.run({"ZCARD", redis_.keys.global_popular()}).integer, 9);
}

// A fill that dies leaves what is served, and nothing that stays.
TEST_P(RedisCatalogTargetTest, APopularArticleThatTheCatalogueDoesNotHaveIsRefused) {
  auto generation = generation_of(snapshot_of("g1", 5));
  ports::PopularitySeeds seeds = *generation.popular;
  seeds.last_24h.push_back({{5}, 1.0});
  generation.popular = std::make_shared<const ports::PopularitySeeds>(std::move(seeds));
  auto target = new_target();
  const auto begun = core::sync_wait(target.begin(std::move(generation), never()));
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_THAT(begun.error().message, HasSubstr("row 5 of a catalogue of 5 articles"));
}

TEST_P(RedisCatalogTargetTest, AnInterruptedFillChangesNothingThatIsServed) {
  {
    auto target = new_target();
    fill(target, snapshot_of("g1", 600));
  }
  const auto next = snapshot_of("g2", 800);
  {
    auto dies = new_target();
    write(dies, next);
  }
  EXPECT_EQ(current(), "g1");
  EXPECT_EQ((*load("g1"))->catalog->size(), 600U);
  EXPECT_EQ(item("0000001002").at("generation"), "g1");
  for (const std::string& key : {redis_.keys.manifest(next->info.id), redis_.keys.articles(next->info.id, 1),
                                 redis_.keys.neighbours(next->info.id, 0)}) {
    EXPECT_GT(redis_.run({"TTL", key}).integer, 0) << key;
  }
  auto again = new_target();
  fill(again, next);
  EXPECT_EQ(current(), "g2");
  expect_same(**load("g2"), *next);
  EXPECT_EQ(redis_.run({"TTL", redis_.keys.articles(next->info.id, 1)}).integer, -1);
  EXPECT_EQ(item("0000001002").at("generation"), "g2");
}

TEST_P(RedisCatalogTargetTest, WhatIsGivenUpGoesButNeverWhatIsServed) {
  auto first = new_target();
  fill(first, snapshot_of("g1", 20));
  ASSERT_TRUE(core::sync_wait(first.abort(never())));
  EXPECT_EQ((*load("g1"))->catalog->size(), 20U);
  auto second = new_target();
  const auto next = snapshot_of("g2", 30);
  write(second, next);
  ASSERT_TRUE(core::sync_wait(second.abort(never())));
  EXPECT_FALSE(exists(redis_.keys.manifest(next->info.id)));
  EXPECT_FALSE(exists(redis_.keys.articles(next->info.id, 0)));
  const auto gone = load("g2");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, core::ErrorCode::kNotFound);
  auto same = new_target();
  const auto refused = core::sync_wait(same.begin(generation_of(snapshot_of("g1", 20)), never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
}

TEST_P(RedisCatalogTargetTest, OnlyGenerationsThatNobodyHoldsAreRemovedWithTheItemsOfNone) {
  for (const char* id : {"g1", "g2", "g3"}) {
    auto target = new_target();
    fill(target, snapshot_of(id, 40));
  }
  auto last = new_target();
  fill(last, snapshot_of("g4", 30));
  EXPECT_TRUE(exists(redis_.keys.item("0000001035")));
  const auto removed = core::sync_wait(last.remove_others({core::GenerationId("g2"), core::GenerationId("g3")}, never()));
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 1U);
  EXPECT_EQ(load("g1").error().code, core::ErrorCode::kNotFound);
  EXPECT_FALSE(exists(redis_.keys.articles(core::GenerationId("g1"), 0)));
  for (const char* id : {"g2", "g3", "g4"}) EXPECT_TRUE(load(id)) << id;
  EXPECT_FALSE(exists(redis_.keys.item("0000001035")));
  EXPECT_TRUE(exists(redis_.keys.item("0000001029")));
  EXPECT_EQ(redis_.run({"SCARD", redis_.keys.item_ids()}).integer, 30);
  EXPECT_EQ(core::sync_wait(last.remove_others({}, never())).value(), 2U);
  EXPECT_EQ((*load("g4"))->catalog->size(), 30U);
}

TEST_P(RedisCatalogTargetTest, DamageIsDataLossNamingTheKey) {
  const core::GenerationId id("g1");
  const auto snapshot = snapshot_of("g1", 700);
  auto target = new_target();
  fill(target, snapshot);
  const auto expect_damage = [&](const std::string& key) {
    const auto read = load("g1");
    ASSERT_FALSE(read) << key;
    EXPECT_EQ(read.error().code, core::ErrorCode::kDataLoss) << read.error().message;
    EXPECT_THAT(read.error().message, HasSubstr(key));
  };
  for (const std::string& key : {redis_.keys.articles(id, 1), redis_.keys.neighbours(id, 0), redis_.keys.manifest(id)}) {
    const std::string whole = redis_.run({"GET", key}).text;
    redis_.run({"SETRANGE", key, std::to_string(whole.size() / 2), "?!"});
    expect_damage(key);
    redis_.run({"SET", key, whole.substr(0, whole.size() - 3)});
    expect_damage(key);
    redis_.run({"UNLINK", key});
    if (key != redis_.keys.manifest(id)) expect_damage(key);
    redis_.run({"HSET", key, "a", "b"});
    expect_damage(key);
    redis_.run({"UNLINK", key});
    redis_.run({"SET", key, whole});
    EXPECT_TRUE(load("g1")) << key;
  }
  redis_.run({"SET", redis_.keys.current(), "../x"});
  const auto broken = core::sync_wait(store_.current(never()));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, core::ErrorCode::kDataLoss);
  EXPECT_THAT(broken.error().message, HasSubstr(redis_.keys.current()));
}

TEST_P(RedisCatalogTargetTest, WhatIsInThePlaceOfAnItemStopsTheFillAndIsNamed) {
  auto first = new_target();
  fill(first, snapshot_of("g1", 20));
  redis_.run({"UNLINK", redis_.keys.item("0000001007")});
  redis_.run({"SET", redis_.keys.item("0000001007"), "something else"});
  auto target = new_target();
  write(target, snapshot_of("g2", 20));
  ASSERT_TRUE(core::sync_wait(target.finish(never())));
  const auto switched = core::sync_wait(target.switch_to(never()));
  ASSERT_FALSE(switched);
  EXPECT_EQ(switched.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(switched.error().message, HasSubstr(redis_.keys.item("0000001007")));
  EXPECT_EQ(current(), "g1");
}

TEST_P(RedisCatalogTargetTest, ABlockThatExpiredIsNotSwitchedTo) {
  auto target = new_target();
  const auto snapshot = snapshot_of("g1", 20);
  write(target, snapshot);
  ASSERT_TRUE(core::sync_wait(target.finish(never())));
  redis_.run({"UNLINK", redis_.keys.articles(snapshot->info.id, 0)});
  const auto switched = core::sync_wait(target.switch_to(never()));
  ASSERT_FALSE(switched);
  EXPECT_EQ(switched.error().code, core::ErrorCode::kDataLoss);
  EXPECT_THAT(current(), HasSubstr("nothing was ingested"));
}

INSTANTIATE_TEST_SUITE_P(Redis, RedisCatalogTargetTest,
                         ::testing::Values(RedisShape::kPlain, RedisShape::kTls, RedisShape::kCluster),
                         [](const auto& tested) { return name_of(tested.param); });

}  // namespace
}  // namespace scalestyle::adapters::redis
