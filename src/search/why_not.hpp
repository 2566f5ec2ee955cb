#pragma once
// Why one article is not on the page that a search gives: what is known of its way through the pipeline, and the first
// thing on that way which keeps it off.
//
// Ranks are from 1. Those of the stages are of the article's item (its product, where the list is collapsed), counted as an
// answer counts them; those of the legs are of the article itself, among the eligible rows.
// Plain values; the functions are pure and safe from any thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "ranking/behavior_boost.hpp"
#include "ranking/fusion.hpp"
#include "search/answer.hpp"
#include "search/degradation.hpp"

namespace scalestyle::search {

struct WhyNotRequest : SearchRequest {  // `explain` and `facets` are of no account
  std::string article_id{};
};

// In the order in which they are looked for.
enum class WhyNotCause : std::uint8_t {
  kUnknownArticle,
  kRemoved,        // since the generation was made
  kUnavailable,    // for sale no more, or not now
  kFiltered,       // by the request's filters, or by what its query says besides its words
  kHiddenByRule,
  kNotRecalled,    // no leg has it in its pool
  kAlreadyShown,   // on a page before, as the cursor says
  kCollapse,       // another variant stands for its product
  // The last step that took it from the places up to the end of the page to one behind.
  kFusion,
  kRerank,
  kSort,
  kRules,          // boosts and buries, or articles pinned before it
  kBoost,          // what others owe to the shopper's features
  kDiversity,      // deferred
  kPaging,         // none did: it is on another page
};
inline constexpr std::size_t kWhyNotCauseCount = 15;
// "unknown_article", "removed", "unavailable", "filtered", "hidden_by_rule", "not_recalled", "already_shown", "collapse",
// "fusion", "rerank", "sort", "rules", "boost", "diversity", "paging"
[[nodiscard]] std::string_view to_string(WhyNotCause cause);

// One leg that the request asks for.
struct WhyNotLeg {
  ranking::Leg leg = ranking::Leg::kLexical;
  bool searched = false;    // false: it was left out, or failed; see the stages
  bool recalled = false;    // it is in the leg's pool; of the lexical one also where the query names it
  std::optional<std::size_t> rank{};           // also where it is not recalled; absent: not known, or nothing matches
  std::optional<std::size_t> rank_at_least{};  // where the rank is not known
  std::optional<double> score{};               // as the leg gives it: BM25F (0: no word matches), or cosine
  std::optional<std::size_t> item_rank{};      // where it is recalled: as the ranks of the stages, in this leg alone
};

struct WhyNotFacts {
  std::vector<std::string> filters_failed{};  // parameters
  std::vector<std::string> pieces_failed{};   // what the query says besides its words: ids, as understand_without takes them
  std::vector<WhyNotLeg> legs{};
  bool is_named = false;                      // its id or product code is in the query
  std::size_t pool = 0;                       // rows that were found
  std::optional<double> fused_score{};        // where it is recalled
  std::optional<ItemExplanation::CrossEncoder> cross_encoder{};  // where it was judged
  // Ranks after each step; absent where the article is not in the list, or the step did nothing to it.
  std::optional<std::size_t> fused_rank{};
  std::optional<std::size_t> reranked_rank{};
  std::optional<std::size_t> sorted_rank{};
  std::optional<std::size_t> ruled_rank{};
  std::optional<std::size_t> personal_rank{};
  std::optional<std::size_t> pinned_rank{};   // with pinned articles, this one or others, at their places
  std::optional<std::size_t> diverse_rank{};
  std::vector<RuleOnItem> rules{};            // boosts, buries and hides that act on it
  std::string pinned_by{};                    // the rule that puts it where it is
  std::vector<ActingRules::SkippedPin> skipped_pins{};  // of it
  double rule_factor = 1;
  ranking::BoostParts boost{};
  std::optional<double> score{};              // that orders the page
  std::string collapsed_into{};               // the variant of its product that is in the list
  std::optional<std::size_t> page_offset{};   // of the page that shows it; absent: none does, or not by an offset
};

struct WhyNot {
  core::RequestId request_id{};
  std::chrono::nanoseconds took{0};
  std::string article_id{};                // canonical
  bool on_page = false;
  std::optional<std::size_t> rank{};       // of its item in the whole list
  std::optional<WhyNotCause> cause{};      // absent when it is on the page
  std::string detail{};                    // the same for people
  WhyNotFacts facts{};
  std::vector<DegradationReason> degradations{};  // of the search
  std::vector<StageReport> stages{};
};

using WhyNotOutcome = std::expected<WhyNot, SearchFailure>;

// The page that was asked for, and what it makes of an article.
struct WhyNotPage {
  std::size_t before = 0;  // ranks up to this one come before the page
  std::size_t end = 0;     // ranks behind this one come after it
  bool is_hidden = false;  // a rule hides the article
  bool is_listed = false;  // it is in the list that the page is cut from
  bool is_shown_before = false;  // the cursor says that its item was
};

// Sets on_page, cause and detail from the article's rank and facts, for an article that the filters let pass.
void conclude(const WhyNotPage& page, WhyNot& why);
// The same for one that no list can have. `cause` is one of the first four.
void conclude(WhyNotCause cause, WhyNot& why);

}  // namespace scalestyle::search
