#pragma once
// What searches, browsing and trending lists take and give, independent of HTTP.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/filters.hpp"
#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "events/event_position.hpp"
#include "events/features.hpp"
#include "events/impression.hpp"
#include "ranking/behavior_boost.hpp"
#include "ranking/fusion.hpp"
#include "retrieval/lexical_index.hpp"
#include "retrieval/query_understanding.hpp"
#include "search/browse_orders.hpp"
#include "search/degradation.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxQueryCharacters = 500;  // code points
inline constexpr std::size_t kMaxK = 100;
inline constexpr std::size_t kDefaultK = 10;
inline constexpr std::size_t kMaxOffset = 10'000;
inline constexpr std::size_t kMaxSubjectCharacters = 100;
inline constexpr std::size_t kMaxFilterValues = 50;  // of one filter
inline constexpr std::size_t kMaxSwitchedOff = 32;   // pieces and kinds of understanding
inline constexpr std::chrono::milliseconds kMinDeadline{10};
inline constexpr std::chrono::milliseconds kMaxDeadline{10'000};
inline constexpr std::chrono::milliseconds kDefaultDeadline{600};

// What every request for a list has.
struct ListRequest {
  core::RequestId request_id{};
  catalog::Filter filter{};
  std::size_t k = kDefaultK;
  std::size_t offset = 0;
  core::Deadline deadline = core::Deadline::never();
  // For whom: the user, else the session; an empty id is none.
  std::optional<core::UserId> user_id{};
  std::optional<core::SessionId> session_id{};
  bool personalize = true;  // false: the list that everyone gets
  bool explain = false;     // each item says why it is where it is
  // An event of the client's own that should have taken effect: waited for at most 50 ms, within the deadline.
  std::optional<events::EventPosition> after{};
};

// Which legs look for candidates; at least one.
struct LegSet {
  bool lexical = true;
  bool dense = true;

  [[nodiscard]] bool empty() const { return !lexical && !dense; }
};

struct SearchRequest : ListRequest {
  std::string query{};  // UTF-8
  LegSet legs{};
  retrieval::UnderstandingSwitches understanding{};  // what of the query is not to be understood
};

// Every article that passes the filters, in one of the orders of browse_orders.hpp. Only kPopular is personalised.
struct BrowseRequest : ListRequest {
  BrowseSort sort = BrowseSort::kPopular;
};

// The articles that pass the filters and had events in the window, most first.
struct TrendingRequest : ListRequest {
  events::Window window = events::Window::k24h;
};

enum class StageOutcome : std::uint8_t { kOk, kSkipped, kLate, kFailed, kRefused, kCancelled };
[[nodiscard]] std::string_view to_string(StageOutcome outcome);

enum class Stage : std::uint8_t {
  kAdmission,
  kValidate,
  kUnderstand,   // what the query says besides its words
  kFilter,
  kSnapshot,     // the shopper's features, and the wait for `after`; runs beside kLexical, kEmbed and kRetrieve
  kLexical,      // by the query's words
  kEmbed,
  kRetrieve,
  kOrder,        // fusion: of the list before the shopper's own features act
  kFallback,     // popular articles instead of what could not be found
  kPersonalize,
};
inline constexpr std::size_t kStageCount = 11;
[[nodiscard]] std::string_view to_string(Stage stage);

struct StageReport {
  Stage stage = Stage::kAdmission;
  StageOutcome outcome = StageOutcome::kOk;
  std::chrono::nanoseconds took{0};  // waiting included
};

// Whether `total` is the whole pool or the pool was cut.
enum class TotalRelation : std::uint8_t { kEqual, kAtLeast };

// Where the items came from when not from what was asked: another list than the query's (then the answer is degraded),
// or a longer window than the one asked for, which nothing happened in (not degraded: that is the honest answer).
enum class FallbackSource : std::uint8_t { kCached, kPopular24h, kPopular7d, kGlobalPopular };
inline constexpr std::size_t kFallbackSourceCount = 4;
// "cached", "popular_24h", "popular_7d", "global_popular"
[[nodiscard]] std::string_view to_string(FallbackSource source);

// Something that was read out of the query or is in force for it.
struct Understood {
  std::string field;   // "colour", "price" …; "correction", "synonym" … of words; "note": why something stayed text
  std::string value;
  std::string origin;  // "query" or "filter"
  std::string id{};      // "colour:light-blue": what understand_without takes; of a note its reason
  std::string text{};    // the words of the query
  std::string effect{};  // "filter", "prefer", "exclude" or "dropped"; empty for words and notes
  std::string why{};     // of what was dropped: "explicit_filter", "nothing_left"
};

// Why an item is where it is.
struct ItemExplanation {
  struct LegPlace {
    ranking::Leg leg = ranking::Leg::kLexical;
    std::size_t rank = 0;  // in the leg, from 1
    double score = 0;      // as the leg gave it: BM25F, or cosine
  };
  std::vector<LegPlace> legs{};  // those that found it
  bool is_named = false;         // its id or product code is in the query
  double base_score = 0;         // before the shopper's features acted
  struct Met {
    std::string id;
    float credit = 0;  // (0, 1]
  };
  std::vector<Met> met{};                // what the query asks for and the item has, where something was understood
  std::optional<float> preference{};     // share of what the query prefers that it meets; absent: nothing is preferred
  std::vector<retrieval::TermExplanation> terms{};  // what the lexical score is made of
};

struct AnswerItem {
  catalog::ArticleView article;  // valid while the answer's generation is held
  double score = 0;              // orders the page; (0, 1] before any boost, at most 3 after it
  std::optional<double> behavior_score{};  // score − what it was without the shopper's features; set when they acted
  std::size_t rank = 0;          // from 1, over all pages
  std::string_view reason{};     // what acted most: "recent_click", "category_affinity", "online_popularity"; or empty
  ranking::BoostParts boost{};   // the factors of the shopper's features; all 1 when they did not act
  std::shared_ptr<const ItemExplanation> explanation{};  // null unless asked for
};

struct SearchAnswer {
  core::RequestId request_id{};
  std::chrono::nanoseconds took{0};
  std::vector<DegradationReason> degradations{};  // empty: not degraded
  std::optional<FallbackSource> fallback_source{};
  std::vector<StageReport> stages{};
  std::vector<Understood> understood{};
  std::optional<std::int64_t> freshness_ms{};  // age of the newest event, of anyone's, that has taken effect
  std::optional<bool> after_reached{};         // set when the request had `after`
  bool personalized = false;                   // the shopper's features were read and used
  std::vector<events::ExperimentArm> experiments{};  // the arms that the subject is in
  std::size_t total = 0;
  TotalRelation total_relation = TotalRelation::kEqual;
  std::vector<AnswerItem> items{};
  std::shared_ptr<const ServingGeneration> generation{};  // what `items` point into
};

// No answer at all. `reason` is set unless the request itself was wrong.
struct SearchFailure {
  core::Error error{};
  std::optional<DegradationReason> reason{};
  std::vector<StageReport> stages{};
};

using SearchOutcome = std::expected<SearchAnswer, SearchFailure>;

}  // namespace scalestyle::search
