#include "search/ranked_list_cache.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "search/list_key.hpp"
#include "search/query_text.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_clock.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using std::chrono::milliseconds;

std::shared_ptr<const RankedList> list_of(std::size_t rows) {
  auto ranked = std::make_shared<RankedList>();
  ranked->list.rows.resize(rows);
  ranked->list.scores.resize(rows, 0.5);
  return ranked;
}

class RankedListCacheTest : public testing::Test {
 protected:
  support::FakeClock clock_;
  const ListVersion first_{"a", 0, 0};
  const ListVersion second_{"b", 0, 0};
};

TEST_F(RankedListCacheTest, GivesWhatWasPutForKeyAndVersion) {
  RankedListCache cache({}, clock_);
  EXPECT_FALSE(cache.find("k", first_));
  const auto list = list_of(3);
  cache.put("k", first_, list);
  const auto found = cache.find("k", first_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->list, list);
  EXPECT_TRUE(found->is_current);
  EXPECT_FALSE(cache.find("other", first_));
  EXPECT_EQ(cache.peek("k", first_), list);  // not counted below
  EXPECT_EQ(cache.peek("k", second_), nullptr);
  EXPECT_EQ(cache.peek("other", first_), nullptr);
  clock_.advance(milliseconds(1500));
  const auto stats = cache.stats();
  EXPECT_EQ(stats.entries, 1U);
  EXPECT_EQ(stats.hits, 1U);
  EXPECT_EQ(stats.misses, 2U);
  EXPECT_GE(stats.bytes, list->bytes());
  EXPECT_EQ(stats.oldest_age, milliseconds(1500));
}

TEST_F(RankedListCacheTest, AnOlderListStandsInOnlyForAMomentAfterTheSwitch) {
  RankedListCache cache({.stale_for = milliseconds(500)}, clock_);
  cache.put("k", first_, list_of(1));
  ASSERT_TRUE(cache.find("k", first_));
  clock_.advance(std::chrono::hours(1));
  const auto stale = cache.find("k", second_);  // the switch is seen
  ASSERT_TRUE(stale);
  EXPECT_FALSE(stale->is_current);
  clock_.advance(milliseconds(499));
  EXPECT_TRUE(cache.find("k", second_));
  EXPECT_TRUE(cache.find("k", first_).value().is_current);  // asked by who still holds the older version: no switch back
  clock_.advance(milliseconds(1));
  EXPECT_FALSE(cache.find("k", second_));
  EXPECT_FALSE(cache.find("k", {"a", 1, 0}));  // changed articles: nothing stands in
  EXPECT_FALSE(cache.find("k", {"a", 0, 1}));
  EXPECT_NE(cache.last_good("k"), nullptr);
  EXPECT_EQ(cache.last_good("other"), nullptr);
  EXPECT_EQ(cache.stats().stale_hits, 2U);
}

TEST_F(RankedListCacheTest, StaysWithinItsBytesAndDropsWhatWasAskedForLongestAgo) {
  const auto list = list_of(100);
  RankedListCache cache({.max_bytes = 3 * (list->bytes() + 400)}, clock_);
  for (const char* key : {"a", "b", "c"}) cache.put(key, first_, list);
  ASSERT_TRUE(cache.find("a", first_));  // b is now the one asked for longest ago
  cache.put("d", first_, list);
  EXPECT_TRUE(cache.find("a", first_));
  EXPECT_FALSE(cache.find("b", first_));
  EXPECT_TRUE(cache.find("c", first_));
  EXPECT_TRUE(cache.find("d", first_));
  EXPECT_EQ(cache.stats().evictions, 1U);
  EXPECT_LE(cache.stats().bytes, cache.stats().max_bytes);
  cache.put("too large", first_, list_of(10'000));
  EXPECT_FALSE(cache.find("too large", first_));
  EXPECT_EQ(cache.stats().entries, 3U);
  cache.put("a", second_, list_of(1));  // in place
  EXPECT_EQ(cache.stats().entries, 3U);
}

TEST_F(RankedListCacheTest, WhatTheNewCatalogueStillShowsIsCarriedOver) {
  const auto snapshot = [](std::initializer_list<const char*> ids) {
    std::vector<catalog::Article> articles;
    for (const char* id : ids) articles.push_back(support::make_article(id, id));
    return support::make_snapshot("g", articles, {});
  };
  const auto before = snapshot({"1", "2", "3", "4"});
  RankedList older;
  older.list.rows = {{3}, {0}, {2}, {1}};
  older.list.scores = {0.9, 0.7, 0.6, 0.5};
  remember_head(older, older.list, *before->catalog);
  const auto after = snapshot({"0", "1", "2", "4"});
  catalog::Bitmap eligible(4, true);
  eligible.reset({2});  // article 2
  const BaseList carried = carried_over(older, *after->catalog, &eligible);
  EXPECT_EQ(carried.rows, (std::vector<catalog::RowIndex>{{3}, {1}}));  // 4 and 1; 3 is gone
  EXPECT_EQ(carried.scores, (std::vector{0.9, 0.7}));
  EXPECT_EQ(carried.total_relation, TotalRelation::kEqual);  // all of it was remembered
}

TEST(ListKey, IsTheSameForTheSameListOnly) {
  SearchRequest request;
  request.filter[FilterField::kColour] = {"Red", "blue "};
  const auto key = [&](const auto& change) {
    SearchRequest other = request;
    change(other);
    return list_key(other, "dress");
  };
  const std::string base = list_key(request, "dress");
  EXPECT_EQ(key([](auto& r) { r.filter[FilterField::kColour] = {"BLUE", "red", "blue"}; }), base);
  EXPECT_EQ(key([](auto& r) { r.user_id = core::UserId("u"); r.k = 50; r.offset = 3; r.personalize = false; }), base);
  EXPECT_NE(key([](auto& r) { r.filter[FilterField::kColour] = {"red"}; }), base);
  EXPECT_NE(key([](auto& r) { std::swap(r.filter[FilterField::kColour], r.filter[FilterField::kType]); }), base);
  EXPECT_NE(key([](auto& r) { r.filter.price_min = 0; }), base);
  EXPECT_NE(key([](auto& r) { r.filter.price_max = 0; }), key([](auto& r) { r.filter.price_min = 0; }));
  EXPECT_EQ(key([](auto& r) { r.filter.price_min = -0.0; }), key([](auto& r) { r.filter.price_min = 0.0; }));
  EXPECT_NE(key([](auto& r) { r.legs.dense = false; }), base);
  EXPECT_NE(list_key(request, "dres"), base);
}

TEST(NormalizedQuery, DropsWhatMakesNoOtherQuery) {
  const auto snapshot = support::make_snapshot("g", {support::make_article("ABc", "named")}, {});
  const auto normalized = [&](std::string_view query) { return normalized_query(query, *snapshot->catalog); };
  EXPECT_EQ(normalized("  Red \t SUMMER\ndress "), "red summer dress");
  EXPECT_EQ(normalized("ÉTÉ Straße"), "été straße");
  EXPECT_EQ(normalized("Size XL2 ABc abC"), "size XL2 ABc abc");  // ids and codes keep their letters
  EXPECT_EQ(normalized("\x01 "), "");
}

}  // namespace
}  // namespace scalestyle::search
