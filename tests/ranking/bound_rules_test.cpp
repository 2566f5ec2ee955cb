#include "ranking/bound_rules.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "ranking/rule_samples.hpp"

namespace scalestyle::ranking {
namespace {

using catalog::RowIndex;
using testing::ElementsAre;
using testing::IsEmpty;

// Rows 0 … 6: products A (0, 1, 2), B (3), C (4, 5), D (6).
const catalog::Catalog& shop() {
  static const auto articles = rule_catalog({{"1", "0100", "Summer dress", "Red", "Dress", 10.0},
                       {"2", "0100", "Summer dress", "Blue", "Dress", 12.0},
                       {"3", "0100", "Summer dress", "Green", "Dress", 14.0, false},
                       {"4", "0200", "Push-up bra", "Red", "Bra", std::nullopt},
                       {"5", "0300", "T-shirt", "Red", "Top", 5.0, true, false},
                       {"6", "0300", "T-shirt", "Blue", "Top", 5.0},
                       {"7", "0400", "Linen shirt", "White", "Shirt", 30.0}});
  return *articles;
}

BoundRules bound(std::vector<Rule> rules) {
  auto set = RuleSet::compile(std::move(rules));
  EXPECT_TRUE(set) << set.error().message;
  return BoundRules::bind(std::make_shared<const RuleSet>(std::move(*set)), shop()).value();
}

std::vector<std::uint32_t> selected(const RuleSelector& selector) {
  const BoundRules rules = bound({{.id = "hide", .hides = {selector}}});
  const RuleEffects effects = rules.match({}, nullptr);
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < 7; ++row) {
    if (effects.is_hidden({row})) rows.push_back(row);
  }
  catalog::Bitmap left(7, true);
  effects.remove_hidden(left);
  EXPECT_EQ(left.count(), 7 - rows.size());
  for (const std::uint32_t row : rows) EXPECT_FALSE(left.test({row}));
  return rows;
}

TEST(BoundRules, WhatSelectorsSelect) {
  EXPECT_THAT(selected(of_colour(" RED")), ElementsAre(0, 3, 4));
  EXPECT_THAT(selected(of_ids({"2", "0000000007", "99"})), ElementsAre(1, 6));
  EXPECT_THAT(selected({.product_codes = {"300", "nothing"}}), ElementsAre(4, 5));
  RuleSelector both = of_ids({"7"});
  both.product_codes = {"0100"};
  EXPECT_THAT(selected(both), ElementsAre(0, 1, 2, 6));
  both.filter.price_max = 12;
  EXPECT_THAT(selected(both), ElementsAre(0, 1));
  EXPECT_THAT(selected({.has_image = false}), ElementsAre(2));
  EXPECT_THAT(selected({.name = "shirts"}), ElementsAre(6));
  EXPECT_THAT(selected({.name = "T shirt"}), ElementsAre(4, 5));
  EXPECT_THAT(selected({.name = "dress summer"}), IsEmpty());
}

TEST(BoundRules, FactorsMultiplyAndAreKeptWithinBounds) {
  const BoundRules rules = bound({{.id = "a", .boosts = {{of_colour("Red"), 2}, {of_ids({"1"}), 1.5}}},
                                  {.id = "b", .boosts = {{of_ids({"1"}), 8}}, .buries = {{of_colour("Blue"), 0.5}}},
                                  {.id = "c", .buries = {{of_ids({"6"}), 0.1}}, .hides = {of_ids({"7"})}}});
  const RuleEffects effects = rules.match({}, nullptr);
  EXPECT_EQ(effects.factor({0}), kGreatestRuleFactor);  // 2 · 1.5 · 8
  EXPECT_EQ(effects.factor({1}), 0.5);
  EXPECT_EQ(effects.factor({2}), 1);
  EXPECT_EQ(effects.factor({3}), 2);
  EXPECT_EQ(effects.factor({5}), kLeastRuleFactor);  // 0.5 · 0.1

  const std::vector<RowIndex> rows{{6}, {2}, {1}, {0}, {5}, {3}};
  const std::vector<double> scores{1, 0.9, 0.8, 0.4, 0.4, 0.2};
  const RuledList list = apply_rules(effects, rows, scores);
  EXPECT_THAT(list.rows, ElementsAre(RowIndex{0}, RowIndex{2}, RowIndex{1}, RowIndex{3}, RowIndex{5}));  // 1 and 3 tie
  EXPECT_THAT(list.scores, ElementsAre(4, 0.9, 0.4, 0.4, 0.4 * kLeastRuleFactor));
  EXPECT_THAT(list.places, ElementsAre(3, 1, 2, 5, 4));

  const auto acts = effects.acts_on({0});
  ASSERT_EQ(acts.size(), 3U);
  EXPECT_EQ(acts[0].factor * acts[1].factor * acts[2].factor, 24);
  EXPECT_EQ(acts[2].rule, 1U);
  EXPECT_EQ(effects.acts_on({6})[0].kind, RuleAct::Kind::kHide);
  EXPECT_THAT(effects.acts_on({2}), IsEmpty());
}

TEST(BoundRules, PinsAreTakenInTheOrderOfTheFile) {
  const BoundRules rules = bound({{.id = "a", .pins = {{.article_id = id_of("2"), .position = 2}, {.product_code = "0300", .position = 2}}},
                                  {.id = "b",
                                   .pins = {{.product_code = "0100", .position = 1},
                                            {.article_id = id_of("5"), .position = 1},
                                            {.article_id = id_of("99"), .position = 1},
                                            {.article_id = id_of("7"), .position = 1},
                                            {.product_code = "0200", .position = 1}},
                                   .hides = {of_ids({"7"})}}});
  catalog::Bitmap eligible(7, true);
  eligible.reset({3});
  const RuleEffects effects = rules.match({}, &eligible);
  ASSERT_EQ(effects.pins().size(), 2U);
  EXPECT_EQ(effects.pins()[0].row, RowIndex{1});
  EXPECT_EQ(effects.pins()[0].position, 2U);
  EXPECT_FALSE(effects.pins()[0].any_variant);
  EXPECT_EQ(effects.pins()[1].row, RowIndex{5});  // 4 is not available
  EXPECT_EQ(effects.pins()[1].position, 3U);      // 2 is taken
  EXPECT_TRUE(effects.pins()[1].any_variant);
  using Reason = SkippedPin::Reason;
  std::vector<Reason> reasons;
  for (const SkippedPin& pin : effects.skipped_pins()) reasons.push_back(pin.reason);
  EXPECT_THAT(reasons, ElementsAre(Reason::kPinnedBefore, Reason::kPinnedBefore, Reason::kUnknown, Reason::kHidden, Reason::kFilteredOut));
  EXPECT_EQ(rules.unknown_articles(), 1U);

  const BoundRules unavailable = bound({{.id = "a", .pins = {{.article_id = id_of("5"), .position = 1}}}});
  EXPECT_EQ(unavailable.match({}, nullptr).skipped_pins().at(0).reason, Reason::kUnavailable);
  const BoundRules last = bound({{.id = "a", .pins = {{.article_id = id_of("1"), .position = 100}, {.article_id = id_of("4"), .position = 100}}}});
  EXPECT_EQ(last.match({}, nullptr).skipped_pins().at(0).reason, Reason::kNoPosition);
}

TEST(BoundRules, PinsAreMergedIntoAList) {
  const std::vector<std::uint32_t> others{10, 11, 12};
  const std::vector<PinnedItem> pins{{1, 1}, {2, 3}};
  EXPECT_THAT(merge_pins(others, pins), ElementsAre(1, 10, 2, 11, 12));
  EXPECT_THAT(merge_pins(others, std::vector<PinnedItem>{{1, 4}, {2, 100}}), ElementsAre(10, 11, 12, 1, 2));
  EXPECT_THAT(merge_pins({}, pins), ElementsAre(1, 2));
  EXPECT_THAT(merge_pins(others, {}), ElementsAre(10, 11, 12));
  EXPECT_THAT(merge_pins(others, pins, 1), ElementsAre(1, 2, 10, 11, 12));  // 1 is late and becomes the second
  EXPECT_THAT(merge_pins(others, pins, 5), ElementsAre(1, 2, 10, 11, 12));
}

TEST(BoundRules, TheFirstRedirectIsTold) {
  const auto redirecting = [](std::string id, RuleRedirect redirect) {
    return Rule{.id = std::move(id), .query = {.any = {"sale"}}, .on = {true, false, false}, .redirect = std::move(redirect)};
  };
  const BoundRules rules = bound({redirecting("one", {.url = "/sale"}), redirecting("two", {.query = "outlet"})});
  const RuleWords words = *RuleWords::of("summer sale");
  const RuleEffects effects = rules.match({.words = &words}, nullptr);
  ASSERT_NE(effects.redirect(), nullptr);
  EXPECT_EQ(effects.redirect()->url, "/sale");
  EXPECT_EQ(effects.redirecting_rule(), 0U);
  EXPECT_TRUE(rules.match({}, nullptr).empty());
}

TEST(BoundRules, NothingIsWrongWithAnEmptyCatalogueOrSet) {
  auto set = RuleSet::compile({{.id = "a", .pins = {{.article_id = id_of("1"), .position = 1}}, .hides = {of_colour("Red")}}});
  const auto empty = rule_catalog({});
  const auto none = BoundRules::bind(std::make_shared<const RuleSet>(std::move(*set)), *empty);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->match({}, nullptr).skipped_pins().size(), 1U);
  EXPECT_TRUE(bound({}).match({}, nullptr).empty());
}

}  // namespace
}  // namespace scalestyle::ranking
