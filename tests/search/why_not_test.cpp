// Why an article is not on a page: the verdict agrees with the page that the search gives, for every article, and every cause
// comes up where it should.

#include "search/why_not.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "list_fixture.hpp"
#include "search/reranker.hpp"
#include "search/rule_file.hpp"
#include "support/fake_pair_scorer.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using core::ErrorCode;

struct ServiceSetup {
  SearchOptions options{};
  std::string rules{};  // the text of the list "rules"
  bool reranks = false;
};

class WhyNotTest : public ListFixture {
 protected:
  SearchService& serve(ServiceSetup setup = {}) {
    const RuleFile* rules = nullptr;
    if (!setup.rules.empty()) {
      const auto path = folder_ / ("rules" + std::to_string(files_.size()) + ".json");
      std::ofstream(path) << "{\"rules\": [" << setup.rules << "]}";
      auto file = RuleFile::open(path);
      EXPECT_TRUE(file) << file.error().message;
      files_.push_back(std::move(*file));
      rules = files_.back().get();
    }
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                      .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .features = &features_,
                      .popularity = &popularity_, .reranker = setup.reranks ? &reranker_ : nullptr, .rules = rules},
                     std::move(setup.options));
  }
  static SearchRequest first(std::size_t k, const std::string& query = "Name 5") {
    auto wanted = request(query);
    wanted.k = k;
    return wanted;
  }
  static WhyNotOutcome ask(SearchService& service, const SearchRequest& wanted, const std::string& article_id) {
    return core::sync_wait(service.why_not(WhyNotRequest{wanted, article_id}));
  }
  static WhyNot why(SearchService& service, const SearchRequest& wanted, const std::string& article_id) {
    auto outcome = ask(service, wanted, article_id);
    EXPECT_TRUE(outcome) << article_id << ": " << outcome.error().error.message;
    return outcome ? std::move(*outcome) : WhyNot{};
  }
  static SearchOutcome run_all(SearchService& service, SearchRequest wanted) {
    wanted.k = kMaxK;
    wanted.offset = 0;
    wanted.explain = true;
    return run(service, std::move(wanted));
  }
  // Those of the first page of `from` that are not on that of `to`.
  static std::vector<std::string> lost(const SearchOutcome& from, const SearchOutcome& to) {
    std::vector<std::string> gone;
    const auto stay = ids(to);
    for (const std::string& id : ids(from)) {
      if (std::ranges::find(stay, id) == stay.end()) gone.push_back(id);
    }
    return gone;
  }

  // The verdicts on all articles agree with the page, and with the page that they name.
  void expect_agreement(SearchService& service, const SearchRequest& wanted) {
    const auto page = run(service, wanted);
    ASSERT_TRUE(page);
    std::map<std::string, std::size_t> shown;
    for (const AnswerItem& item : page->items) shown[std::string(item.article.id())] = item.rank;
    for (int i = 0; i < kArticles; ++i) {
      const WhyNot verdict = why(service, wanted, id_of(i));
      const auto found = shown.find(id_of(i));
      ASSERT_EQ(verdict.on_page, found != shown.end()) << id_of(i) << ": " << verdict.detail;
      EXPECT_EQ(verdict.cause.has_value(), !verdict.on_page);
      EXPECT_FALSE(verdict.detail.empty());
      EXPECT_EQ(verdict.degradations, page->degradations);
      if (verdict.on_page) {
        EXPECT_EQ(verdict.rank, found->second);
      }
      if (!verdict.facts.page_offset) continue;
      SearchRequest there = wanted;
      there.offset = *verdict.facts.page_offset;
      const auto others = ids(run(service, there));
      EXPECT_NE(std::ranges::find(others, id_of(i)), others.end()) << id_of(i) << " is not at offset " << there.offset;
    }
  }

  support::TemporaryFolder folder_;
  std::vector<std::unique_ptr<RuleFile>> files_;
  support::FakePairScorer scorer_{compute_.pool(), clock_};
  Reranker reranker_{{.scorer = scorer_, .timers = compute_.timers(), .clock = clock_, .metrics = metrics_}, {}};
};

TEST_F(WhyNotTest, AgreesWithThePage) {
  auto wanted = first(10);
  wanted.offset = 10;
  expect_agreement(serve(), wanted);
  wanted.sort = SearchSort::kPriceAscending;
  expect_agreement(serve(), wanted);
}

TEST_F(WhyNotTest, AgreesWithThePageWhereEverythingActs) {
  features_.set_features(user("u"), clicks({3, 17, 40}));
  auto& service = serve({.options = {},
                         .rules = R"({"id": "no-trousers", "then": {"hide": {"type": "Trousers"}}},
                                     {"id": "red", "then": {"bury": {"colour": "Red", "factor": 0.8}}},
                                     {"id": "pins", "then": {"pin": [{"article_id": "1058", "position": 2}]}})",
                         .reranks = true});
  auto wanted = first(8);
  wanted.user_id = core::UserId("u");
  wanted.max_per_type = 3;
  wanted.filter.price_max = 15;
  expect_agreement(service, wanted);
  wanted.query = "not blue";  // no words are left: all others, by popularity
  expect_agreement(service, wanted);
}

TEST_F(WhyNotTest, OnThePage) {
  auto& service = serve();
  const auto page = run(service, first(5));
  const WhyNot verdict = why(service, first(5), ids(page)[2]);
  EXPECT_TRUE(verdict.on_page);
  EXPECT_EQ(verdict.rank, 3U);
  EXPECT_FALSE(verdict.cause);
  EXPECT_EQ(verdict.facts.pool, static_cast<std::size_t>(kArticles));
  EXPECT_EQ(verdict.facts.fused_rank, 3U);
  EXPECT_EQ(verdict.facts.score, page->items[2].score);
  EXPECT_EQ(verdict.facts.page_offset, 0U);
  EXPECT_FALSE(verdict.stages.empty());
  EXPECT_EQ(verdict.facts.reranked_rank, std::nullopt);
  EXPECT_EQ(verdict.facts.ruled_rank, std::nullopt);
  EXPECT_EQ(verdict.facts.personal_rank, std::nullopt);
}

TEST_F(WhyNotTest, UnknownAndWrongIds) {
  auto& service = serve();
  EXPECT_EQ(why(service, first(5), "99").cause, WhyNotCause::kUnknownArticle);
  EXPECT_EQ(why(service, first(5), "99").article_id, "0000000099");
  const auto wrong = ask(service, first(5), "no id");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(wrong.error().error.field, "article_id");
  const auto blank = ask(service, first(5, " "), "99");
  ASSERT_FALSE(blank);
  EXPECT_EQ(blank.error().error.field, "query");
}

TEST_F(WhyNotTest, RemovedAndUnavailable) {
  const auto whole = support::make_snapshot("less", articles(), encoder_.info());
  auto less = std::make_shared<ports::CatalogSnapshot>(*whole);
  const std::vector<catalog::Catalog::RowState> states{{.row = {3}, .available = false, .removed = true},
                                                       {.row = {4}, .available = false}};
  less->catalog = std::make_shared<const catalog::Catalog>(whole->catalog->with_states(states));
  catalogs_.publish(less);
  core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  auto& service = serve();
  EXPECT_EQ(why(service, first(5), id_of(3)).cause, WhyNotCause::kRemoved);
  EXPECT_EQ(why(service, first(5), id_of(4)).cause, WhyNotCause::kUnavailable);
}

TEST_F(WhyNotTest, FilteredByEachField) {
  auto wanted = first(5);
  wanted.filter[FilterField::kColour] = {"red"};
  wanted.filter[FilterField::kType] = {"shirt", "socks"};
  wanted.filter.price_max = 5;
  const WhyNot verdict = why(serve(), wanted, id_of(1));  // a blue shirt for 13
  EXPECT_EQ(verdict.cause, WhyNotCause::kFiltered);
  EXPECT_EQ(verdict.facts.filters_failed, (std::vector<std::string>{"colour", "price_max"}));
  EXPECT_FALSE(verdict.rank);
}

TEST_F(WhyNotTest, FilteredByWhatTheQuerySays) {
  auto& service = serve();
  auto wanted = first(5, "name not red");
  const WhyNot verdict = why(service, wanted, id_of(0));
  EXPECT_EQ(verdict.cause, WhyNotCause::kFiltered);
  EXPECT_TRUE(verdict.facts.filters_failed.empty());
  ASSERT_EQ(verdict.facts.pieces_failed.size(), 1U);
  wanted.understanding.without_ids = verdict.facts.pieces_failed;
  EXPECT_TRUE(why(service, wanted, id_of(0)).facts.fused_rank);
  expect_agreement(service, first(8, "not red"));
}

TEST_F(WhyNotTest, HiddenByARule) {
  auto& service = serve({.options = {}, .rules = R"({"id": "no-red", "then": {"hide": {"colour": "Red"}}})"});
  const WhyNot verdict = why(service, first(5), id_of(0));
  EXPECT_EQ(verdict.cause, WhyNotCause::kHiddenByRule);
  EXPECT_NE(verdict.detail.find("no-red"), std::string::npos);
  ASSERT_EQ(verdict.facts.rules.size(), 1U);
  EXPECT_EQ(verdict.facts.rules[0].does, "hide");
  EXPECT_TRUE(verdict.facts.fused_rank);  // it was found
}

TEST_F(WhyNotTest, NotRecalledWithTheRankThatItHasInEachLeg) {
  auto& narrow = serve({.options = {.pool_size = 5}});
  const auto whole = run_all(serve(), first(5));
  ASSERT_TRUE(whole);
  int missing = 0;
  for (const AnswerItem& item : whole->items) {
    const WhyNot verdict = why(narrow, first(5), std::string(item.article.id()));
    ASSERT_EQ(verdict.facts.legs.size(), 2U);
    for (const WhyNotLeg& leg : verdict.facts.legs) {
      const auto& legs = item.explanation->legs;
      const auto place = std::ranges::find(legs, leg.leg, &ItemExplanation::LegPlace::leg);
      ASSERT_TRUE(leg.searched);
      EXPECT_FALSE(leg.rank_at_least);
      EXPECT_EQ(leg.rank.has_value(), place != legs.end());
      if (place == legs.end()) continue;
      EXPECT_EQ(leg.rank, place->rank);
      EXPECT_EQ(leg.score, place->score);
      EXPECT_EQ(leg.recalled, place->rank <= 5);
    }
    const bool recalled = std::ranges::any_of(verdict.facts.legs, &WhyNotLeg::recalled);
    EXPECT_EQ(verdict.facts.fused_rank.has_value(), recalled);
    EXPECT_EQ(verdict.cause == WhyNotCause::kNotRecalled, !recalled);
    missing += recalled ? 0 : 1;
  }
  EXPECT_GE(missing, kArticles - 10);
}

TEST_F(WhyNotTest, OneLegAloneIsAskedAlone) {
  auto wanted = first(5, "zzzz");
  wanted.legs = {.lexical = true, .dense = false};
  const WhyNot verdict = why(serve(), wanted, id_of(5));
  EXPECT_EQ(verdict.cause, WhyNotCause::kNotRecalled);
  ASSERT_EQ(verdict.facts.legs.size(), 1U);
  EXPECT_EQ(verdict.facts.legs[0].score, 0.0);
  EXPECT_FALSE(verdict.facts.legs[0].rank);
  EXPECT_EQ(verdict.facts.pool, 0U);
}

TEST_F(WhyNotTest, ALegThatFailsIsToldAndNothingStandsInForAList) {
  auto& service = serve();
  encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  const WhyNot verdict = why(service, first(5), id_of(5));
  EXPECT_EQ(verdict.degradations, std::vector{DegradationReason::kInferenceUnavailable});
  ASSERT_EQ(verdict.facts.legs.size(), 2U);
  EXPECT_FALSE(verdict.facts.legs[1].searched);
  auto wanted = first(5);
  wanted.legs = {.lexical = false, .dense = true};
  ASSERT_TRUE(run(service, wanted));  // popular articles
  const auto failed = ask(service, wanted, id_of(5));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().reason, DegradationReason::kInferenceUnavailable);
}

TEST_F(WhyNotTest, AnArticleThatTheQueryNames) {
  const WhyNot verdict = why(serve(), first(5, id_of(7)), id_of(7));
  EXPECT_TRUE(verdict.on_page);
  EXPECT_TRUE(verdict.facts.is_named);
  EXPECT_EQ(why(serve(), first(5, id_of(7)), id_of(8)).cause, WhyNotCause::kNotRecalled);
}

TEST_F(WhyNotTest, ShownOnThePageBefore) {
  auto& service = serve();
  auto wanted = first(5);
  const auto page = run(service, wanted);
  wanted.cursor = page.value().cursor;
  EXPECT_EQ(why(service, wanted, ids(page)[0]).cause, WhyNotCause::kAlreadyShown);
  const auto next = run(service, wanted);
  const WhyNot verdict = why(service, wanted, ids(next)[1]);
  EXPECT_TRUE(verdict.on_page);
  EXPECT_EQ(verdict.rank, 7U);
  EXPECT_FALSE(verdict.facts.page_offset);
}

TEST_F(WhyNotTest, CollapsedIntoAnotherVariant) {
  std::vector<catalog::Article> colours;
  for (int product = 0; product < 5; ++product) {
    for (int variant = 0; variant < 3; ++variant) {
      auto article = support::make_article(std::to_string(1000 + product * 10 + variant), "Name " + std::to_string(product));
      article.product_code = "p" + std::to_string(product);
      colours.push_back(std::move(article));
    }
  }
  catalogs_.publish(support::make_snapshot("colours", colours, encoder_.info()));
  core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  auto& service = serve();
  auto wanted = first(5, "Name 4");
  const WhyNot verdict = why(service, wanted, "1042");
  EXPECT_EQ(verdict.cause, WhyNotCause::kCollapse);
  EXPECT_EQ(verdict.facts.collapsed_into, "0000001040");
  EXPECT_TRUE(verdict.rank);
  EXPECT_FALSE(verdict.facts.page_offset);
  features_.set_features(user("u"), {.recent_items = {{"0000001042", clock_.now_ms(), events::EventType::kClick}}});
  wanted.user_id = core::UserId("u");
  EXPECT_TRUE(why(service, wanted, "1042").on_page);
  EXPECT_EQ(why(service, wanted, "1040").facts.collapsed_into, "0000001042");
  wanted.collapse = false;
  wanted.k = 15;
  EXPECT_TRUE(why(service, wanted, "1040").on_page);
  EXPECT_TRUE(why(service, wanted, "1042").on_page);
}

TEST_F(WhyNotTest, LostAtFusion) {
  // Meaning decides alone: the article that the words put first is where its meaning puts it.
  auto& service = serve({.options = {.fusion = {.dense_weight = 1}}});
  for (const char* query : {"red socks", "blue shirt", "red dress", "blue trousers", "red shirt", "blue socks"}) {
    auto wanted = first(1);
    wanted.query = query;
    const auto whole = run_all(service, wanted);
    ASSERT_TRUE(whole);
    const auto best = std::ranges::find_if(whole->items, [](const AnswerItem& item) {
      const auto& legs = item.explanation->legs;
      return std::ranges::any_of(legs, [](const auto& place) { return place.leg == ranking::Leg::kLexical && place.rank == 1; });
    });
    ASSERT_NE(best, whole->items.end());
    if (best->rank == 1) continue;
    const WhyNot verdict = why(service, wanted, std::string(best->article.id()));
    EXPECT_EQ(verdict.cause, WhyNotCause::kFusion);
    EXPECT_EQ(verdict.facts.fused_rank, best->rank);
    EXPECT_EQ(verdict.facts.page_offset, best->rank - 1);
    return;
  }
  FAIL() << "words and meaning put the same article first in every query";
}

TEST_F(WhyNotTest, LostAtRerank) {
  const auto gone = lost(run(serve(), first(6)), run(serve({.options = {}, .rules = {}, .reranks = true}), first(6)));
  ASSERT_FALSE(gone.empty());
  const WhyNot verdict = why(serve({.options = {}, .rules = {}, .reranks = true}), first(6), gone[0]);
  EXPECT_EQ(verdict.cause, WhyNotCause::kRerank);
  EXPECT_LE(verdict.facts.fused_rank, 6U);
  EXPECT_GT(verdict.facts.reranked_rank, 6U);
  EXPECT_EQ(verdict.rank, verdict.facts.reranked_rank);
  EXPECT_TRUE(verdict.facts.cross_encoder);
}

TEST_F(WhyNotTest, LostToTheOrderAskedFor) {
  auto& service = serve();
  auto sorted = first(6);
  sorted.sort = SearchSort::kPriceAscending;
  const auto gone = lost(run(service, first(6)), run(service, sorted));
  ASSERT_FALSE(gone.empty());
  const WhyNot verdict = why(service, sorted, gone[0]);
  EXPECT_EQ(verdict.cause, WhyNotCause::kSort);
  EXPECT_EQ(verdict.rank, verdict.facts.sorted_rank);
}

TEST_F(WhyNotTest, LostToRules) {
  const auto plain = run(serve(), first(3));
  const std::string colour(plain.value().items[0].article.colour());
  const std::string bury = R"({"id": "bury", "then": {"bury": {"colour": ")" + colour + R"(", "factor": 0.1}}})";
  auto& burying = serve({.options = {}, .rules = bury});
  const WhyNot verdict = why(burying, first(3), ids(plain)[0]);
  EXPECT_EQ(verdict.cause, WhyNotCause::kRules);
  EXPECT_DOUBLE_EQ(verdict.facts.rule_factor, 0.1);
  ASSERT_EQ(verdict.facts.rules.size(), 1U);
  EXPECT_EQ(verdict.facts.rules[0].rule, "bury");
  EXPECT_GT(verdict.facts.ruled_rank, 3U);
}

TEST_F(WhyNotTest, PinsPutArticlesOnThePageAndOthersOffIt) {
  const auto whole = ids(run(serve(), request("Name 5")));
  const std::string pin = R"({"article_id": ")" + whole.back() + R"(", "position": )";
  auto& service = serve({.options = {}, .rules = R"({"id": "pins", "then": {"pin": [)" + pin + "1}, " + pin + "2}]}}"});
  const WhyNot pinned = why(service, first(1), whole.back());
  EXPECT_TRUE(pinned.on_page);
  EXPECT_EQ(pinned.facts.pinned_by, "pins");
  ASSERT_EQ(pinned.facts.skipped_pins.size(), 1U);
  EXPECT_EQ(pinned.facts.skipped_pins[0].reason, "pinned_before");
  EXPECT_NE(pinned.detail.find("pins"), std::string::npos);
  const WhyNot displaced = why(service, first(1), whole[0]);
  EXPECT_EQ(displaced.cause, WhyNotCause::kRules);
  EXPECT_EQ(displaced.facts.ruled_rank, 1U);
  EXPECT_EQ(displaced.facts.pinned_rank, 2U);
  EXPECT_TRUE(displaced.facts.pinned_by.empty());
}

TEST_F(WhyNotTest, LostToWhatTheShopperDid) {
  auto& service = serve();
  const auto whole = run(service, request("Name 5"));
  const auto& items = whole.value().items;
  ASSERT_GT(items[1].score * 1.5, items[0].score);
  const std::string second(items[1].article.id());
  features_.set_features(user("u"), {.recent_items = {{second, clock_.now_ms(), events::EventType::kClick}}});
  auto wanted = first(1);
  wanted.user_id = core::UserId("u");
  const WhyNot verdict = why(service, wanted, std::string(items[0].article.id()));
  EXPECT_EQ(verdict.cause, WhyNotCause::kBoost);
  EXPECT_EQ(verdict.facts.fused_rank, 1U);
  EXPECT_EQ(verdict.facts.personal_rank, 2U);
  EXPECT_DOUBLE_EQ(why(service, wanted, second).facts.boost.recent_click, 1.5);
}

TEST_F(WhyNotTest, DeferredForDiversity) {
  auto& service = serve();
  bool any = false;
  for (int i = 0; i < 10 && !any; ++i) {
    auto wanted = first(4, "Name " + std::to_string(i));
    const auto plain = run(service, wanted);
    wanted.max_per_type = 1;
    wanted.diversity_window = 4;
    const auto gone = lost(plain, run(service, wanted));
    if (gone.empty()) continue;
    any = true;
    const WhyNot verdict = why(service, wanted, gone[0]);
    EXPECT_EQ(verdict.cause, WhyNotCause::kDiversity);
    EXPECT_GT(verdict.rank, 4U);
    EXPECT_EQ(verdict.rank, verdict.facts.diverse_rank);
    EXPECT_LE(verdict.facts.fused_rank, 4U);
  }
  EXPECT_TRUE(any);
}

TEST_F(WhyNotTest, OnAnotherPage) {
  auto& service = serve();
  auto alone = first(10);
  alone.legs = {.lexical = false, .dense = true};  // no other leg that would show it earlier
  const auto whole = ids(run_all(service, alone));
  const WhyNot later = why(service, alone, whole[24]);
  EXPECT_EQ(later.cause, WhyNotCause::kPaging);
  EXPECT_EQ(later.rank, 25U);
  EXPECT_EQ(later.facts.page_offset, 20U);
  alone.offset = 30;
  EXPECT_EQ(why(service, alone, whole[24]).cause, WhyNotCause::kPaging);
  alone.offset = 20;
  EXPECT_TRUE(why(service, alone, whole[24]).on_page);
}

TEST_F(WhyNotTest, LeavesNoTrace) {
  auto& service = serve();
  static_cast<void>(why(service, first(5), id_of(5)));
  EXPECT_EQ(service.list_cache_stats().entries, 0U);
  EXPECT_EQ(run(service, first(5)).value().list_source, ListSource::kMade);
}

TEST(WhyNotCause, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kWhyNotCauseCount; ++i) names.insert(to_string(static_cast<WhyNotCause>(i)));
  EXPECT_EQ(names.size(), kWhyNotCauseCount);
}

}  // namespace
}  // namespace scalestyle::search
