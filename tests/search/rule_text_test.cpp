#include "search/rule_text.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "support/source_folder.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::search {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string with(const std::string& rule) { return "{\n\"rules\": [\n  " + rule + "\n]}"; }

std::string error_of(const std::string& text) {
  const auto rules = parse_rules(text, "rules.json");
  if (rules) return "no error";
  EXPECT_EQ(rules.error().code, core::ErrorCode::kInvalidArgument);
  return rules.error().message;
}

TEST(RuleText, EveryMember) {
  const auto set = parse_rules(R"({"note": "of the shop", "rules": [
    {"id": "summer", "note": "until the autumn", "enabled": false,
     "when": {"query": {"is": "a dress", "contains": ["b c", "d"], "all": ["e"], "any": "f"},
              "filters": {"colour": ["Red", "Blue"], "index": "Divided"},
              "from": "2026-05-01", "until": "2026-08-31", "on": ["search"]},
     "then": {"pin": [{"article_id": "108775015", "position": 2}, {"product_code": "0108775", "position": 1}],
              "boost": {"colour": "White", "price_min": 5, "factor": 1.5},
              "bury": [{"has_image": false, "factor": 0.25}, {"name": "old shirt", "price_max": 1e1, "factor": 0.5}],
              "hide": {"article_ids": ["1", "2"], "product_codes": "3"},
              "redirect": {"query": "dresses"}}},
    {"id": "other", "when": {"from": "2026-05-01T09:00:00+02:00", "until": "2026-05-01T08:00:00.5Z"}, "then": {"hide": {"type": "Socks"}}},
    {"id": "of-a-query", "when": {"query": {"any": ["x"]}}, "then": {"redirect": {"url": "https://shop.example/x"}}}]})", "rules.json");
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_EQ(set->rules().size(), 3U);
  const ranking::Rule& rule = set->rules()[0];
  EXPECT_EQ(rule.id, "summer");
  EXPECT_FALSE(rule.enabled);
  EXPECT_THAT(rule.query.is, ElementsAre("a dress"));
  EXPECT_THAT(rule.query.contains, ElementsAre("b c", "d"));
  EXPECT_THAT(rule.query.all, ElementsAre("e"));
  EXPECT_THAT(rule.query.any, ElementsAre("f"));
  EXPECT_THAT(rule.filters[static_cast<std::size_t>(catalog::FilterField::kColour)], ElementsAre("Red", "Blue"));
  EXPECT_THAT(rule.filters[static_cast<std::size_t>(catalog::FilterField::kIndex)], ElementsAre("Divided"));
  EXPECT_EQ(rule.from_ms, 1'777'593'600'000);
  EXPECT_EQ(rule.until_ms, 1'788'220'800'000);  // the last day included
  EXPECT_THAT(rule.on, ElementsAre(true, false, false, false, false));
  ASSERT_EQ(rule.pins.size(), 2U);
  EXPECT_EQ(rule.pins[0].article_id->text(), "0108775015");
  EXPECT_EQ(rule.pins[1].product_code, "0108775");
  EXPECT_EQ(rule.pins[1].position, 1U);
  ASSERT_EQ(rule.boosts.size(), 1U);
  EXPECT_EQ(rule.boosts[0].factor, 1.5);
  EXPECT_EQ(rule.boosts[0].selector.filter.price_min, 5);
  ASSERT_EQ(rule.buries.size(), 2U);
  EXPECT_EQ(rule.buries[0].selector.has_image, false);
  EXPECT_EQ(rule.buries[1].selector.name, "old shirt");
  EXPECT_EQ(rule.hides.at(0).article_ids.size(), 2U);
  EXPECT_THAT(rule.hides.at(0).product_codes, ElementsAre("3"));
  EXPECT_EQ(rule.redirect->query, "dresses");
  EXPECT_EQ(set->rules()[1].until_ms.value() - set->rules()[1].from_ms.value(), 3'600'500);
  EXPECT_THAT(set->rules()[1].on, ElementsAre(true, true, true, true, true));
  EXPECT_THAT(set->rules()[2].on, ElementsAre(true, false, false, false, false));  // a query is in searches only
  EXPECT_EQ(set->rules()[2].redirect->url, "https://shop.example/x");
  EXPECT_TRUE(parse_rules(R"({"rules": []})", "none")->empty());
}

TEST(RuleText, ErrorsNameFileLineRuleAndMember) {
  EXPECT_EQ(error_of(with(R"({"id": "a", "then": {"hide": {"color": "Red"}}})")),
            "rules.json:3: rule \"a\": rules[0].then.hide: there is no member \"color\"; did you mean \"colour\"?");
  EXPECT_EQ(error_of(with(R"({"id": "a",
   "then": {"boost": [{"colour": "Red", "factor": 2}, {"colour": "Red", "factor": "2"}]}})")),
            "rules.json:4: rule \"a\": rules[0].then.boost[1].factor: a number is expected at byte 110");
  EXPECT_EQ(error_of(with(R"({"id": "a", "then": {"boost": {"colour": "Red", "factor": 20}}})")),
            "rules.json:3: rule \"a\": rules[0]: then.boost[0].factor must be above 1 and at most 10, not 20; \"bury\" moves articles down");
  EXPECT_THAT(error_of(with(R"({"id": "a", "then": {"hide": {"colour": "Red"}}},
  {"id": "a", "then": {"hide": {"colour": "Red"}}})")), HasSubstr("rule \"a\": another rule has this id"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "id": "b"})")), HasSubstr("rules.json:3: rule \"a\": rules[0]: \"id\" is given twice"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "when": {"from": "yesterday"}})")), HasSubstr("rules[0].when.from: \"yesterday\" is neither a day"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "when": {"from": "2026-02-30"}})")), HasSubstr("when.from"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "when": {"on": ["seach"]}})")), HasSubstr("there is no list \"seach\""));
  EXPECT_THAT(error_of(with(R"({"id": "a", "when": {"on": []}, "then": {"hide": {"colour": "Red"}}})")), HasSubstr("when.on must name a list"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "when": {"query": {}}})")), HasSubstr("must have \"is\""));
  EXPECT_THAT(error_of(with(R"({"id": "a", "when": {"query": {"is": []}}})")), HasSubstr("when.query.is: must not be empty"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "then": {"hide": {}}})")), HasSubstr("then.hide[0] selects no articles"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "then": {"hide": {"article_ids": []}}})")), HasSubstr("article_ids: must not be empty"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "then": {"hide": {"article_ids": "a b"}}})")), HasSubstr("rules[0].then.hide.article_ids: "));
  EXPECT_THAT(error_of(with(R"({"id": "a", "then": {"boost": {"colour": "Red"}}})")), HasSubstr("\"factor\" is required"));
  EXPECT_THAT(error_of(with(R"({"id": "a", "then": {"pin": {"article_id": "1", "position": -1}}})")), HasSubstr("then.pin[0].position must be 1 to 100"));
  EXPECT_THAT(error_of(with(R"({"then": {"hide": {"colour": "Red"}}})")), HasSubstr("rules[0]: id must be"));
  EXPECT_THAT(error_of(with(R"({"id": "a"})")), HasSubstr("then does nothing"));
  EXPECT_THAT(error_of("{\n}"), HasSubstr("rules.json:2: \"rules\" is required"));
  EXPECT_THAT(error_of("{\"rules\": []}\n\nmore"), HasSubstr("rules.json:3: nothing is expected"));
  EXPECT_THAT(error_of(""), HasSubstr("rules.json:1: the text ends where an object is expected"));
  EXPECT_THAT(error_of(with("{\"id\": \"\xFF\"}")), HasSubstr("is not UTF-8"));
}

TEST(RuleText, SizesAreBounded) {
  EXPECT_THAT(error_of(std::string(kMaxRuleFileBytes + 1, ' ')), HasSubstr("a file of rules has at most"));
  std::string many = "{\"rules\": [";
  for (std::size_t i = 0; i <= ranking::kMaxRules; ++i) {
    many += std::string(i == 0 ? "" : ",\n") + R"({"id": "r)" + std::to_string(i) + R"(", "then": {"hide": {"article_ids": "1"}}})";
  }
  EXPECT_THAT(error_of(many + "]}"), HasSubstr("rules.json:1001: rules: more than 1000 rules"));
  EXPECT_THAT(error_of(std::string(1'000'000, '[')), HasSubstr("an object is expected"));
}

// Whatever is cut out of or put into a right file, it is read or refused.
TEST(RuleText, DamagedFilesAreRefusedOrRead) {
  const std::string right = with(R"({"id": "a", "when": {"query": {"any": ["red dress", "blue"]}, "from": "2026-05-01"},
    "then": {"boost": [{"colour": ["Red", "Blue"], "price_max": 12.5, "factor": 2}], "pin": {"article_id": "1", "position": 3}}})");
  ASSERT_TRUE(parse_rules(right, "rules.json"));
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = right;
    for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % damaged.size();
      if (random() % 2 == 0) damaged.erase(at, 1 + random() % 4);
      if (damaged.empty() || random() % 2 == 0) damaged.insert(std::min(at, damaged.size()), 1, "{}[]\",:\\019e\xC3 \n"[random() % 16]);
    }
    const auto set = parse_rules(damaged, "rules.json");
    if (set) continue;
    EXPECT_THAT(set.error().message, testing::StartsWith("rules.json:"));
  }
}

TEST(RuleText, TheExampleOfTheDocumentIsRight) {
  const auto document = core::read_text_file(support::source_folder() / "docs/formats/rules.md", 1 << 20);
  ASSERT_TRUE(document);
  const std::size_t begin = document->find("```json\n") + 8;
  const std::size_t end = document->find("```", begin);
  ASSERT_NE(end, std::string::npos);
  const auto set = parse_rules(std::string_view(*document).substr(begin, end - begin), "rules.md");
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_GE(set->rules().size(), 4U);
}

TEST(RuleText, ReadFromAFile) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(read_rules(folder / "none.json").error().code, core::ErrorCode::kNotFound);
  std::ofstream(folder / "rules.json") << with(R"({"id": "a", "then": {"hide": {"colour": "Red"}}})");
  EXPECT_EQ(read_rules(folder / "rules.json")->rules().size(), 1U);
}

}  // namespace
}  // namespace scalestyle::search
