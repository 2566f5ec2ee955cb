#pragma once
// One merchandising rule as its file says it (docs/formats/rules.md): when it acts, and what it does. Plain data.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/filters.hpp"
#include "core/result.hpp"

namespace scalestyle::ranking {

inline constexpr std::size_t kMaxRules = 1'000;
inline constexpr std::size_t kMaxRuleIdBytes = 64;
inline constexpr std::size_t kMaxRuleSelectors = 2'000;    // of all rules of a set together; each may hold a bit a row
inline constexpr std::size_t kMaxRuleArticles = 1'000;     // article ids and product codes of one rule
inline constexpr std::size_t kMaxRuleValues = 50;          // of one attribute
inline constexpr std::size_t kMaxRulePhrases = 50;         // of one condition on the query
inline constexpr std::size_t kMaxRulePhraseWords = 16;
inline constexpr std::size_t kMaxRedirectBytes = 2'000;
inline constexpr std::size_t kMaxPinPosition = 100;
inline constexpr double kLeastRuleFactor = 0.1;            // of one rule, and of all that act on an article
inline constexpr double kGreatestRuleFactor = 10;

// The lists that rules act on.
enum class RuleList : std::uint8_t { kSearch, kBrowse, kTrending, kForYou, kSimilar };
inline constexpr std::array<RuleList, 5> kRuleLists{RuleList::kSearch, RuleList::kBrowse, RuleList::kTrending, RuleList::kForYou,
                                                    RuleList::kSimilar};
[[nodiscard]] std::string_view to_string(RuleList list);  // "search", "browse", "trending", "for_you", "similar"

// What the query must be; all that is given must hold. Phrases are compared as rule_words.hpp says.
struct QueryCondition {
  std::vector<std::string> is{};        // the whole query is one of these
  std::vector<std::string> contains{};  // one of these stands in it, its words side by side and in this order
  std::vector<std::string> all{};       // each of these stands in it, in any order
  std::vector<std::string> any{};       // one of these stands in it

  [[nodiscard]] bool empty() const { return is.empty() && contains.empty() && all.empty() && any.empty(); }
};

// Which articles, available or not; all that is given must hold.
struct RuleSelector {
  std::vector<catalog::ArticleId> article_ids{};
  std::vector<std::string> product_codes{};  // one of the ids, or of a product of one of the codes
  catalog::Filter filter{};
  std::optional<bool> has_image{};
  std::string name{};  // its words stand side by side in the article's name; empty: any name

  [[nodiscard]] bool empty() const {
    return article_ids.empty() && product_codes.empty() && filter.empty() && !has_image && name.empty();
  }
};

struct RulePin {
  std::optional<catalog::ArticleId> article_id{};  // this variant, or
  std::string product_code{};                      // whichever variant of this product stands for it in the list
  std::size_t position = 0;                        // 1 … kMaxPinPosition
};

struct RuleFactor {
  RuleSelector selector{};
  double factor = 1;
};

// Where the shopper should rather go: exactly one of the two.
struct RuleRedirect {
  std::string url{};    // "https://…", "http://…" or "/…"
  std::string query{};  // another query

  friend bool operator==(const RuleRedirect&, const RuleRedirect&) = default;
};

struct Rule {
  std::string id{};
  bool enabled = true;
  QueryCondition query{};
  std::array<std::vector<std::string>, catalog::kFilterFieldCount> filters{};  // the request filters by one of each
  std::optional<std::int64_t> from_ms{};   // Unix time of the first moment
  std::optional<std::int64_t> until_ms{};  // Unix time of the first moment after
  std::array<bool, kRuleLists.size()> on{true, true, true, true, true};

  std::vector<RulePin> pins{};
  std::vector<RuleFactor> boosts{};
  std::vector<RuleFactor> buries{};
  std::vector<RuleSelector> hides{};
  std::optional<RuleRedirect> redirect{};

  // kInvalidArgument with the member as field ("then.boost[0].factor"): something is out of its limits, empty where it
  // must not be, or asked for on a list where it cannot be.
  [[nodiscard]] core::Status validate() const;
};

}  // namespace scalestyle::ranking
