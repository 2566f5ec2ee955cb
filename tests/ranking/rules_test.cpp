#include "ranking/rules.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "ranking/rule_samples.hpp"

namespace scalestyle::ranking {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Rule rule(std::string id, const std::function<void(Rule&)>& change = {}) {
  Rule rule;
  rule.id = std::move(id);
  rule.hides.push_back(of_colour("Red"));
  if (change) change(rule);
  return rule;
}

Rule of_query(std::string id, QueryCondition query) {
  Rule made = rule(std::move(id));
  made.query = std::move(query);
  made.on = {true, false, false};
  return made;
}

std::vector<std::string> acting(const RuleSet& set, std::string_view query) {
  const RuleWords words = *RuleWords::of(query);
  std::vector<std::string> ids;
  for (const std::uint32_t index : set.acting({.words = &words})) ids.push_back(set.rules()[index].id);
  return ids;
}

RuleSet compiled(std::vector<Rule> rules) {
  auto set = RuleSet::compile(std::move(rules));
  EXPECT_TRUE(set) << set.error().message;
  return set ? std::move(*set) : RuleSet();
}

TEST(Rules, TheQueryIsContainsAllAny) {
  const RuleSet set = compiled({of_query("is", {.is = {"summer dresses", "sun dress"}}), of_query("contains", {.contains = {"summer dress"}}),
                                of_query("all", {.all = {"dress", "summer"}}), of_query("any", {.any = {"dress", "beach towel"}}),
                                of_query("both", {.contains = {"dress"}, .any = {"red", "blue"}}), rule("always")});
  EXPECT_THAT(acting(set, "Summer DRESS"), ElementsAre("is", "contains", "all", "any", "always"));
  EXPECT_THAT(acting(set, "sun dresses"), ElementsAre("is", "any", "always"));
  EXPECT_THAT(acting(set, "red summer dress"), ElementsAre("contains", "all", "any", "both", "always"));
  EXPECT_THAT(acting(set, "dress for the summer"), ElementsAre("all", "any", "always"));
  EXPECT_THAT(acting(set, "beach towels, red"), ElementsAre("any", "always"));
  EXPECT_THAT(acting(set, "towel beach"), ElementsAre("always"));
  EXPECT_THAT(acting(set, "addressed summers"), ElementsAre("always"));  // whole words only
  EXPECT_THAT(acting(set, ""), ElementsAre("always"));
}

TEST(Rules, CompoundsMeetInAnySpellingAndALetterIsNoWordOfItsOwn) {
  const RuleSet set = compiled({of_query("tee", {.is = {"t-shirt"}}), of_query("shirt", {.contains = {"shirt"}}),
                                of_query("push", {.is = {"push-up bra"}}), of_query("bra", {.any = {"bra"}})});
  EXPECT_THAT(acting(set, "T shirts"), ElementsAre("tee"));
  EXPECT_THAT(acting(set, "tshirt"), ElementsAre("tee"));
  EXPECT_THAT(acting(set, "linen shirt"), ElementsAre("shirt"));
  EXPECT_THAT(acting(set, "push up bra"), ElementsAre("push", "bra"));
  EXPECT_THAT(acting(set, "Push-Up-Bra"), ElementsAre("push", "bra"));  // a compound of the query is its parts too
  EXPECT_THAT(acting(set, "pushup bra"), ElementsAre("push", "bra"));

  // Each compound of a phrase by itself.
  const RuleSet two = compiled({of_query("two", {.contains = {"push-up off-shoulder top"}})});
  for (const std::string query : {"push-up off-shoulder top", "pushup offshoulder tops", "push up off shoulder top", "pushup off-shoulder top",
                                  "red push up offshoulder top", "push-up off shoulder top"}) {
    EXPECT_THAT(acting(two, query), ElementsAre("two")) << query;
  }
  EXPECT_THAT(acting(two, "push off-shoulder top"), IsEmpty());
  EXPECT_THAT(acting(two, "push up off shoulder"), IsEmpty());
}

TEST(Rules, FilterDateListAndSwitch) {
  const auto colours = static_cast<std::size_t>(catalog::FilterField::kColour);
  const RuleSet set = compiled({rule("red", [&](Rule& r) { r.filters[colours] = {" red ", "Pink"}; }),
                                rule("dated", [](Rule& r) { r.from_ms = 100, r.until_ms = 200; }),
                                rule("browse", [](Rule& r) { r.on = {false, true, false}; }),
                                rule("off", [](Rule& r) { r.enabled = false; })});
  catalog::Filter filter;
  EXPECT_THAT(set.acting({.filter = &filter}), IsEmpty());
  filter[catalog::FilterField::kColour] = {"Blue", "RED"};
  EXPECT_THAT(set.acting({.filter = &filter}), ElementsAre(0U));
  EXPECT_THAT(set.acting({.now_ms = 99}), IsEmpty());
  EXPECT_THAT(set.acting({.now_ms = 100}), ElementsAre(1U));
  EXPECT_THAT(set.acting({.now_ms = 199}), ElementsAre(1U));
  EXPECT_THAT(set.acting({.now_ms = 200}), IsEmpty());
  EXPECT_THAT(set.acting({.list = RuleList::kBrowse}), ElementsAre(2U));
}

TEST(Rules, AQueryLongerThanWhatIsLookedAtIsHarmless) {
  const RuleSet set = compiled({of_query("dress", {.any = {"dress"}})});
  std::string query;
  for (std::size_t i = 0; i < kMaxRuleQueryWords; ++i) query += "word-" + std::to_string(i) + " ";
  EXPECT_THAT(acting(set, query + "dress"), IsEmpty());
  EXPECT_THAT(acting(set, "dress " + query), ElementsAre("dress"));
  EXPECT_THAT(acting(set, "\xFF\xFE dress \xC0"), ElementsAre("dress"));
}

std::string field_of(const Rule& wrong) {
  const auto valid = wrong.validate();
  return valid ? "no error" : valid.error().field;
}

TEST(Rules, WhatIsWrongIsNamed) {
  EXPECT_EQ(field_of(rule("")), "id");
  EXPECT_EQ(field_of(rule("two words")), "id");
  EXPECT_EQ(field_of(Rule{.id = "nothing"}), "then");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.boosts = {{of_colour("Red"), 1.0}}; })), "then.boost[0].factor");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.boosts = {{of_colour("Red"), 10.5}}; })), "then.boost[0].factor");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.buries = {{of_colour("Red"), 0.5}, {of_colour("Red"), 0.05}}; })), "then.bury[1].factor");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.buries = {{RuleSelector(), 0.5}}; })), "then.bury[0]");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.hides = {of_colour(" ")}; })), "then.hide[0].colour");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.hides[0].filter.price_min = -1; })), "then.hide[0].price_min");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.hides[0].name = "--"; })), "then.hide[0].name");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.pins = {{.article_id = id_of("1"), .position = 101}}; })), "then.pin[0].position");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.pins = {{.position = 1}}; })), "then.pin[0]");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.query.is = {"?!"}; })), "when.query.is[0]");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.query.any = {"dress"}; })), "when.on");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.on.fill(false); })), "when.on");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.from_ms = 5, r.until_ms = 5; })), "when.until");
  EXPECT_EQ(field_of(rule("a", [](Rule& r) { r.redirect = RuleRedirect{.url = "/sale"}; })), "then.redirect");
  for (const std::string url : {"javascript:alert(1)", "//other.example", "https://", "/a b", "http:///x", "/\xC3\xA9"}) {
    Rule redirecting = of_query("a", {.any = {"sale"}});
    redirecting.redirect = RuleRedirect{.url = url};
    EXPECT_EQ(field_of(redirecting), "then.redirect.url") << url;
  }
  EXPECT_EQ(field_of(rule("a", [](Rule& r) {
              r.hides[0].article_ids.assign(kMaxRuleArticles, id_of("1"));
              r.boosts = {{of_ids({"2"}), 2}};
            })), "then");

  const auto twice = RuleSet::compile({rule("same"), rule("same")});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("rule \"same\": another rule has this id"));
  EXPECT_FALSE(RuleSet::compile(std::vector<Rule>(kMaxRules + 1, rule("a"))));
  std::vector<Rule> many;
  for (int i = 0; i < 3; ++i) {
    many.push_back(rule("r" + std::to_string(i), [](Rule& r) { r.hides.assign(kMaxRuleSelectors / 2, of_colour("Red")); }));
  }
  EXPECT_THAT(RuleSet::compile(many).error().message, HasSubstr("more than 2000 times"));
}

}  // namespace
}  // namespace scalestyle::ranking
