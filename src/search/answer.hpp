#pragma once
// What searches, browsing and trending lists take and give, independent of HTTP (recommendation.hpp: lists for one shopper
// and like one article).

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
#include "search/facet.hpp"
#include "search/search_sort.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxQueryCharacters = 500;  // code points
inline constexpr std::size_t kMaxK = 100;
inline constexpr std::size_t kDefaultK = 10;
inline constexpr std::size_t kMaxOffset = 10'000;
inline constexpr std::size_t kMaxSubjectCharacters = 100;
inline constexpr std::size_t kMaxFilterValues = 50;  // of one filter
inline constexpr std::size_t kMaxVariants = 32;      // shown of one item
inline constexpr std::size_t kMaxSwitchedOff = 32;   // pieces and kinds of understanding
inline constexpr std::size_t kMaxLessLikeCharacters = 500;
inline constexpr std::chrono::milliseconds kMinDeadline{10};
inline constexpr std::chrono::milliseconds kMaxDeadline{10'000};
inline constexpr std::chrono::milliseconds kDefaultDeadline{600};

// What says of each item why it is there.
enum class ReasonMode : std::uint8_t {
  kTemplate,  // one sentence from what is known (reason_text.hpp)
  kLlm,       // a language model's for the first items, as far as the time goes (reason_service.hpp); the others as above
  kNone,
};

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
  ReasonMode reasons = ReasonMode::kTemplate;
  bool collapse = true;     // one item a product; false: one an article
  FacetSet facets{};
  // How many items of one product type and of one section a window of the list may have, 0: any number (see
  // ranking/diversity.hpp); what is absent is the service's default. A list that a column sorts is left as it is.
  std::optional<std::size_t> max_per_type{};
  std::optional<std::size_t> max_per_section{};
  std::optional<std::size_t> diversity_window{};
  std::string cursor{};  // SearchAnswer::cursor of the page before; not together with an offset
  // An event of the client's own that should have taken effect: waited for at most 50 ms, within the deadline.
  std::optional<events::EventReference> after{};
};

// Which legs look for candidates; at least one.
struct LegSet {
  bool lexical = true;
  bool dense = true;
  bool image = false;  // the query's words in the space of pictures; needs vision

  [[nodiscard]] bool empty() const { return !lexical && !dense && !image; }
};

// kImageToImage   photos like the picture
// kTextToImage    photos that the query describes
// kMultimodal     one point between both: image_weight · picture + text_weight · query: "like this, but red"
// kHybrid         two searches at once, by the query as without a picture and by the picture; each side's scores are scaled to
//                 [0, 1] and added by their weights, then a cross-encoder reorders the list as it does any query's
enum class VisualMode : std::uint8_t { kImageToImage, kTextToImage, kMultimodal, kHybrid };
inline constexpr std::size_t kVisualModeCount = 4;
// "image_to_image", "text_to_image", "multimodal", "hybrid"
[[nodiscard]] std::string_view to_string(VisualMode mode);
[[nodiscard]] std::optional<VisualMode> visual_mode(std::string_view name);

// What to look for in the photos of articles. A picture, `image` or `article`, is needed by all modes but kTextToImage, which
// has none; the request's query by all but kImageToImage, where it only narrows by what it says that articles must be.
struct VisualQuery {
  VisualMode mode = VisualMode::kImageToImage;
  std::shared_ptr<const std::string> image{};    // bytes of a JPEG, PNG or WebP file; null: none
  std::optional<catalog::ArticleId> article{};   // whose photo is the picture; it is left out itself, its variants are not
  std::string less_like{};                       // words that what is found should have less of; not of kHybrid
  // Of kMultimodal and kHybrid: at least 0, not both 0, scaled to sum 1. 0 skips the side: then the picture or the query is not
  // needed, and not used.
  double text_weight = 0.5;
  double image_weight = 0.5;
  std::string image_hash{};  // SHA-256 of `image`, hex: the service sets it
};

// Whether a cross-encoder reorders the list, where one is installed, and how deep.
struct RerankWish {
  bool enabled = true;
  std::optional<std::size_t> depth{};  // 1 … ranking::kMaxRerankDepth; absent: what the machine affords
};

struct SearchRequest : ListRequest {
  std::string query{};  // UTF-8
  LegSet legs{};
  RerankWish rerank{};
  SearchSort sort = SearchSort::kRelevance;
  retrieval::UnderstandingSwitches understanding{};  // what of the query is not to be understood
  std::optional<VisualQuery> visual{};               // absent: by the query alone
};

// Every article that passes the filters, in one of the orders of browse_orders.hpp. Only kPopular is personalised.
struct BrowseRequest : ListRequest {
  BrowseSort sort = BrowseSort::kPopular;
};

// kPopular: most events first. kRising: most more than before first (ranking/rising.hpp).
enum class TrendingOrder : std::uint8_t { kPopular, kRising };

// The articles that pass the filters and had events in the window. There is nothing to compare k7d with: it does not rise.
struct TrendingRequest : ListRequest {
  events::Window window = events::Window::k24h;
  TrendingOrder order = TrendingOrder::kPopular;
};

// Where the ranked list came from.
enum class ListSource : std::uint8_t {
  kMade,    // for this request
  kShared,  // for another request for the same, made at the same time
  kKept,    // earlier
  kOlder,   // from the generation before, while the new list is made
};
inline constexpr std::size_t kListSourceCount = 4;
[[nodiscard]] std::string_view to_string(ListSource source);  // "made", "shared", "kept", "older"

enum class StageOutcome : std::uint8_t { kOk, kSkipped, kLate, kFailed, kRefused, kCancelled };
[[nodiscard]] std::string_view to_string(StageOutcome outcome);

enum class Stage : std::uint8_t {
  kAdmission,
  kValidate,
  kList,         // look-up of the ranked list among those kept, or the wait for one that is being made; for a worker too
  kUnderstand,   // what the query says besides its words
  kFilter,
  kSnapshot,     // the shopper's features, and the wait for `after`; runs beside kLexical, kEmbed and kRetrieve
  kLexical,      // by the query's words
  kEmbed,
  kRetrieve,
  kEmbedImage,     // the picture, and words in the space of pictures; runs beside the three above
  kRetrieveImage,
  kOrder,        // fusion: of the list before the shopper's own features act
  kRerank,       // by a cross-encoder; skipped where none is installed, none is wanted or there is nothing to reorder
  kFallback,     // popular articles instead of what could not be found
  kRules,        // merchandising rules; skipped where none acts
  kPersonalize,
  kPage,         // variants, facets, the cursor of the next page
  kReasons,      // why each item is there; late: a language model was to say it of more items; skipped where none is wanted
};
inline constexpr std::size_t kStageCount = 18;
[[nodiscard]] std::string_view to_string(Stage stage);

struct StageReport {
  Stage stage = Stage::kAdmission;
  StageOutcome outcome = StageOutcome::kOk;
  std::chrono::nanoseconds took{0};  // waiting included
  core::SteadyTime ended{};
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

// What a merchandising rule did to an item.
struct RuleOnItem {
  std::string rule;          // its id
  std::string_view does;     // "boost", "bury" or "hide"
  double factor = 1;         // of a boost or bury
};

// The merchandising rules that act on a request.
struct ActingRules {
  struct Redirect {
    std::string url;    // one of the two is empty
    std::string query;
    std::string rule;
  };
  struct SkippedPin {
    std::string rule;
    std::string target;      // article id or product code
    std::size_t position = 0;
    std::string_view reason;
  };
  std::vector<std::string> ids{};  // in the order of their file
  std::optional<Redirect> redirect{};
  std::vector<SkippedPin> skipped_pins{};
};

// Why an item is where it is.
struct ItemExplanation {
  struct LegPlace {
    ranking::Leg leg = ranking::Leg::kLexical;
    std::size_t rank = 0;  // in the leg, from 1
    double score = 0;      // as the leg gave it: BM25F, or cosine (of dense and image)
  };
  std::vector<LegPlace> legs{};  // those that found it
  bool is_named = false;         // its id or product code is in the query
  struct CrossEncoder {
    double score = 0;  // (0, 1]
    double logit = 0;
  };
  std::optional<CrossEncoder> cross_encoder{};  // where the cross-encoder judged it
  double fused_score = 0;        // of words and meaning together
  double base_score = 0;         // before the shopper's features acted
  double rule_factor = 1;        // that is in base_score
  std::vector<RuleOnItem> rules{};
  struct Met {
    std::string id;
    float credit = 0;  // (0, 1]
  };
  std::vector<Met> met{};                // what the query asks for and the item has, where something was understood
  std::optional<float> preference{};     // share of what the query prefers that it meets; absent: nothing is preferred
  std::vector<retrieval::TermExplanation> terms{};  // what the lexical score is made of
  struct SourceShare {
    std::string_view source;  // to_string(ranking::Source)
    double score = 0;         // (0, 1]: what the source gave it
    double weight = 0;        // of the source, as set
  };
  std::vector<SourceShare> sources{};  // of a recommendation: those that have it; fused_score is their blend
  struct LookPart {
    std::string_view source;  // to_string(ranking::LookSource)
    double together = 0;      // (0, 1]: how much it was bought or chosen with the article; of popular ones their popularity
    double colour = 0;        // (0, 1]: how well the colours go together
  };
  std::optional<LookPart> look{};      // of an article that completes a look
  struct Rising {
    double now = 0;     // weighted events of the window
    double before = 0;  // of the time before it, `lengths` times as long
    double lengths = 1;
    double ratio = 1;   // smoothed
  };
  std::optional<Rising> rising{};
  struct Learned {
    std::string ranker;  // its id
    double score = 0;    // (0, 1]; above 0.5 where its trees judged the article
  };
  std::optional<Learned> learned{};  // where a learned ranker ordered the list
};

// Another available article of an item's product.
struct Variant {
  catalog::ArticleView article;
  bool matches = false;  // passes the filters
};

// Who worded an item's reason.
enum class ReasonSource : std::uint8_t { kTemplate, kLlm };
[[nodiscard]] std::string_view to_string(ReasonSource source);  // "template", "llm"

struct AnswerItem {
  catalog::ArticleView article;  // valid while the answer's generation is held
  double score = 0;              // orders the page, but for pins; (0, 1], up to 10 where rules boost it, at most 3 times that after
                                 // the shopper's features
  std::optional<double> behavior_score{};  // score − what it was without the shopper's features; set when they acted
  std::size_t rank = 0;          // from 1, over all pages
  std::string_view slot{};       // of a look: which part of it; valid while the answer's generation is held
  std::string pinned_by{};       // the id of the merchandising rule that put it there; empty: none
  std::optional<double> exploration{};  // it was drawn to be shown there, and had this chance before the draw
  std::string reason{};          // one true sentence: why it is there; empty when none was wanted
  ReasonSource reason_source = ReasonSource::kTemplate;
  std::string_view boosted_by{}; // what acted most: "recent_click", "category_affinity", "online_popularity"; or empty
  ranking::BoostParts boost{};   // the factors of the shopper's features; all 1 when they did not act
  // Of a search by picture: what each side gave it, scaled to [0, 1] over what that side found; 0 where it did not find it.
  // Absent: there was no such side, or it is not known any more.
  std::optional<double> text_score{};
  std::optional<double> image_score{};
  std::shared_ptr<const ItemExplanation> explanation{};  // null unless asked for
  // Where the list is collapsed: those that match first, then by article id; at most kMaxVariants of variants_total.
  std::vector<Variant> variants{};
  std::size_t variants_total = 0;
};

// How far a cross-encoder got.
struct RerankReport {
  std::string model{};
  std::string precision{};
  std::size_t scored = 0;   // of `planned` rows
  std::size_t planned = 0;
  std::size_t cached_pairs = 0;  // of the scored ones
};

// How far a language model got with the reasons.
struct ReasonReport {
  std::string model{};
  std::string precision{};   // empty: not told
  std::size_t planned = 0;   // items
  std::size_t written = 0;   // of these, by the model now or before; the others have the template's
  std::size_t cached = 0;    // of the written ones, before
  std::size_t refused = 0;   // the model said what the data do not
};

// What one source of a recommendation gave.
struct SourceReport {
  std::string_view source;  // to_string(ranking::Source), of a look to_string(ranking::LookSource)
  StageOutcome outcome = StageOutcome::kOk;  // kSkipped: it has nothing to go by, or the time was short
  std::size_t articles = 0;
};

// Which order a list for one shopper has, where rankers are looked for (recommend/ranker_file.hpp).
struct RankerReport {
  std::string id{};  // of the learned ranker; empty: the blend's order
  std::string why{};
};

struct SearchAnswer {
  core::RequestId request_id{};
  std::chrono::nanoseconds took{0};
  std::vector<DegradationReason> degradations{};  // empty: not degraded
  std::optional<FallbackSource> fallback_source{};
  std::vector<StageReport> stages{};
  std::optional<ListSource> list_source{};  // of a query's list
  std::vector<Understood> understood{};
  std::vector<SourceReport> sources{};   // of a recommendation
  std::optional<RankerReport> ranker{};  // of a list for one shopper, when an explanation was asked for
  std::optional<RerankReport> rerank{};  // where a cross-encoder reordered the list, or was to
  std::optional<RerankReport> first_rerank{};  // of the smaller one before it, where there are two
  std::optional<ReasonReport> reasons{};       // where a language model was to word reasons
  std::optional<std::int64_t> freshness_ms{};  // age of the newest event, of anyone's, that has taken effect
  std::optional<bool> after_reached{};         // set when the request had `after`
  bool personalized = false;                   // the shopper's features were read and used
  std::vector<events::ExperimentArm> experiments{};  // the arms that the subject is in
  ActingRules rules{};
  bool collapsed = true;       // items are products, each shown as its best variant
  std::size_t total = 0;       // items in the whole list
  TotalRelation total_relation = TotalRelation::kEqual;
  std::vector<AnswerItem> items{};
  std::optional<Facets> facets{};  // when asked for
  std::string cursor{};            // of the next page; empty when there is none
  std::shared_ptr<const ServingGeneration> generation{};  // what `items` point into
};

// No answer at all. `reason` is set unless the request itself was wrong.
struct SearchFailure {
  core::Error error{};
  std::optional<DegradationReason> reason{};
  std::vector<StageReport> stages{};
  bool expired = false;  // the cursor was good once: begin again at the first page
  // The request's picture cannot be read (field "image"): kInvalidArgument (damaged), kUnsupported (no known format) or
  // kResourceExhausted (larger than the limits allow; smaller pictures are welcome at once).
  bool picture_refused = false;
};

using SearchOutcome = std::expected<SearchAnswer, SearchFailure>;

}  // namespace scalestyle::search
