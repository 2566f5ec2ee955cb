// Random rules on random requests, compared with a reading of the rules that looks at every rule, article and word.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ranking/bound_rules.hpp"
#include "ranking/rule_samples.hpp"

namespace scalestyle::ranking {
namespace {

using Words = std::vector<std::string>;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  bool one_in(std::size_t count) { return below(count) == 0; }

  std::string word() { return "w" + std::to_string(below(6)); }
  std::string phrase(std::size_t most) {
    std::string text = word();
    for (std::size_t i = below(most); i > 0; --i) text += " " + word();
    return text;
  }
  std::vector<std::string> phrases() {
    std::vector<std::string> list;
    for (std::size_t i = below(3); i > 0; --i) list.push_back(phrase(2));
    return list;
  }
  std::string colour() { return "Colour " + std::to_string(below(4)); }
  std::string id() { return std::to_string(below(45)); }
  std::string code() { return "P" + std::to_string(below(14)); }

 private:
  std::mt19937 engine_;
};

std::vector<SampleArticle> random_articles(Random& random) {
  std::vector<SampleArticle> articles;
  for (std::size_t i = 0; i < 40; ++i) {
    SampleArticle article{.id = std::to_string(i), .product_code = random.code(), .name = random.phrase(4), .colour = random.colour(),
                          .type = "Type", .price = std::nullopt, .has_image = !random.one_in(4), .available = !random.one_in(5)};
    if (!random.one_in(6)) article.price = static_cast<double>(random.below(20));
    articles.push_back(std::move(article));
  }
  return articles;
}

RuleSelector random_selector(Random& random) {
  RuleSelector selector;
  while (selector.empty()) {
    if (random.one_in(2)) {
      for (std::size_t i = random.below(6); i > 0; --i) selector.article_ids.push_back(id_of(random.id()));
      for (std::size_t i = random.below(3); i > 0; --i) selector.product_codes.push_back(random.code());
    }
    if (random.one_in(3)) selector.filter[catalog::FilterField::kColour] = {random.colour(), random.colour()};
    if (random.one_in(4)) selector.filter.price_min = static_cast<double>(random.below(10));
    if (random.one_in(4)) selector.filter.price_max = static_cast<double>(10 + random.below(10));
    if (random.one_in(5)) selector.has_image = random.one_in(2);
    if (random.one_in(5)) selector.name = random.phrase(2);
  }
  return selector;
}

Rule random_rule(Random& random, std::size_t number) {
  Rule rule{.id = "rule" + std::to_string(number), .enabled = !random.one_in(8)};
  if (random.one_in(2)) {
    rule.query = {.is = random.one_in(3) ? random.phrases() : Words(), .contains = random.one_in(3) ? random.phrases() : Words(),
                  .all = random.one_in(3) ? random.phrases() : Words(), .any = random.phrases()};
  }
  for (std::size_t list = 0; list < rule.on.size(); ++list) rule.on[list] = list == 0 || (rule.query.empty() && !random.one_in(3));
  if (random.one_in(5)) rule.filters[static_cast<std::size_t>(catalog::FilterField::kColour)] = {random.colour(), random.colour()};
  if (random.one_in(4)) rule.from_ms = static_cast<std::int64_t>(random.below(50));
  if (random.one_in(4)) rule.until_ms = static_cast<std::int64_t>(50 + random.below(50));
  for (std::size_t i = random.below(3); i > 0; --i) {
    RulePin pin{.position = 1 + random.below(8)};
    if (random.one_in(2)) pin.article_id = id_of(random.id());
    if (!pin.article_id) pin.product_code = random.code();
    rule.pins.push_back(pin);
  }
  for (std::size_t i = random.below(3); i > 0; --i) rule.boosts.push_back({random_selector(random), 1.5 + static_cast<double>(random.below(8))});
  for (std::size_t i = random.below(3); i > 0; --i) rule.buries.push_back({random_selector(random), 0.1 + 0.1 * static_cast<double>(random.below(8))});
  if (random.one_in(3)) rule.hides.push_back(random_selector(random));
  if (!rule.query.empty() && random.one_in(3)) rule.redirect = RuleRedirect{.url = "/" + rule.id};
  if (!rule.validate()) rule.hides.push_back(random_selector(random));
  return rule;
}

Words split(const std::string& text) {
  Words words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

bool stands_in(const std::string& phrase, const Words& words) {
  const Words wanted = split(phrase);
  return std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

struct Request {
  RuleList list = RuleList::kSearch;
  std::string query;
  catalog::Filter filter;
  std::int64_t now_ms = 0;
};

// The plain reading.
class Reading {
 public:
  Reading(const std::vector<Rule>& rules, const catalog::Catalog& articles, const Request& request)
      : rules_(rules), articles_(articles), request_(request) {
    for (const Rule& rule : rules) {
      if (acts(rule)) acting_.push_back(&rule);
    }
  }

  [[nodiscard]] const std::vector<const Rule*>& acting() const { return acting_; }

  [[nodiscard]] bool is_hidden(catalog::RowIndex row) const {
    return std::ranges::any_of(acting_, [&](const Rule* rule) {
      return std::ranges::any_of(rule->hides, [&](const RuleSelector& selector) { return selects(selector, row); });
    });
  }

  [[nodiscard]] double factor(catalog::RowIndex row) const {
    double product = 1;
    for (const Rule* rule : acting_) {
      for (const auto* list : {&rule->boosts, &rule->buries}) {
        for (const RuleFactor& factor : *list) product *= selects(factor.selector, row) ? factor.factor : 1;
      }
    }
    return std::min(kGreatestRuleFactor, std::max(kLeastRuleFactor, product));
  }

  // Position → row, and the rule's id.
  [[nodiscard]] std::map<std::size_t, std::pair<std::uint32_t, std::string>> pins() const {
    std::map<std::size_t, std::pair<std::uint32_t, std::string>> placed;
    std::set<std::string, std::less<>> products;
    for (const Rule* rule : acting_) {
      for (const RulePin& pin : rule->pins) {
        for (std::uint32_t i = 0; i < articles_.size(); ++i) {
          const auto article = articles_.row({i});
          const bool is_it = pin.article_id ? article.id() == pin.article_id->text() : article.product_code() == pin.product_code;
          if (!is_it || products.contains(article.product_code())) continue;
          if (!article.available() || is_hidden({i}) || !passes(request_.filter, article)) continue;
          std::size_t position = pin.position;
          while (placed.contains(position)) ++position;
          placed[position] = {i, rule->id};
          products.insert(std::string(article.product_code()));
          break;
        }
      }
    }
    return placed;
  }

 private:
  static bool passes(const catalog::Filter& filter, const catalog::ArticleView& article) {
    const auto& colours = filter[catalog::FilterField::kColour];
    if (!colours.empty() && std::ranges::find(colours, article.colour()) == colours.end()) return false;
    if (filter.price_min && !(article.price() && *article.price() >= *filter.price_min)) return false;
    return !filter.price_max || (article.price() && *article.price() <= *filter.price_max);
  }

  [[nodiscard]] bool selects(const RuleSelector& selector, catalog::RowIndex row) const {
    const auto article = articles_.row(row);
    if (!selector.article_ids.empty() || !selector.product_codes.empty()) {
      const bool by_id = std::ranges::any_of(selector.article_ids, [&](const auto& id) { return id.text() == article.id(); });
      const bool by_code = std::ranges::find(selector.product_codes, article.product_code()) != selector.product_codes.end();
      if (!by_id && !by_code) return false;
    }
    if (selector.has_image && *selector.has_image == article.image_path().empty()) return false;
    if (!selector.name.empty() && !stands_in(selector.name, split(std::string(article.name())))) return false;
    return passes(selector.filter, article);
  }

  [[nodiscard]] bool acts(const Rule& rule) const {
    if (!rule.enabled || !rule.on[static_cast<std::size_t>(request_.list)]) return false;
    if (rule.from_ms && request_.now_ms < *rule.from_ms) return false;
    if (rule.until_ms && request_.now_ms >= *rule.until_ms) return false;
    const Words words = split(request_.query);
    const auto stands = [&](const std::string& phrase) { return stands_in(phrase, words); };
    const auto is = [&](const std::string& phrase) { return split(phrase) == words; };
    const QueryCondition& query = rule.query;
    if (!query.is.empty() && std::ranges::none_of(query.is, is)) return false;
    if (!query.contains.empty() && std::ranges::none_of(query.contains, stands)) return false;
    if (!std::ranges::all_of(query.all, stands)) return false;
    if (!query.any.empty() && std::ranges::none_of(query.any, stands)) return false;
    const auto& wanted = rule.filters[static_cast<std::size_t>(catalog::FilterField::kColour)];
    const auto& given = request_.filter[catalog::FilterField::kColour];
    return wanted.empty() || std::ranges::find_first_of(wanted, given) != wanted.end();
  }

  const std::vector<Rule>& rules_;
  const catalog::Catalog& articles_;
  const Request& request_;
  std::vector<const Rule*> acting_;
};

Request random_request(Random& random) {
  Request request{.list = kRuleLists[random.one_in(3) ? random.below(3) : 0], .query = {}, .filter = {}, .now_ms = static_cast<std::int64_t>(random.below(100))};
  if (request.list == RuleList::kSearch) request.query = random.phrase(4);
  if (random.one_in(3)) request.filter[catalog::FilterField::kColour] = {random.colour(), random.colour()};
  if (random.one_in(4)) request.filter.price_max = static_cast<double>(random.below(20));
  return request;
}

void expect_same(const Reading& reading, const RuleEffects& effects, const RuleSet& set, const catalog::Catalog& articles) {
  std::vector<std::string> acting, expected;
  for (const std::uint32_t rule : effects.rules()) acting.push_back(set.rules()[rule].id);
  const Rule* redirecting = nullptr;
  for (const Rule* rule : reading.acting()) {
    expected.push_back(rule->id);
    if (redirecting == nullptr && rule->redirect) redirecting = rule;
  }
  ASSERT_EQ(acting, expected);
  ASSERT_EQ(effects.redirect() != nullptr, redirecting != nullptr);
  if (redirecting != nullptr) {
    ASSERT_EQ(*effects.redirect(), *redirecting->redirect);
  }

  std::vector<catalog::RowIndex> rows;
  std::vector<double> scores;
  std::vector<std::pair<double, std::uint32_t>> wanted;  // −score, place
  for (std::uint32_t row = 0; row < articles.size(); row += 2) {
    rows.push_back({row});
    scores.push_back(1.0 / static_cast<double>(1 + row / 8));
  }
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    ASSERT_EQ(effects.is_hidden(rows[place]), reading.is_hidden(rows[place]));
    ASSERT_NEAR(effects.factor(rows[place]), reading.factor(rows[place]), 1e-12);
    if (!reading.is_hidden(rows[place])) wanted.emplace_back(-scores[place] * effects.factor(rows[place]), place);
  }
  std::ranges::sort(wanted);
  const RuledList list = apply_rules(effects, rows, scores);
  ASSERT_EQ(list.rows.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_EQ(list.places[i], wanted[i].second);
    ASSERT_EQ(list.rows[i], rows[list.places[i]]);
    ASSERT_EQ(list.scores[i], -wanted[i].first);
  }
}

void expect_same_pins(const Reading& reading, const RuleEffects& effects, const RuleSet& set) {
  const auto expected = reading.pins();
  ASSERT_EQ(effects.pins().size(), expected.size());
  for (const PlacedPin& pin : effects.pins()) {
    ASSERT_TRUE(expected.contains(pin.position));
    ASSERT_EQ(pin.row.value, expected.at(pin.position).first);
    ASSERT_EQ(set.rules()[pin.rule].id, expected.at(pin.position).second);
  }
  // In a list: each pin at its position, or with those before it at the end.
  std::vector<PinnedItem> pins;
  for (const PlacedPin& pin : effects.pins()) pins.push_back({100 + pin.row.value, pin.position});
  const std::vector<std::uint32_t> others{0, 1, 2, 3, 4};
  const auto merged = merge_pins(others, pins);
  ASSERT_EQ(merged.size(), others.size() + pins.size());
  std::vector<std::uint32_t> rest;
  for (const std::uint32_t item : merged) {
    if (item < 100) rest.push_back(item);
  }
  ASSERT_EQ(rest, others);
  for (std::size_t i = 0; i < pins.size(); ++i) {
    const auto at = static_cast<std::size_t>(std::ranges::find(merged, pins[i].item) - merged.begin());
    ASSERT_EQ(at + 1, std::min(pins[i].position, others.size() + i + 1));
  }
}

TEST(RulesProperty, AgreeWithAPlainReading) {
  std::size_t acted = 0, pinned = 0, hidden = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const auto articles = rule_catalog(random_articles(random));
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < 12; ++i) rules.push_back(random_rule(random, i));
    auto set = RuleSet::compile(rules);
    ASSERT_TRUE(set) << set.error().message;
    const auto bound = BoundRules::bind(std::make_shared<const RuleSet>(std::move(*set)), *articles);
    ASSERT_TRUE(bound);
    for (int i = 0; i < 30; ++i) {
      const Request request = random_request(random);
      const RuleWords words = *RuleWords::of(request.query);
      const catalog::Bitmap eligible = catalog::eligible(*articles, request.filter);
      const RuleEffects effects = bound->match({.list = request.list, .words = request.query.empty() ? nullptr : &words,
                                                .filter = &request.filter, .now_ms = request.now_ms}, &eligible);
      const Reading reading(rules, *articles, request);
      expect_same(reading, effects, bound->rules(), *articles);
      expect_same_pins(reading, effects, bound->rules());
      ASSERT_FALSE(HasFatalFailure()) << "seed " << seed << ", query \"" << request.query << '"';
      acted += effects.rules().size();
      pinned += effects.pins().size();
      hidden += effects.hides() ? 1U : 0U;
    }
  }
  EXPECT_GT(acted, 1000U);
  EXPECT_GT(pinned, 500U);
  EXPECT_GT(hidden, 100U);
}

}  // namespace
}  // namespace scalestyle::ranking
