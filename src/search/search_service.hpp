#pragma once
// SearchService: one list from request to page: what a query finds, what can be browsed, what is popular now.
//
// search:   admission → validate → understand the query (query_reading.hpp) → eligible set (filters, and what the query says
//           that articles must be) → by words (BM25F) and by meaning (embed the query, find the nearest rows), each inside
//           the eligible set → fuse → rerank (reranker.hpp) → personalise → page. The pool is each leg's best
//           `pool_size` eligible rows, united; `total` and pages are defined on it. ranking/fusion.hpp gives scores in (0, 1], on
//           which factors of 1 and more act without demoting anything. A query that is nothing but ids or product codes
//           is answered by those articles alone; one that only says what articles must be ("under 20") by all of them, by
//           popularity.
// browse:   every eligible row, in a fixed order or by all-time popularity. trending: by what happened in a window.
//           Scores of popular lists: see popular_list.hpp.
//
// for_you:  several sources of candidates (for_you_sources.hpp, near_rows.hpp), blended by ranking/for_you.hpp. similar: the same
//           for what is like one article.
//
// complete_the_look: what was bought or chosen with one article, one of each part of an outfit (ranking/look.hpp).
//
// Merchandising rules (list_rules.hpp) act on whatever list was made: what they hide is not in it, what they boost or bury moves,
// and at last pinned articles are put where they belong.
//
// The shopper's features are read beside the retrieval and act on the best 1,000 rows (personalizer.hpp). Without a
// subject a list is exactly what everybody gets. Whatever made the list, a page of it is cut in the same way
// (list_page.hpp): rows that are not available are left out, the variants of a product become one item, what a cursor
// says was shown is passed over, a limit on types and sections may defer items. A list that a column sorts is bent by nothing.
//
// What a query finds is ranked once for everybody: kept for the next (ranked_list_cache.hpp), and made once for all who
// ask for it at the same time. `explain` has it made anew.
//
// A search by picture (SearchRequest::visual) runs through the same steps. The legs are then the query's, the photos' or both: by the
// picture alone (and words that move it) there is one leg, whose cosines are scaled to (0, 1] over what it found; a hybrid search
// has two sides, recalled at once and blended (ranking/side_blend.hpp) before the cross-encoder reads the query. Only a search
// with a text side is reranked. An article whose own photo is the picture is left out; its variants are not.
//
// At the door (door.hpp) requests are refused above a limit that follows how long they take; while most of it is in use, work is left
// out (brownout.hpp): each request is told what, and its answer says so.
//
// The ladder: where the query cannot be looked up by meaning, what its words find is served, marked with the reason; where
// they find nothing, or were not to be looked for, the last list kept for the query, marked stale; else popular articles within the filters, with `fallback_source`. The
// retrieval's own deadline is a little before the request's, so that this still fits. A hybrid search that loses one side is
// answered by the other; a picture alone has no words to fall back to. Steps of this that SearchOptions::fallback leaves out are passed
// over; where none is left the search fails. What is refused for lack of capacity is not answered
// otherwise, nor what is wrong with the request itself: a picture that cannot be read, an article without a photo.
//
// Thread safety: every method may be called from any thread. Must outlive every request; destroy it after the pool's and
// the timers' threads have ended.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/feature_store.hpp"
#include "ports/image_encoder.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"
#include "ranking/diversity.hpp"
#include "ranking/fusion.hpp"
#include "ranking/rule.hpp"
#include "retrieval/lexical_options.hpp"
#include "search/answer.hpp"
#include "search/dense_retriever.hpp"
#include "search/door.hpp"
#include "search/fallback_steps.hpp"
#include "search/list_page.hpp"
#include "search/look_request.hpp"
#include "search/near_rows.hpp"
#include "search/page_cursor.hpp"
#include "search/pair_score_cache.hpp"
#include "search/personalizer.hpp"
#include "search/picture_retriever.hpp"
#include "search/popular_list.hpp"
#include "search/ranked_list_cache.hpp"
#include "search/recommendation.hpp"
#include "search/search_metrics.hpp"
#include "search/shopper_read.hpp"
#include "search/single_flight.hpp"
#include "search/snapshot_holder.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::recommend {
class LiveNeighbours;
class RankerFile;
class Popularity;
}  // namespace scalestyle::recommend

namespace scalestyle::search {

class Experiments;
class FrequentQueries;
class ImpressionRecorder;
class ReasonService;
class Reranker;
class RuleFile;
class SynonymFile;
struct LegRows;
struct OrderedList;
struct ArticleReason;
struct Progress;
struct ReasonRequest;
struct ReasonScope;
struct RecommendedList;
struct WhyNot;
struct WhyNotRequest;

struct SearchOptions {
  std::string query_prefix{};            // put before every query text; what the model's card asks for
  std::size_t pool_size = 1000;          // of each leg; 1 … 16,384
  // For embedding a query and searching by meaning, where its words have another answer; of a request with the default deadline,
  // in proportion more where there is more time. 1 … 10,000
  std::chrono::milliseconds retrieval_budget{250};
  std::size_t max_in_progress = 256;     // requests; more are refused: the ceiling of the limit at the door
  DoorOptions door{};
  std::size_t picture_cache_bytes = std::size_t{16} << 20;  // vectors of pictures that were looked for; 0: none is kept
  ListCacheOptions list_cache{};
  DenseRetriever::Options dense{};
  retrieval::LexicalQueryOptions lexical{};
  ranking::FusionOptions fusion{};
  PersonalizationOptions personalization{};
  ranking::DiversityLimits diversity{};  // of requests that do not say; not active by default
  CursorOptions cursor{};
  FallbackSteps fallback{};              // what may stand in for a search that cannot be answered
  RecommendationOptions recommendation{};

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

class SearchService {
 public:
  struct Dependencies {
    const SnapshotHolder& generations;
    ports::TextEncoder& encoder;
    ports::VectorIndex& index;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    ports::FeatureStore* features = nullptr;       // null: nothing is personalised, `after` is never reached
    bool features_in_redis = false;                // its failures are told as those of Redis
    recommend::Popularity* popularity = nullptr;   // null: no popular lists: browse by popularity and trending are
                                                   // unavailable, a search that fails has nothing to fall back to
    const recommend::LiveNeighbours* live_neighbours = nullptr;  // what is done together now; null: nobody learns it
    const recommend::RankerFile* ranker = nullptr;    // the learned order of a list for one shopper; null: the blend's
    const ImpressionRecorder* impressions = nullptr;  // null: answers are not noted; nor are those without a request id
    const Experiments* experiments = nullptr;      // null: none
    const SynonymFile* synonyms = nullptr;         // null: none
    Reranker* reranker = nullptr;                  // null: lists stay as fused, which is no degradation
    const RuleFile* rules = nullptr;               // merchandising rules; null: none
    FrequentQueries* queries = nullptr;            // counts what is asked and found; null: nobody does
    // Null, both or none: searches by picture, and the image leg, are unavailable. The index is the one that `generations` opens.
    ports::ImageEncoder* images = nullptr;
    ports::VectorIndex* image_index = nullptr;
    ReasonService* reasons = nullptr;              // a language model's; null: ReasonMode::kLlm is unavailable
    RecallSampler* recall = nullptr;               // of the vectors of texts; null: nobody compares
  };

  // `options` must be valid.
  SearchService(Dependencies dependencies, SearchOptions options);
  SearchService(const SearchService&) = delete;
  SearchService& operator=(const SearchService&) = delete;

  // Failures: without a reason, kInvalidArgument with the parameter as field (the request is wrong; see also
  // SearchFailure::picture_refused), kNotFound (field "article": it is none, or has no photo), kCancelled, or
  // kUnavailable (no generation yet; field "mode" or "legs": no pictures here); with DOWNSTREAM_CAPACITY_REJECTED (a limit was reached); with INFERENCE_TIMEOUT,
  // INFERENCE_UNAVAILABLE or RETRIEVAL_UNAVAILABLE (nothing can answer the query, and no popular list is at hand).
  [[nodiscard]] core::Task<SearchOutcome> search(SearchRequest request);

  // Failures: as search(), without those of its last line; kUnavailable without popular lists, where they are needed.
  [[nodiscard]] core::Task<SearchOutcome> browse(BrowseRequest request);

  // A window in which nothing happened inside the filters gives way to the next longer one and at last to all-time
  // popularity; `fallback_source` names what was served instead.
  [[nodiscard]] core::Task<SearchOutcome> trending(TrendingRequest request);

  // What one shopper is shown without asking: their own items, what goes with them and what is popular, blended. Who is not known
  // gets what is popular; `fallback_source` names the window. Failures: as browse(), but that popularity is not needed.
  [[nodiscard]] core::Task<SearchOutcome> for_you(ForYouRequest request);

  // What is like one article: by text, by picture, and by what was bought with it. A source that fails is left out and named;
  // where nothing else found anything, popular articles stand in. Failures: as browse(); kNotFound (field "id").
  [[nodiscard]] core::Task<SearchOutcome> similar(SimilarRequest request);

  // What completes an outfit with one article. Where nobody bought or chose anything with it, what is popular in the parts that it
  // lacks, with `fallback_source`. Failures: as browse(), but that popularity is not needed; kNotFound (field "id").
  [[nodiscard]] core::Task<SearchOutcome> complete_the_look(LookRequest request);

  // Why an article is not on the page that search() gives: runs the search itself, for nobody's impression. Its list is made
  // anew, and where no leg has the article the legs are asked how far behind it is, within the same deadline.
  // Failures: as search(), but that nothing stands in for a list that cannot be made; kInvalidArgument, field article_id.
  [[nodiscard]] core::Task<std::expected<WhyNot, SearchFailure>> why_not(WhyNotRequest request);

  // What can be said of one article to one shopper: reason_request.hpp.
  // Failures: kInvalidArgument, field article_id, query or of the shopper; kNotFound; without capacity as search().
  [[nodiscard]] core::Task<std::expected<ArticleReason, SearchFailure>> reason(ReasonRequest request);

  [[nodiscard]] ListCacheStats list_cache_stats() const { return lists_.stats(); }
  // Nothing where no scores of a reranker are kept.
  [[nodiscard]] std::optional<PairScoreCache::Statistics> pair_cache_stats() const;
  // Whether searches by picture can be answered at all.
  [[nodiscard]] bool looks_into_pictures() const { return use_.images != nullptr && use_.image_index != nullptr; }
  // Nothing where pictures are not looked into.
  [[nodiscard]] std::optional<VectorCache::Statistics> picture_cache_stats() const;
  // Of lists of near articles, for recommendations.
  [[nodiscard]] VectorCache::Statistics near_cache_stats() const { return near_.statistics(); }

 private:
  enum class ListKind : std::uint8_t {
    kFound,    // by a query: the shopper's features act
    kPopular,  // they act, and popularity decides the list itself
    kSorted,   // by a column: nothing acts
  };

  // search_service.cpp: what all lists share. admit() does everything around a run().
  template <class Request>
  [[nodiscard]] core::Task<SearchOutcome> admit(Request request);
  [[nodiscard]] SearchFailure refusal(Progress& progress) const;
  // Whatever has to be there before a run(), or why it cannot begin.
  template <class Request>
  [[nodiscard]] std::optional<SearchFailure> prepare(Request& request, Progress& progress) const;
  template <class Request>
  [[nodiscard]] core::Task<SearchOutcome> checked(Request& request, Progress& progress);
  void begin_read(const ListRequest& request, ListKind kind, Progress& progress);
  [[nodiscard]] core::Task<core::Status> finish_read(Progress& progress);
  [[nodiscard]] core::Task<core::Status> to_worker(Progress& progress);
  static void set_eligible(const ListRequest& request, Progress& progress);
  [[nodiscard]] SearchAnswer answer(const ListRequest& request, Progress& progress) const;

  // answer_page.cpp: from progress.list to the page.
  [[nodiscard]] core::Status open_cursor(const ListRequest& request, Progress& progress) const;
  [[nodiscard]] PageShape shape_of(const ListRequest& request, const Progress& progress) const;
  [[nodiscard]] std::size_t first_depth(const ListRequest& request, const Progress& progress) const;
  [[nodiscard]] PopularScope popular_scope(const Progress& progress, std::size_t depth) const;
  [[nodiscard]] bool is_deep_enough(const ListRequest& request, const Progress& progress) const;
  void fill_page(const ListRequest& request, Progress& progress, SearchAnswer& answer) const;
  [[nodiscard]] OrderedList bring_to_order(Progress& progress, SearchAnswer& answer) const;
  [[nodiscard]] BentHead bend(Progress& progress, SearchAnswer& answer) const;
  [[nodiscard]] std::string next_cursor(const Progress& progress, const PageShape& shape, std::vector<std::uint32_t> shown) const;

  // rule_stage.cpp
  [[nodiscard]] core::Status find_rules(const ListRequest& request, ranking::RuleList list, std::string_view query, Progress& progress) const;
  static void hide_eligible(Progress& progress);
  void apply_rules_to(Progress& progress, SearchAnswer& answer) const;
  static void explain_rules(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation);

  // reason_stage.cpp
  [[nodiscard]] static ReasonScope reason_scope(const ListRequest& request, const Progress& progress, const ServingGeneration& generation);
  static void say_reasons(const ListRequest& request, Progress& progress, SearchAnswer& answer);
  [[nodiscard]] core::Task<core::Status> word_reasons(const ListRequest& request, const Progress& progress, SearchAnswer& answer) const;

  // query_list.cpp
  [[nodiscard]] core::Status begin_search(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Task<SearchOutcome> run(const SearchRequest& request, Progress& progress);
  [[nodiscard]] bool fall_back(const SearchRequest& request, Progress& progress) const;
  [[nodiscard]] core::Task<core::Status> find_by_query(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Status read(const SearchRequest& request, Progress& progress) const;
  void read_alone(const SearchRequest& request, Progress& progress) const;
  void set_eligible_for(const SearchRequest& request, Progress& progress) const;
  static void restrict_eligible(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Status list_eligible(const SearchRequest& request, Progress& progress) const;
  [[nodiscard]] core::Task<core::Status> find_by_legs(const SearchRequest& request, Progress& progress);
  void find_by_words(Progress& progress) const;
  struct LegOutcome;
  [[nodiscard]] static LegOutcome left_out(Stage stage, Progress& progress);
  [[nodiscard]] core::Task<core::Status> find_by_meaning(const SearchRequest& request, Progress& progress);
  [[nodiscard]] static core::Result<LegRows> take_hits(const ports::VectorHits& hits, const Progress& progress);
  void order(const SearchRequest& request, Progress& progress) const;
  void fuse_legs(const SearchRequest& request, Progress& progress) const;
  void explain(const Progress& progress, SearchAnswer& answer) const;

  // visual_list.cpp
  [[nodiscard]] core::Task<core::Status> know_picture(SearchRequest& request) const;
  [[nodiscard]] core::Status check_pictures(const SearchRequest& request, const Progress& progress) const;
  [[nodiscard]] PictureQuery picture_query(const SearchRequest& request, const Progress& progress) const;
  static void leave_out_article(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Task<core::Status> find_photos(Progress& progress);
  [[nodiscard]] core::Status settle_legs(const SearchRequest& request, const LegOutcome& text, const LegOutcome& photos,
                                         Progress& progress) const;
  static void blend_sides(const SearchRequest& request, Progress& progress);
  static void add_side_scores(const Progress& progress, std::vector<AnswerItem>& items);

  // rerank_list.cpp
  [[nodiscard]] core::Task<core::Status> rerank_list(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Task<core::Status> rerank_together(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Task<core::Status> rerank_from(std::optional<std::size_t> depth, const RerankOutcome* known,
                                                     Progress& progress) const;
  [[nodiscard]] std::size_t rerank_depth(const SearchRequest& request, const Progress& progress) const;

  // find_list.cpp
  [[nodiscard]] core::Task<core::Status> find_list(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Task<core::Status> find_together(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Task<core::Status> find_and_keep(const SearchRequest& request, Progress& progress,
                                                       SingleFlight<FoundList>::Lead lead);
  [[nodiscard]] core::Task<core::Status> renew(SearchRequest request, std::shared_ptr<const ServingGeneration> generation);
  [[nodiscard]] bool take_kept(const SearchRequest& request, Progress& progress);
  [[nodiscard]] ListVersion version_of(const ServingGeneration& generation) const;

  // why_not_probe.cpp
  [[nodiscard]] core::Task<std::expected<WhyNot, SearchFailure>> diagnose(const WhyNotRequest& request, catalog::RowIndex row,
                                                                          Progress& progress);
  [[nodiscard]] core::Task<core::Status> follow_list(const SearchRequest& request, catalog::RowIndex row, Progress& progress,
                                                     WhyNot& why);
  [[nodiscard]] core::Task<core::Status> ask_words(catalog::RowIndex row, Progress& progress, WhyNot& why) const;
  [[nodiscard]] core::Task<core::Status> ask_meaning(catalog::RowIndex row, Progress& progress, WhyNot& why);
  [[nodiscard]] core::Task<core::Status> ask_photos(const SearchRequest& request, catalog::RowIndex row, Progress& progress, WhyNot& why);
  void follow_to_page(const SearchRequest& request, catalog::RowIndex row, Progress& progress, WhyNot& why) const;

  // browse_list.cpp
  [[nodiscard]] core::Task<SearchOutcome> run(const BrowseRequest& request, Progress& progress);
  [[nodiscard]] core::Task<SearchOutcome> run(const TrendingRequest& request, Progress& progress);
  template <class Make>
  void make_deep_enough(const ListRequest& request, Progress& progress, Make make) const;
  [[nodiscard]] core::Task<core::Status> prepare_list(const ListRequest& request, ListKind kind, ranking::RuleList list, Progress& progress);

  // recommended_list.cpp: what lists of several sources share; for_you_list.cpp, learned_order.cpp, similar_list.cpp: the lists
  struct NearWish;
  struct NearFound;
  [[nodiscard]] core::Task<core::Status> find_near(NearWish wish, Progress& progress, NearFound& found);
  [[nodiscard]] core::Task<core::Status> find_near_in(NearSpace space, const NearWish& wish, Progress& progress, NearFound& found);
  void blend_sources(const ranking::ForYouInputs& inputs, const ranking::ForYouOptions& blend, RecommendedList& made, Progress& progress) const;
  static void explain_sources(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation);
  [[nodiscard]] core::Task<SearchOutcome> run(const ForYouRequest& request, Progress& progress);
  void order_as_learned(std::span<const ranking::SubjectItem> items, RecommendedList& made, Progress& progress) const;
  static void report_ranker(const Progress& progress, SearchAnswer& answer);
  void explore(const ForYouRequest& request, Progress& progress) const;
  [[nodiscard]] core::Task<SearchOutcome> run(const SimilarRequest& request, Progress& progress);

  // look_list.cpp
  [[nodiscard]] core::Task<SearchOutcome> run(const LookRequest& request, Progress& progress);
  void make_look(const LookRequest& request, catalog::RowIndex row, Progress& progress) const;
  static void explain_look(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation);

  // rising_list.cpp: false where nothing rises
  [[nodiscard]] static bool make_rising(const TrendingRequest& request, Progress& progress);
  static void explain_rising(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation);

  Dependencies use_;
  SearchOptions options_;
  Door door_;
  SearchMetrics metrics_;
  RankedListCache lists_;
  SingleFlight<FoundList> flights_;
  SingleFlight<RerankOutcome> rerank_flights_;
  DenseRetriever dense_;
  Personalizer personalizer_;
  PageCursors cursors_;
  NearRowsFinder near_;
  std::unique_ptr<ShopperReader> reader_;  // null without a feature store
  std::unique_ptr<PictureRetriever> pictures_;  // null where pictures are not looked into
};

// kInvalidArgument with the parameter as field.
[[nodiscard]] core::Status validate(const SearchRequest& request);
[[nodiscard]] core::Status validate(const BrowseRequest& request);
[[nodiscard]] core::Status validate(const TrendingRequest& request);

}  // namespace scalestyle::search
