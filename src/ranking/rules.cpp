#include "ranking/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace scalestyle::ranking {

namespace {

std::unexpected<core::Error> wrong(std::string_view rule, std::string_view what, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("rule \"{}\": {}", rule, what), std::move(field));
}

std::vector<RulePhrase> phrases_of(const std::vector<std::string>& texts, text::EnglishStemmer& stemmer) {
  std::vector<RulePhrase> phrases;
  for (const std::string& text : texts) phrases.emplace_back(text, stemmer);
  return phrases;
}

}  // namespace

core::Result<RuleSet> RuleSet::compile(std::vector<Rule> rules) {
  if (rules.size() > kMaxRules) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} rules, more than {}", rules.size(), kMaxRules), "rules");
  }
  std::unordered_set<std::string_view> ids;
  std::size_t selectors = 0;
  for (const Rule& rule : rules) {
    if (auto valid = rule.validate(); !valid) return wrong(rule.id, valid.error().message, valid.error().field);
    if (!ids.insert(rule.id).second) return wrong(rule.id, "another rule has this id", "id");
    selectors += rule.boosts.size() + rule.buries.size() + rule.hides.size();
    if (selectors > kMaxRuleSelectors) {
      return wrong(rule.id, fmt::format("up to here the rules boost, bury and hide more than {} times", kMaxRuleSelectors), "then");
    }
  }
  CORE_TRY(text::EnglishStemmer stemmer, text::EnglishStemmer::create());
  RuleSet set;
  set.rules_ = std::move(rules);
  set.conditions_.resize(set.rules_.size());
  for (std::uint32_t rule = 0; rule < set.rules_.size(); ++rule) set.add(rule, stemmer);
  return set;
}

void RuleSet::add(std::uint32_t index, text::EnglishStemmer& stemmer) {
  const Rule& rule = rules_[index];
  if (!rule.enabled) return;
  Condition& condition = conditions_[index];
  condition.is = phrases_of(rule.query.is, stemmer);
  condition.contains = phrases_of(rule.query.contains, stemmer);
  condition.all = phrases_of(rule.query.all, stemmer);
  condition.any = phrases_of(rule.query.any, stemmer);
  for (std::size_t field = 0; field < rule.filters.size(); ++field) {
    for (const std::string& value : rule.filters[field]) condition.filters[field].push_back(catalog::fold_value(value));
  }
  if (rule.query.empty()) {
    without_query_.push_back(index);
    return;
  }
  for (const RulePhrase& phrase : condition.keys()) {
    for (const std::string_view stem : phrase.first_stems()) {
      auto& rules = by_stem_[std::string(stem)];
      if (rules.empty() || rules.back() != index) rules.push_back(index);
    }
  }
}

std::span<const RulePhrase> RuleSet::Condition::keys() const {
  if (!is.empty()) return is;
  if (!contains.empty()) return contains;
  if (!all.empty()) return std::span(all).first(1);
  return any;
}

bool RuleSet::Condition::holds_for(const RuleWords& words) const {
  const auto stands = [&](const RulePhrase& phrase) { return phrase.stands_in(words); };
  const auto is_it = [&](const RulePhrase& phrase) { return phrase.is(words); };
  return (is.empty() || std::ranges::any_of(is, is_it)) && (contains.empty() || std::ranges::any_of(contains, stands)) &&
         std::ranges::all_of(all, stands) && (any.empty() || std::ranges::any_of(any, stands));
}

bool RuleSet::Condition::holds_for(const catalog::Filter* filter) const {
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    const auto& wanted = filters[static_cast<std::size_t>(field)];
    if (wanted.empty()) continue;
    if (filter == nullptr) return false;
    const bool shared = std::ranges::any_of((*filter)[field], [&](const std::string& value) {
      return std::ranges::find(wanted, catalog::fold_value(value)) != wanted.end();
    });
    if (!shared) return false;
  }
  return true;
}

void RuleSet::take(std::string_view stem, std::vector<std::uint32_t>& found) const {
  if (const auto rules = by_stem_.find(stem); rules != by_stem_.end()) {
    found.insert(found.end(), rules->second.begin(), rules->second.end());
  }
}

std::vector<std::uint32_t> RuleSet::acting(const RuleContext& context) const {
  std::vector<std::uint32_t> found = without_query_;
  if (context.words != nullptr && !by_stem_.empty()) {
    for (const RuleWords::Position& position : context.words->positions()) {
      take(position.stem, found);
      if (position.compound_words > 0) take(position.compound_stem, found);
    }
    std::ranges::sort(found);
    found.erase(std::ranges::unique(found).begin(), found.end());
  }
  std::erase_if(found, [&](std::uint32_t index) {
    const Rule& rule = rules_[index];
    if (!rule.on[static_cast<std::size_t>(context.list)]) return true;
    if ((rule.from_ms && context.now_ms < *rule.from_ms) || (rule.until_ms && context.now_ms >= *rule.until_ms)) return true;
    if (!rule.query.empty() && !conditions_[index].holds_for(*context.words)) return true;
    return !conditions_[index].holds_for(context.filter);
  });
  return found;
}

}  // namespace scalestyle::ranking
