#include "search/search_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/request_steps.hpp"
#include "recommend/popularity.hpp"
#include "search/answer_impression.hpp"
#include "search/experiments.hpp"
#include "search/frequent_queries.hpp"
#include "search/impression_recorder.hpp"
#include "search/progress.hpp"
#include "search/reason_request.hpp"
#include "search/reason_service.hpp"
#include "search/request_fingerprint.hpp"
#include "search/rerank_report.hpp"
#include "search/schedule_by.hpp"
#include "search/stage_outcome.hpp"
#include "search/stage_spans.hpp"
#include "search/visual_request.hpp"
#include "text/unicode.hpp"

namespace scalestyle::search {

namespace {

std::optional<events::Subject> subject_of(const ListRequest& request) {
  if (request.user_id && !request.user_id->empty()) return events::Subject::user(*request.user_id);
  if (request.session_id && !request.session_id->empty()) return events::Subject::session(*request.session_id);
  return std::nullopt;
}

AskedFor asked_for(const SearchRequest& request) {
  if (!request.visual) return AskedFor::kText;
  return request.visual->mode == VisualMode::kHybrid ? AskedFor::kHybrid : AskedFor::kImage;
}
AskedFor asked_for(const BrowseRequest& /*request*/) { return AskedFor::kBrowse; }
AskedFor asked_for(const TrendingRequest& /*request*/) { return AskedFor::kTrending; }
AskedFor asked_for(const ForYouRequest& /*request*/) { return AskedFor::kForYou; }
AskedFor asked_for(const SimilarRequest& /*request*/) { return AskedFor::kSimilar; }
AskedFor asked_for(const LookRequest& /*request*/) { return AskedFor::kLook; }

// A first page that the catalogue gave in answer to the query. As impressions, not those without a request id.
void note_query(FrequentQueries& queries, const SearchRequest& request, const SearchAnswer& answer) {
  if (request.visual) return;  // its words alone are not what was found
  const bool answered = answer.degradations.empty() && !answer.fallback_source && !answer.items.empty();
  if (!answered || request.offset > 0 || !request.cursor.empty() || request.request_id.empty()) return;
  const auto subject = subject_of(request);
  queries.note(request.query, subject ? &*subject : nullptr);
}

DoorOptions door_options(const SearchOptions& options) {
  DoorOptions door = options.door;
  door.limit.ceiling = options.max_in_progress;
  return door;
}

// What the limit at the door compares a request with; nothing for one that says nothing of this server's load.
template <class Request>
std::optional<AdmittedKind> kind_of(const Request& request, const SearchOutcome& outcome) {
  if (!outcome) {
    const bool is_late = outcome.error().error.code == core::ErrorCode::kDeadlineExceeded;
    return is_late ? std::optional(AdmittedKind::kDegraded) : std::nullopt;
  }
  if (!outcome->degradations.empty()) return AdmittedKind::kDegraded;
  if constexpr (std::is_same_v<Request, SearchRequest>) {
    if (outcome->rerank && outcome->rerank->scored > outcome->rerank->cached_pairs) return AdmittedKind::kReranked;
    if (outcome->list_source == ListSource::kKept || outcome->list_source == ListSource::kOlder) return AdmittedKind::kKept;
    return request.visual ? AdmittedKind::kPicture : AdmittedKind::kFound;
  }
  return AdmittedKind::kList;
}

}  // namespace

core::Status SearchOptions::validate() const {
  const auto check = [](std::size_t value, std::size_t maximum, const char* name) -> core::Status {
    if (value >= 1 && value <= maximum) return {};
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be 1 to {}, not {}", name, maximum, value), name);
  };
  CORE_CHECK(check(pool_size, 16'384, "pool_size"));
  CORE_CHECK(check(max_in_progress, 100'000, "max_in_progress"));
  if (retrieval_budget.count() < 1 || retrieval_budget.count() > 10'000) {
    return core::fail(core::ErrorCode::kInvalidArgument, "retrieval_budget_ms must be 1 to 10000", "retrieval_budget_ms");
  }
  CORE_CHECK(door.limit.validate());
  CORE_CHECK(check(dense.max_batch, 256, "max_batch"));
  CORE_CHECK(check(dense.max_waiting, 100'000, "max_waiting"));
  CORE_CHECK(list_cache.validate());
  CORE_CHECK(lexical.validate());
  CORE_CHECK(fusion.validate());
  CORE_CHECK(diversity.validate());
  CORE_CHECK(cursor.validate());
  CORE_CHECK(recommendation.validate());
  if (!text::is_valid_utf8(query_prefix)) {
    return core::fail(core::ErrorCode::kInvalidArgument, "query_prefix must be UTF-8", "query_prefix");
  }
  return personalization.validate();
}

SearchService::SearchService(Dependencies dependencies, SearchOptions options)
    : use_(dependencies),
      options_(std::move(options)),
      door_(door_options(options_), dependencies.clock, dependencies.metrics),
      metrics_(dependencies.metrics),
      lists_(options_.list_cache, dependencies.clock),
      flights_(dependencies.pool),
      rerank_flights_(dependencies.pool),
      dense_({dependencies.encoder, dependencies.index, dependencies.pool, dependencies.timers, dependencies.clock,
              dependencies.recall},
             options_.dense, dependencies.metrics),
      personalizer_(options_.personalization),
      cursors_(options_.cursor),
      near_({dependencies.index, dependencies.images != nullptr ? dependencies.image_index : nullptr, dependencies.timers,
             dependencies.metrics},
            options_.recommendation.near_cache_bytes) {
  if (use_.images != nullptr && use_.image_index != nullptr) {
    pictures_ = std::make_unique<PictureRetriever>(
        PictureRetriever::Ports{*use_.images, *use_.image_index, use_.pool, use_.timers, use_.clock}, options_.picture_cache_bytes,
        use_.metrics);
  }
  if (use_.features == nullptr) return;
  reader_ = std::make_unique<ShopperReader>(
      ShopperReader::Ports{*use_.features, use_.popularity, use_.pool, use_.timers, use_.clock},
      ShopperReader::Budgets{options_.personalization.snapshot_budget, options_.personalization.after_budget});
}

core::Task<SearchOutcome> SearchService::search(SearchRequest request) { return admit(std::move(request)); }
core::Task<SearchOutcome> SearchService::browse(BrowseRequest request) { return admit(std::move(request)); }
core::Task<SearchOutcome> SearchService::trending(TrendingRequest request) { return admit(std::move(request)); }
core::Task<SearchOutcome> SearchService::for_you(ForYouRequest request) { return admit(std::move(request)); }
core::Task<SearchOutcome> SearchService::similar(SimilarRequest request) { return admit(std::move(request)); }
core::Task<SearchOutcome> SearchService::complete_the_look(LookRequest request) { return admit(std::move(request)); }

template <class Request>
core::Task<SearchOutcome> SearchService::admit(Request request) {
  Progress progress(use_.clock);
  const auto pass = door_.enter();
  progress.context = co_await core::current_context();
  progress.report(Stage::kAdmission, pass ? StageOutcome::kOk : StageOutcome::kRefused);
  if (!pass) {
    SearchOutcome outcome = std::unexpected(refusal(progress));
    metrics_.record(outcome, {.asked_for = asked_for(request), .took = progress.elapsed()});
    note_stages(progress.context.get(), outcome);
    co_return outcome;
  }
  progress.left_out_steps = pass->step();
  if constexpr (std::is_same_v<Request, SearchRequest>) static_cast<void>(co_await know_picture(request));
  SearchFacts facts{.asked_for = asked_for(request)};
  SearchOutcome outcome = co_await checked(request, progress);
  facts.took = progress.elapsed();
  const core::StepTimer timer(core::RequestStep::kRecord);
  if (progress.filtered) facts.eligible = progress.eligible_count;
  metrics_.record(outcome, facts);
  note_stages(progress.context.get(), outcome);
  if (const auto kind = kind_of(request, outcome)) pass->served(*kind);
  if (outcome && use_.impressions != nullptr) note_impression(*use_.impressions, request, *outcome, progress.now_ms());
  if constexpr (std::is_same_v<Request, SearchRequest>) {
    if (outcome && use_.queries != nullptr) note_query(*use_.queries, request, *outcome);
  }
  co_return outcome;
}

SearchFailure SearchService::refusal(Progress& progress) const {
  const auto refused = core::fail(
      core::ErrorCode::kResourceExhausted,
      fmt::format("{} searches are in progress, which is this server's limit now; try again later", door_.limit()));
  return progress.failure(refused.error(), DegradationReason::kDownstreamCapacityRejected);
}

template <class Request>
std::optional<SearchFailure> SearchService::prepare(Request& request, Progress& progress) const {
  auto valid = validate(request);
  progress.report(Stage::kValidate, valid ? StageOutcome::kOk : StageOutcome::kRefused);
  if (!valid) return progress.failure(std::move(valid).error());
  if constexpr (std::is_same_v<Request, SearchRequest>) {
    progress.sides_of = sides_of(request);
    simplify(request);
  }

  progress.generation = use_.generations.serving();
  if (progress.generation == nullptr) {
    const std::string cause = use_.generations.last_error();
    const auto unready = core::fail(core::ErrorCode::kUnavailable,
                                    cause.empty() ? "no catalogue is loaded yet; try again later"
                                                  : fmt::format("no catalogue is loaded: {}", cause));
    return progress.failure(unready.error());
  }
  if (request.reasons == ReasonMode::kLlm && use_.reasons == nullptr) {
    const auto off = core::fail(core::ErrorCode::kUnavailable, std::string(kGenerationIsOff), "reasons");
    return progress.failure(off.error());
  }
  progress.fingerprint = request_fingerprint(request);
  if (auto opened = open_cursor(request, progress); !opened) {
    SearchFailure failure = progress.failure(std::move(opened).error());
    failure.expired = failure.error.code == core::ErrorCode::kFailedPrecondition;
    return failure;
  }
  progress.inner_deadline = leave_reserve(request.deadline, use_.clock);
  return std::nullopt;
}
template std::optional<SearchFailure> SearchService::prepare(SearchRequest& request, Progress& progress) const;
template std::optional<SearchFailure> SearchService::prepare(ReasonRequest& request, Progress& progress) const;

template <class Request>
core::Task<SearchOutcome> SearchService::checked(Request& request, Progress& progress) {
  if (auto failure = prepare(request, progress)) co_return std::unexpected(std::move(*failure));
  SearchOutcome outcome = co_await run(request, progress);
  if (!outcome || request.reasons != ReasonMode::kLlm) co_return outcome;
  if (auto worded = co_await word_reasons(request, progress, *outcome); !worded) {
    co_return std::unexpected(SearchFailure{std::move(worded).error(), {}, std::move(outcome->stages)});
  }
  co_return outcome;
}

void SearchService::begin_read(const ListRequest& request, ListKind kind, Progress& progress) {
  if (reader_ == nullptr) return;
  ShopperWish wish;
  wish.after = request.after;
  if (kind != ListKind::kSorted && request.personalize) wish.subject = subject_of(request);
  if (wish.subject || kind == ListKind::kPopular) wish.board = progress.generation->popularity();
  progress.personal = wish.subject.has_value();
  if (!wish.empty()) progress.pending = reader_->begin(std::move(wish), progress.inner_deadline,
                                                         context_of(progress.context.get(), Stage::kSnapshot));
}

core::Task<core::Status> SearchService::finish_read(Progress& progress) {
  progress.shopper = co_await reader_->finish(std::move(progress.pending));
  progress.report_pair({Stage::kSnapshot, progress.shopper.outcome, progress.shopper.took}, {}, progress.shopper.ended);
  co_return core::Status();
}

core::Task<core::Status> SearchService::to_worker(Progress& progress) {
  const core::SteadyTime begun = std::chrono::steady_clock::now();
  auto scheduled = co_await schedule_by(use_.pool, use_.timers, progress.inner_deadline);
  core::request_steps().add(core::RequestStep::kToWorker, std::chrono::steady_clock::now() - begun);
  if (scheduled) co_return scheduled;
  // Neither full nor late is the filter's doing: no worker was to be had.
  switch (scheduled.error().code) {
    case core::ErrorCode::kCancelled: break;
    case core::ErrorCode::kDeadlineExceeded: progress.failure_reason = DegradationReason::kInferenceTimeout; break;
    default: progress.failure_reason = DegradationReason::kDownstreamCapacityRejected;
  }
  progress.report(Stage::kFilter, outcome_of(scheduled.error()));
  co_return scheduled;
}

void SearchService::set_eligible(const ListRequest& request, Progress& progress) {
  const catalog::Catalog& articles = progress.generation->catalog();
  progress.filtered = true;
  if (request.filter.empty()) {
    progress.eligible_count = articles.available_count();
    // The catalogue's own set, which lives as long as the generation.
    if (articles.available_count() < articles.size()) progress.eligible = {progress.generation, &articles.available()};
  } else {
    progress.filter = std::make_shared<const catalog::Filter>(request.filter);
    progress.eligible = std::make_shared<const catalog::Bitmap>(catalog::eligible(articles, request.filter));
    progress.eligible_count = progress.eligible->count();
  }
  if (progress.left_out.empty()) return;
  catalog::Bitmap others = progress.eligible != nullptr ? *progress.eligible : catalog::Bitmap(articles.size(), true);
  for (const catalog::RowIndex row : progress.left_out) others.reset(row);
  progress.eligible_count = others.count();
  progress.eligible = std::make_shared<const catalog::Bitmap>(std::move(others));
}

SearchAnswer SearchService::answer(const ListRequest& request, Progress& progress) const {
  SearchAnswer answer;
  answer.request_id = request.request_id;
  answer.total_relation = progress.list.total_relation;
  fill_page(request, progress, answer);
  if (request.explain) {
    explain(progress, answer);
    report_ranker(progress, answer);
  } else {
    answer.rules.skipped_pins.clear();
  }
  say_reasons(request, progress, answer);
  answer.list_source = progress.list_source;
  answer.sources = std::move(progress.sources);
  answer.understood = std::move(progress.understood);
  report_rerank(progress.reranked, answer);
  answer.degradations = std::move(progress.degradations);
  answer.fallback_source = progress.fallback_source;
  if (progress.shopper.newest_applied_ms) {
    answer.freshness_ms = std::max<std::int64_t>(0, progress.now_ms() - *progress.shopper.newest_applied_ms);
  }
  if (request.after) answer.after_reached = progress.shopper.after_reached.value_or(false);
  if (use_.experiments != nullptr && !use_.experiments->empty()) {
    answer.experiments = use_.experiments->arms(request.user_id, request.session_id);
  }
  answer.generation = std::move(progress.generation);
  answer.stages = std::move(progress.stages);
  answer.took = progress.elapsed();
  return answer;
}

}  // namespace scalestyle::search
