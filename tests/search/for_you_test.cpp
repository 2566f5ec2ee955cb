// What one shopper is shown without asking.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "search/recommendation_fixture.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::search {
namespace {

using events::EventType;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ForYouTest : public RecommendationFixture {
 protected:
  template <class Request>
  static std::set<std::string> walk(SearchService& service, Request wanted, std::size_t k, bool by_cursor) {
    wanted.k = k;
    std::set<std::string> seen;
    std::size_t total = 0;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = run(service, wanted);
      EXPECT_TRUE(page);
      if (!page) break;
      total = page->total;
      for (const AnswerItem& item : page->items) EXPECT_TRUE(seen.emplace(item.article.id()).second) << item.article.id();
      wanted.offset += by_cursor ? 0 : k;
      wanted.cursor = by_cursor ? page->cursor : std::string();
      if (page->items.empty() || (by_cursor && wanted.cursor.empty())) break;
    }
    EXPECT_EQ(seen.size(), total);
    return seen;
  }
  static std::set<std::string> set_of(const SearchOutcome& outcome) {
    const auto list = ids(outcome);
    return {list.begin(), list.end()};
  }

  support::TemporaryFolder folder_;
  std::vector<std::unique_ptr<RuleFile>> files_;
};

TEST_F(ForYouTest, WhoIsNotKnownGetsWhatIsPopular) {
  set_popularity(7, {}, 1'000'000);
  auto& service = recommend(weighing("popular=1"));
  const auto outcome = run(service, for_you());
  ASSERT_TRUE(outcome);
  BrowseRequest popular;
  popular.k = kMaxK;
  EXPECT_EQ(ids(outcome), ids(run(service, popular)));
  EXPECT_EQ(outcome->fallback_source, FallbackSource::kGlobalPopular);
  EXPECT_FALSE(outcome->personalized);
  EXPECT_THAT(outcome->degradations, IsEmpty());
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  EXPECT_EQ(ids(run(service, for_you("nobody knows"))), ids(outcome));

  for (int i = 0; i < 12; ++i) set_popularity(5 * i, {0, 3.0 + i, 3.0 + i});
  refresh_popularity();
  const auto daily = run(service, for_you());
  EXPECT_EQ(daily->fallback_source, FallbackSource::kPopular24h);
  EXPECT_EQ(daily->items[0].article.id(), id_of(55));
  EXPECT_EQ(daily->items[0].reason, "Popular in the last 24 hours.");
  EXPECT_EQ(set_of(daily).size(), 20U);  // the rest follows
  for (int i = 0; i < 12; ++i) set_popularity(5 * i, {0, 0, 9.0 + i});
  refresh_popularity();
  EXPECT_EQ(run(service, for_you())->fallback_source, FallbackSource::kPopular7d);
}

TEST_F(ForYouTest, TheNextAnswerFollowsWhatWasDoneAsExplainSays) {
  auto& service = recommend();
  touched("u", {{30, EventType::kClick}});
  auto wanted = for_you("u");
  wanted.explain = true;
  const auto before = run(service, wanted);
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->personalized);
  EXPECT_FALSE(before->fallback_source);
  EXPECT_EQ(before->items[0].article.id(), id_of(30));
  touched("u", {{42, EventType::kAddToCart}, {30, EventType::kClick}});
  const auto after = run(service, wanted);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->items[0].article.id(), id_of(42));
  EXPECT_EQ(after->items[0].reason, "You put it into your basket recently.");
  const auto weights = ranking::ForYouOptions::default_weights();
  double sum = 0;
  for (const float weight : weights) sum += static_cast<double>(weight);
  for (const AnswerItem& item : after->items) {
    ASSERT_TRUE(item.explanation);
    double blend = 0;
    for (const auto& share : item.explanation->sources) {
      EXPECT_GT(share.score, 0);
      EXPECT_LE(share.score, 1);
      blend += share.score * share.weight;
    }
    EXPECT_NEAR(item.explanation->fused_score, blend / sum, 1e-6);
    EXPECT_EQ(item.explanation->base_score, item.explanation->fused_score);
    EXPECT_EQ(item.score, item.explanation->base_score);
    EXPECT_FALSE(item.behavior_score);
  }
  EXPECT_TRUE(std::ranges::is_sorted(scores(after), std::greater<>()));
  const auto share_of = [](const AnswerItem* item, std::string_view source) {
    for (const auto& share : item->explanation->sources) {
      if (share.source == source) return share.score;
    }
    return 0.0;
  };
  EXPECT_EQ(share_of(item_of(before, product_of(42)), "own"), 0);
  EXPECT_GT(share_of(item_of(after, product_of(42)), "own"), 0.7);
  // What was bought with the newest item is there for that.
  EXPECT_GT(share_of(item_of(after, product_of(bought_with(42)[0])), "bought_together"), 0);
  EXPECT_THAT(item_of(after, product_of(bought_with(42)[0]))->reason, HasSubstr("Bought by shoppers who bought “Name"));
}

TEST_F(ForYouTest, EachSourceSaysWhyInATrueSentence) {
  touched("u", {{12, EventType::kPurchase}, {40, EventType::kClick}});
  const auto reason = [&](const std::string& weights, int number) {
    auto wanted = for_you("u");
    wanted.collapse = false;
    const auto outcome = run(recommend(weighing(weights)), wanted);
    for (const AnswerItem& item : outcome.value().items) {
      if (item.article.id() == id_of(number)) return item.reason;
    }
    return std::string("not there");
  };
  const std::string name = "Name " + std::to_string(12 * 37 % kArticles);
  EXPECT_EQ(reason("own=1", 12), "You bought it before.");
  EXPECT_EQ(reason("own=1", 40), "You looked at it recently.");
  EXPECT_EQ(reason("variant=1", 13), "Another variant of “" + name + "”, which you bought.");
  EXPECT_EQ(reason("bought_together=1", bought_with(12)[0]), "Bought by shoppers who bought “" + name + "”, which you bought.");
  EXPECT_EQ(reason("new=1", 59), "Among the newest articles.");
  EXPECT_EQ(reason("section=1", 15), "Popular in " + section_of(15) + ".");  // 1,500 purchases
  EXPECT_EQ(reason("popular=1", 55), "Bought 5500 times so far.");
  auto wanted = for_you("u");
  const auto near = run(recommend(weighing("similar_text=1")), wanted);
  EXPECT_EQ(near->items[0].reason, "Similar to “" + name + "”, which you bought.");
  EXPECT_EQ(run(recommend(weighing("similar_picture=1")), wanted)->items[0].reason, "Looks like “" + name + "”, which you bought.");
}

TEST_F(ForYouTest, WhatTheShopperHadIsShownAgainOrNotAsWished) {
  touched("u", {{12, EventType::kPurchase}, {40, EventType::kClick}, {50, EventType::kAddToCart}});
  auto& service = recommend();
  auto wanted = for_you("u");
  wanted.collapse = false;
  const auto shown = [&](const SearchOutcome& outcome, int number) { return set_of(outcome).contains(id_of(number)); };
  const auto all = run(service, wanted);
  EXPECT_TRUE(shown(all, 12) && shown(all, 40) && shown(all, 50));
  wanted.show_bought = false;
  const auto unbought = run(service, wanted);
  EXPECT_TRUE(!shown(unbought, 12) && shown(unbought, 40) && shown(unbought, 50));
  wanted.show_bought.reset();
  wanted.show_seen = false;
  const auto unseen = run(service, wanted);
  EXPECT_TRUE(shown(unseen, 12) && !shown(unseen, 40) && !shown(unseen, 50));
  SearchOptions options;
  options.recommendation.own = {.show_bought = false, .show_seen = false};
  wanted.show_seen.reset();
  const auto by_setting = run(recommend(options), wanted);
  EXPECT_TRUE(!shown(by_setting, 12) && !shown(by_setting, 40) && !shown(by_setting, 50));
}

TEST_F(ForYouTest, HiddenAndUnavailableArticlesNeverAppear) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t bound) { return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random); };
    auto list = shop();
    std::set<std::string> forbidden;
    std::string hidden;
    for (auto& article : list) {
      article.available = below(5) != 0;
      const bool hides = below(6) == 0;
      if (hides) hidden += (hidden.empty() ? "\"" : ", \"") + article.id.text() + "\"";
      if (hides || !article.available) forbidden.insert(article.id.text());
    }
    open("random" + std::to_string(seed), list);
    const auto path = folder_ / ("rules" + std::to_string(seed) + ".json");
    std::ofstream(path) << R"({"rules": [{"id": "h", "then": {"hide": {"article_ids": [)" << hidden << "]}}}]}";
    auto rules = RuleFile::open(path);
    ASSERT_TRUE(rules) << rules.error().message;
    files_.push_back(std::move(*rules));
    SearchOptions options;
    options.recommendation.exploration = {.rate = 1, .positions = {2, 4}};
    auto& service = recommend(options, files_.back().get());
    std::vector<std::pair<int, EventType>> deeds;
    for (std::uint32_t i = below(8); i > 0; --i) deeds.emplace_back(below(kArticles), below(2) == 0 ? EventType::kClick : EventType::kPurchase);
    touched("u", deeds);
    const auto check = [&](const SearchOutcome& outcome) {
      ASSERT_TRUE(outcome);
      EXPECT_FALSE(outcome->items.empty());
      for (const AnswerItem& item : outcome->items) {
        EXPECT_FALSE(forbidden.contains(std::string(item.article.id()))) << "seed " << seed << " " << item.article.id();
        for (const Variant& variant : item.variants) EXPECT_FALSE(forbidden.contains(std::string(variant.article.id())));
      }
    };
    for (const bool collapse : {true, false}) {
      auto wanted = for_you("u");
      wanted.collapse = collapse;
      wanted.request_id = core::RequestId("r" + std::to_string(seed));
      check(run(service, wanted));
      auto similar = like(static_cast<int>(below(kArticles)), "u");
      similar.collapse = collapse;
      check(run(service, similar));
    }
  }
}

TEST_F(ForYouTest, PagesPartitionTheList) {
  touched("u", {{12, EventType::kPurchase}, {40, EventType::kClick}});
  auto& service = recommend();
  for (const std::string name : {"", "u"}) {
    for (const bool collapse : {true, false}) {
      auto wanted = for_you(name);
      wanted.collapse = collapse;
      wanted.filter.price_min = 1;
      const auto whole = set_of(run(service, wanted));
      EXPECT_GT(whole.size(), 12U);
      for (const bool by_cursor : {true, false}) EXPECT_EQ(walk(service, wanted, 7, by_cursor), whole);
    }
  }
}

TEST_F(ForYouTest, FiltersHoldAndFacetsCount) {
  touched("u", {{12, EventType::kPurchase}});
  auto wanted = for_you("u");
  wanted.filter[catalog::FilterField::kSection] = {"men"};
  wanted.facets.set();
  const auto outcome = run(recommend(), wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 5U);
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  for (const AnswerItem& item : outcome->items) EXPECT_EQ(section_of(number_of(item.article.id())), "Men");
  ASSERT_TRUE(outcome->facets);
  wanted.filter[catalog::FilterField::kSection] = {"Nowhere"};
  const auto none = run(recommend(), wanted);
  EXPECT_EQ(none->total, 0U);
  EXPECT_THAT(none->degradations, IsEmpty());
}

TEST_F(ForYouTest, WithoutFeaturesEverybodysListIsServedAndMarked) {
  touched("u", {{12, EventType::kPurchase}});
  auto& service = recommend();
  const auto stranger = run(service, for_you());
  features_.fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto outcome = run(service, for_you("u"));
  EXPECT_EQ(ids(outcome), ids(stranger));
  EXPECT_THAT(outcome->degradations, Contains(DegradationReason::kPersonalizationUnavailable));
  EXPECT_TRUE(outcome->fallback_source);
  EXPECT_FALSE(outcome->personalized);
  features_.fail_with(std::nullopt);
  auto impersonal = for_you("u");
  impersonal.personalize = false;
  EXPECT_EQ(ids(run(service, impersonal)), ids(stranger));
  EXPECT_NE(ids(run(service, for_you("u"))), ids(stranger));
}

TEST_F(ForYouTest, WithoutVectorsTheOtherSourcesRemain) {
  touched("u", {{12, EventType::kPurchase}});
  auto& service = recommend();
  for (auto* index : {&index_, &photos_}) index->fail_search_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto outcome = run(service, for_you("u"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->items[0].article.id(), id_of(12));
  EXPECT_EQ(outcome->degradations, (std::vector{DegradationReason::kRetrievalUnavailable}));
  for (const char* source : {"similar_text", "similar_picture"}) EXPECT_EQ(report_of(outcome, source)->outcome, StageOutcome::kFailed);
  EXPECT_EQ(report_of(outcome, "own")->outcome, StageOutcome::kOk);
  for (auto* index : {&index_, &photos_}) index->fail_search_with(std::nullopt);
  const auto whole = run(service, for_you("u"));
  EXPECT_THAT(whole->degradations, IsEmpty());
  EXPECT_GT(report_of(whole, "similar_text")->articles, 0U);
  // What was found once is kept: the index may go.
  for (auto* index : {&index_, &photos_}) index->fail_search_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  EXPECT_EQ(ids(run(service, for_you("u"))), ids(whole));
  EXPECT_EQ(service.near_cache_stats().entries, 2U);
}

TEST_F(ForYouTest, AnArticleWithoutAPhotoHasNoPicturesLikeIt) {
  touched("u", {{9, EventType::kClick}});
  ASSERT_FALSE(has_photo(9));
  const auto outcome = run(recommend(), for_you("u"));
  EXPECT_EQ(report_of(outcome, "similar_picture")->outcome, StageOutcome::kSkipped);
  EXPECT_THAT(outcome->degradations, IsEmpty());
}

TEST_F(ForYouTest, WithoutPopularityAndStorePurchasesDecide) {
  SnapshotHolder plain(catalogs_, index_, encoder_.info());
  ASSERT_TRUE(core::sync_wait(plain.refresh(core::Deadline::never())));
  auto& service = make_with({.generations = plain, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                             .timers = compute_.timers(), .clock = clock_, .metrics = metrics_},
                            weighing("popular=1"));
  const auto outcome = run(service, for_you("u"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->items[0].article.id(), id_of(55));
  EXPECT_EQ(outcome->items.size(), 20U);
}

}  // namespace
}  // namespace scalestyle::search
