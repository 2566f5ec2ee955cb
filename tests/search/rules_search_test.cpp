// Merchandising rules on the lists of a running service.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "search/list_fixture.hpp"
#include "search/rule_file.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::search {
namespace {

using testing::ElementsAre;
using testing::Each;
using testing::IsEmpty;

class RulesSearchTest : public ListFixture {
 protected:
  // A service under these rules: the text of the list "rules".
  SearchService& under(const std::string& rules) {
    const auto path = folder_ / ("rules" + std::to_string(files_.size()) + ".json");
    std::ofstream(path) << "{\"rules\": [" << rules << "]}";
    auto file = RuleFile::open(path);
    EXPECT_TRUE(file) << file.error().message;
    files_.push_back(std::move(*file));
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(), .timers = compute_.timers(),
                      .clock = clock_, .metrics = metrics_, .features = &features_, .popularity = &popularity_, .rules = files_.back().get()},
                     {});
  }

  static std::vector<std::string> ids(const SearchAnswer& answer) {
    std::vector<std::string> list;
    for (const AnswerItem& item : answer.items) list.emplace_back(item.article.id());
    return list;
  }
  static std::size_t count_of(const SearchAnswer& answer, std::string_view colour) {
    return static_cast<std::size_t>(std::ranges::count_if(answer.items, [&](const AnswerItem& item) { return item.article.colour() == colour; }));
  }
  static StageOutcome rules_stage(const SearchAnswer& answer) {
    const auto stage = std::ranges::find(answer.stages, Stage::kRules, &StageReport::stage);
    return stage == answer.stages.end() ? StageOutcome::kFailed : stage->outcome;
  }

  support::TemporaryFolder folder_;
  std::vector<std::unique_ptr<RuleFile>> files_;
};

TEST_F(RulesSearchTest, NoRuleNoChange) {
  SearchService& plain = make();
  SearchService& ruled = under(R"({"id": "other", "when": {"query": {"is": "something else"}}, "then": {"hide": {"colour": "Red"}}})");
  const auto expected = run(plain, request("Name 5"));
  const auto answer = run(ruled, request("Name 5"));
  ASSERT_TRUE(expected && answer);
  EXPECT_EQ(ids(*answer), ids(*expected));
  EXPECT_EQ(answer->total, expected->total);
  EXPECT_THAT(answer->rules.ids, IsEmpty());
  EXPECT_EQ(rules_stage(*answer), StageOutcome::kSkipped);
}

TEST_F(RulesSearchTest, WhatIsHiddenIsInNoListNorCount) {
  SearchService& plain = make();
  SearchService& ruled = under(R"({"id": "no-red", "then": {"hide": {"colour": "red"}}})");
  const auto check = [&](auto wanted) {
    wanted.k = kMaxK;
    wanted.facets.set();
    const auto expected = run(plain, wanted);
    const auto answer = run(ruled, wanted);
    ASSERT_TRUE(expected && answer);
    ASSERT_GT(count_of(*expected, "Red"), 0U);
    EXPECT_EQ(count_of(*answer, "Red"), 0U);
    EXPECT_EQ(answer->total, expected->total - count_of(*expected, "Red"));
    EXPECT_THAT(answer->rules.ids, ElementsAre("no-red"));
    for (const ValueFacet& facet : answer->facets->values) {
      for (const FacetValue& value : facet.values) EXPECT_NE(value.text, "Red");
    }
    for (const AnswerItem& item : answer->items) {
      for (const Variant& variant : item.variants) EXPECT_NE(variant.article.colour(), "Red");
    }
  };
  check(request("Name"));
  check(BrowseRequest{});
  check(BrowseRequest{{}, BrowseSort::kPriceAscending});
}

TEST_F(RulesSearchTest, FactorsReorderAndAreExplained) {
  SearchService& ruled = under(R"({"id": "blue", "when": {"query": {"contains": "name"}}, "then": {"boost": {"colour": "Blue", "factor": 10}}},
                                  {"id": "socks", "then": {"bury": {"type": "Socks", "factor": 0.5}}})");
  SearchRequest wanted = request("Name 5");
  wanted.explain = true;
  const auto expected = run(make(), wanted);
  const auto answer = run(ruled, wanted);
  ASSERT_TRUE(expected && answer);
  ASSERT_EQ(answer->items.size(), expected->items.size());
  EXPECT_EQ(rules_stage(*answer), StageOutcome::kOk);
  for (std::size_t i = 0; i < answer->items.size(); ++i) {
    const AnswerItem& item = answer->items[i];
    const auto before = std::ranges::find(expected->items, item.article.id(), [](const AnswerItem& other) { return other.article.id(); });
    const double factor = (item.article.colour() == "Blue" ? 10 : 1) * (item.article.product_type() == "Socks" ? 0.5 : 1);
    EXPECT_DOUBLE_EQ(item.score, before->score * factor);
    EXPECT_EQ(item.explanation->rule_factor, factor);
    EXPECT_EQ(item.explanation->rules.size(), (item.article.colour() == "Blue" ? 1U : 0U) + (item.article.product_type() == "Socks" ? 1U : 0U));
    if (i > 0) {
      EXPECT_LE(item.score, answer->items[i - 1].score);
    }
  }
  SearchRequest sorted = wanted;
  sorted.sort = SearchSort::kPriceAscending;
  EXPECT_EQ(ids(*run(ruled, sorted)), ids(*run(make(), sorted)));
}

TEST_F(RulesSearchTest, PinsStandWhereTheyShouldOnEveryPage) {
  const std::string last = id_of(kArticles - 1);
  SearchService& ruled = under(R"({"id": "pins", "then": {"pin": [{"article_id": ")" + last + R"(", "position": 2}, {"article_id": "1007", "position": 5},
                                  {"article_id": "99", "position": 1}]}})");
  features_.set_features(user("u"), clicks({3, 4}));
  SearchRequest wanted = request("Name 5", "u");
  wanted.explain = true;
  const auto whole = run(ruled, wanted);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->items[1].article.id(), last);
  EXPECT_EQ(whole->items[1].pinned_by, "pins");
  EXPECT_EQ(whole->items[4].article.id(), id_of(7));
  EXPECT_EQ(std::ranges::count_if(whole->items, [](const AnswerItem& item) { return !item.pinned_by.empty(); }), 2);
  ASSERT_EQ(whole->rules.skipped_pins.size(), 1U);
  EXPECT_EQ(whole->rules.skipped_pins[0].target, "0000000099");
  EXPECT_EQ(whole->rules.skipped_pins[0].reason, "unknown");

  // Pages by offset and by cursor, of three items.
  std::vector<std::string> by_offset, by_cursor;
  std::string cursor;
  for (std::size_t page = 0; page * 3 < whole->total; ++page) {
    SearchRequest part = request("Name 5", "u");
    part.k = 3;
    part.offset = page * 3;
    for (const std::string& id : ids(*run(ruled, part))) by_offset.push_back(id);
    part.offset = 0;
    part.cursor = cursor;
    const auto walked = run(ruled, part);
    ASSERT_TRUE(walked);
    for (const std::string& id : ids(*walked)) by_cursor.push_back(id);
    cursor = walked->cursor;
  }
  const auto expected = ids(*whole);
  ASSERT_EQ(by_offset.size(), whole->total);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), by_offset.begin()));
  EXPECT_EQ(by_cursor, by_offset);
  EXPECT_EQ(std::set<std::string>(by_offset.begin(), by_offset.end()).size(), by_offset.size());
}

TEST_F(RulesSearchTest, APinIsInTheListThoughTheFiltersOrTheQueryDidNotFindIt) {
  SearchService& ruled = under(R"({"id": "pins", "then": {"pin": [{"article_id": "1003", "position": 1}, {"article_id": "1001", "position": 1}]}})");
  SearchRequest wanted = request("1010");  // an id: nothing else is found
  wanted.explain = true;
  const auto answer = run(ruled, wanted);
  ASSERT_TRUE(answer);
  EXPECT_THAT(ids(*answer), ElementsAre(id_of(3), id_of(1), id_of(10)));
  EXPECT_EQ(answer->total, 3U);
  wanted.filter[catalog::FilterField::kColour] = {"Red"};  // 1003 is red, 1001 and 1010 are blue
  wanted.legs.dense = false;                               // which would find other red ones
  const auto filtered = run(ruled, wanted);
  ASSERT_TRUE(filtered);
  EXPECT_THAT(ids(*filtered), ElementsAre(id_of(3)));
  ASSERT_EQ(filtered->rules.skipped_pins.size(), 1U);
  EXPECT_EQ(filtered->rules.skipped_pins[0].reason, "filtered_out");

  BrowseRequest browse;
  browse.k = 2;
  const auto browsed = run(ruled, browse);
  ASSERT_TRUE(browsed);
  EXPECT_THAT(ids(*browsed), ElementsAre(id_of(3), id_of(1)));
  EXPECT_EQ(browsed->total, static_cast<std::size_t>(kArticles));
}

TEST_F(RulesSearchTest, ARedirectIsToldAndTheListIsGiven) {
  SearchService& ruled = under(R"({"id": "away", "when": {"query": {"is": "name 5"}}, "then": {"redirect": {"url": "/sale"}}})");
  const auto answer = run(ruled, request("NAME 5"));
  ASSERT_TRUE(answer && answer->rules.redirect);
  EXPECT_EQ(answer->rules.redirect->url, "/sale");
  EXPECT_EQ(answer->rules.redirect->rule, "away");
  EXPECT_EQ(ids(*answer), ids(*run(make(), request("NAME 5"))));
}

TEST_F(RulesSearchTest, HiddenArticlesDoNotComeBackInAFallback) {
  SearchService& ruled = under(R"({"id": "no-red", "then": {"hide": {"colour": "Red"}}})");
  encoder_.fail_with(core::fail(core::ErrorCode::kUnavailable, "away").error());
  SearchRequest wanted = request("xyz");
  wanted.legs = {.lexical = false, .dense = true};
  const auto answer = run(ruled, wanted);
  ASSERT_TRUE(answer && answer->fallback_source);
  EXPECT_GT(answer->items.size(), 0U);
  EXPECT_EQ(count_of(*answer, "Red"), 0U);
}

TEST_F(RulesSearchTest, RulesActInTheirTime) {
  SearchService& ruled = under(R"({"id": "later", "when": {"from": "2026-03-01T12:00:01Z"}, "then": {"hide": {"colour": "Red"}}})");
  EXPECT_GT(count_of(*run(ruled, request("Name")), "Red"), 0U);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(count_of(*run(ruled, request("Name")), "Red"), 0U);
}

}  // namespace
}  // namespace scalestyle::search
