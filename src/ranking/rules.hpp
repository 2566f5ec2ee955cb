#pragma once
// RuleSet: merchandising rules made ready, and which of them act on a request. BoundRules (bound_rules.hpp) tells what
// they do to a catalogue's articles.
//
// Rules are found by the words of the query, so that a request pays for the rules that may be its own, not for all.
// Immutable: safe to read from any thread. To reload, compile anew and swap the object.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/filters.hpp"
#include "core/result.hpp"
#include "ranking/rule.hpp"
#include "ranking/rule_words.hpp"

namespace scalestyle::ranking {

// What a request is, for rules. The pointers may be null: no query, no filter.
struct RuleContext {
  RuleList list = RuleList::kSearch;
  const RuleWords* words = nullptr;
  const catalog::Filter* filter = nullptr;
  std::int64_t now_ms = 0;  // Unix time
};

class RuleSet {
 public:
  RuleSet() = default;

  // kInvalidArgument: a rule is not valid, two have one id, or there are too many rules or selectors. The message begins
  // with the rule's id; field is the member.
  [[nodiscard]] static core::Result<RuleSet> compile(std::vector<Rule> rules);

  // In the order of the file; those that are not enabled too.
  [[nodiscard]] std::span<const Rule> rules() const { return rules_; }
  [[nodiscard]] bool empty() const { return rules_.empty(); }

  // The rules that act, by index into rules(), ascending.
  [[nodiscard]] std::vector<std::uint32_t> acting(const RuleContext& context) const;

 private:
  struct Condition {
    std::vector<RulePhrase> is;
    std::vector<RulePhrase> contains;
    std::vector<RulePhrase> all;
    std::vector<RulePhrase> any;
    std::array<std::vector<std::string>, catalog::kFilterFieldCount> filters;  // folded

    [[nodiscard]] bool holds_for(const RuleWords& words) const;
    [[nodiscard]] bool holds_for(const catalog::Filter* filter) const;
    // The phrases one of which is in every query that the condition holds for.
    [[nodiscard]] std::span<const RulePhrase> keys() const;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void add(std::uint32_t rule, text::EnglishStemmer& stemmer);
  void take(std::string_view stem, std::vector<std::uint32_t>& found) const;

  std::vector<Rule> rules_;
  std::vector<Condition> conditions_;  // one a rule
  std::vector<std::uint32_t> without_query_;
  std::unordered_map<std::string, std::vector<std::uint32_t>, Hash, std::equal_to<>> by_stem_;
};

}  // namespace scalestyle::ranking
