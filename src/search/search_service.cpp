#include "search/search_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "text/unicode.hpp"

namespace scalestyle::search {

namespace {

struct Candidate {
  float cosine = 0;
  catalog::RowIndex row;
};

// Rows are in the order of article ids.
bool comes_before(const Candidate& a, const Candidate& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
}

bool is_blank(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const char32_t code_point = text::next_code_point(text, position);
    if (!text::is_bert_whitespace(code_point) && !text::is_bert_control(code_point)) return false;
  }
  return true;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) static_cast<void>(text::next_code_point(text, position));
  return count;
}

StageOutcome outcome_of(const core::Error& error) {
  switch (error.code) {
    case core::ErrorCode::kDeadlineExceeded: return StageOutcome::kLate;
    case core::ErrorCode::kResourceExhausted:
    case core::ErrorCode::kFailedPrecondition:
    case core::ErrorCode::kInvalidArgument: return StageOutcome::kRefused;
    case core::ErrorCode::kCancelled: return StageOutcome::kCancelled;
    default: return StageOutcome::kFailed;
  }
}

std::optional<DegradationReason> reason_of(DenseStage stage, core::ErrorCode code) {
  if (code == core::ErrorCode::kCancelled) return std::nullopt;
  if (code == core::ErrorCode::kResourceExhausted) return DegradationReason::kDownstreamCapacityRejected;
  if (stage == DenseStage::kSearch) return DegradationReason::kRetrievalUnavailable;
  return code == core::ErrorCode::kDeadlineExceeded ? DegradationReason::kInferenceTimeout
                                                    : DegradationReason::kInferenceUnavailable;
}

core::Status check_subject(const std::string& value, const char* field) {
  if (count_characters(value) <= kMaxSubjectCharacters) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} must have at most {} characters", field, kMaxSubjectCharacters), field);
}

}  // namespace

std::string_view to_string(StageOutcome outcome) {
  switch (outcome) {
    case StageOutcome::kOk: return "ok";
    case StageOutcome::kSkipped: return "skipped";
    case StageOutcome::kLate: return "late";
    case StageOutcome::kFailed: return "failed";
    case StageOutcome::kRefused: return "refused";
    case StageOutcome::kCancelled: return "cancelled";
  }
  return "failed";
}

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::kAdmission: return "admission";
    case Stage::kValidate: return "validate";
    case Stage::kFilter: return "filter";
    case Stage::kEmbed: return "embed";
    case Stage::kRetrieve: return "retrieve";
    case Stage::kOrder: return "order";
  }
  return "order";
}

core::Status SearchOptions::validate() const {
  const auto check = [](std::size_t value, std::size_t maximum, const char* name) -> core::Status {
    if (value >= 1 && value <= maximum) return {};
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be 1 to {}, not {}", name, maximum, value), name);
  };
  CORE_CHECK(check(pool_size, 16'384, "pool_size"));
  CORE_CHECK(check(max_in_progress, 100'000, "max_in_progress"));
  CORE_CHECK(check(dense.max_batch, 256, "max_batch"));
  CORE_CHECK(check(dense.max_waiting, 100'000, "max_waiting"));
  if (!text::is_valid_utf8(query_prefix)) {
    return core::fail(core::ErrorCode::kInvalidArgument, "query_prefix must be UTF-8", "query_prefix");
  }
  return {};
}

core::Status validate(const SearchRequest& request) {
  using core::ErrorCode;
  if (!text::is_valid_utf8(request.query)) return core::fail(ErrorCode::kInvalidArgument, "query must be UTF-8", "query");
  if (request.query.find('\0') != std::string::npos) {
    return core::fail(ErrorCode::kInvalidArgument, "query must not contain NUL", "query");
  }
  if (is_blank(request.query)) return core::fail(ErrorCode::kInvalidArgument, "query must not be blank", "query");
  if (const std::size_t characters = count_characters(request.query); characters > kMaxQueryCharacters) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("query must have at most {} characters, not {}", kMaxQueryCharacters, characters), "query");
  }
  if (request.k < 1 || request.k > kMaxK) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("k must be 1 to {}, not {}", kMaxK, request.k), "k");
  }
  if (request.offset > kMaxOffset) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("offset must be at most {}, not {}", kMaxOffset, request.offset),
                      "offset");
  }
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    if (request.filter[field].size() <= kMaxFilterValues) continue;
    const std::string name(catalog::parameter_name(field));
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} must have at most {} values", name, kMaxFilterValues), name);
  }
  if (request.user_id) CORE_CHECK(check_subject(request.user_id->value(), "userId"));
  if (request.session_id) CORE_CHECK(check_subject(request.session_id->value(), "sessionId"));
  return request.filter.validate();
}

double calibrated_score(float cosine) {
  constexpr double kLowest = 1e-6;
  return std::clamp((1.0 + static_cast<double>(cosine)) / 2.0, kLowest, 1.0);
}

// What a search has so far; lives in the frame of search().
struct SearchService::Progress {
  explicit Progress(const core::Clock& time_source) : clock(time_source), started(time_source.steady_now()), stage_began(started) {}

  // Ends the stage that began when the one before it ended.
  void report(Stage stage, StageOutcome outcome) {
    const core::SteadyTime now = clock.steady_now();
    stages.push_back({stage, outcome, now - stage_began});
    stage_began = now;
  }
  [[nodiscard]] SearchFailure failure(core::Error error, std::optional<DegradationReason> reason = {}) {
    return {std::move(error), reason, std::move(stages)};
  }
  [[nodiscard]] std::chrono::nanoseconds elapsed() const { return clock.steady_now() - started; }

  const core::Clock& clock;
  const core::SteadyTime started;
  core::SteadyTime stage_began;
  std::vector<StageReport> stages;
  std::shared_ptr<const ServingGeneration> generation;
  std::shared_ptr<const catalog::Filter> filter;
  std::shared_ptr<const catalog::Bitmap> eligible;  // null: every row
  std::size_t eligible_count = 0;
  std::optional<DegradationReason> failure_reason;
  std::vector<Candidate> pool;
};

SearchService::SearchService(Dependencies dependencies, SearchOptions options)
    : use_(dependencies),
      options_(std::move(options)),
      admission_(options_.max_in_progress),
      metrics_(dependencies.metrics),
      dense_({dependencies.encoder, dependencies.index, dependencies.pool, dependencies.timers, dependencies.clock},
             options_.dense, dependencies.metrics) {}

core::Task<SearchOutcome> SearchService::search(SearchRequest request) {
  Progress progress(use_.clock);
  const auto ticket = admission_.enter();
  progress.report(Stage::kAdmission, ticket ? StageOutcome::kOk : StageOutcome::kRefused);
  if (!ticket) {
    const auto refused = core::fail(
        core::ErrorCode::kResourceExhausted,
        fmt::format("{} searches are in progress, which is this server's limit; try again later", admission_.limit()));
    SearchOutcome outcome = std::unexpected(progress.failure(refused.error(), DegradationReason::kDownstreamCapacityRejected));
    metrics_.record(outcome);
    co_return outcome;
  }
  SearchOutcome outcome = co_await run(std::move(request), progress);
  metrics_.record(outcome);
  co_return outcome;
}

core::Task<SearchOutcome> SearchService::run(SearchRequest request, Progress& progress) {
  auto valid = validate(request);
  progress.report(Stage::kValidate, valid ? StageOutcome::kOk : StageOutcome::kRefused);
  if (!valid) co_return std::unexpected(progress.failure(std::move(valid).error()));

  progress.generation = use_.generations.serving();
  if (progress.generation == nullptr) {
    const std::string cause = use_.generations.last_error();
    const auto unready = core::fail(core::ErrorCode::kUnavailable,
                                    cause.empty() ? "no catalogue is loaded yet; try again later"
                                                  : fmt::format("no catalogue is loaded: {}", cause));
    co_return std::unexpected(progress.failure(unready.error()));
  }

  if (auto found = co_await find_eligible(request, progress); !found) {
    co_return std::unexpected(progress.failure(std::move(found).error(), progress.failure_reason));
  }
  if (progress.eligible_count > 0) {
    auto dense = co_await retrieve(request, progress);
    if (!dense) co_return std::unexpected(progress.failure(std::move(dense).error(), progress.failure_reason));
    auto ordered = order(dense->hits, progress);
    progress.report(Stage::kOrder, ordered ? StageOutcome::kOk : StageOutcome::kFailed);
    if (!ordered) {
      co_return std::unexpected(progress.failure(std::move(ordered).error(), DegradationReason::kRetrievalUnavailable));
    }
  }

  SearchAnswer answer;
  answer.request_id = std::move(request.request_id);
  answer.total = progress.pool.size();
  answer.total_relation = progress.eligible_count > answer.total ? TotalRelation::kAtLeast : TotalRelation::kEqual;
  const std::size_t first = std::min(request.offset, answer.total);
  const std::size_t end = std::min(first + request.k, answer.total);
  answer.items.reserve(end - first);
  for (std::size_t i = first; i < end; ++i) {
    const Candidate& candidate = progress.pool[i];
    answer.items.push_back({progress.generation->catalog().row(candidate.row), calibrated_score(candidate.cosine), {}, i + 1});
  }
  answer.generation = std::move(progress.generation);
  answer.stages = std::move(progress.stages);
  answer.took = progress.elapsed();
  co_return answer;
}

core::Task<core::Status> SearchService::find_eligible(const SearchRequest& request, Progress& progress) {
  const catalog::Catalog& articles = progress.generation->catalog();
  if (request.filter.empty()) {
    progress.eligible_count = articles.size();
    progress.report(Stage::kFilter, StageOutcome::kSkipped);
    co_return core::Status();
  }
  if (auto scheduled = co_await use_.pool.schedule(request.deadline); !scheduled) {
    // Neither full nor late is the filter's doing: no worker was to be had.
    const bool cancelled = scheduled.error().code == core::ErrorCode::kCancelled;
    if (!cancelled) progress.failure_reason = DegradationReason::kDownstreamCapacityRejected;
    progress.report(Stage::kFilter, outcome_of(scheduled.error()));
    co_return scheduled;
  }
  progress.filter = std::make_shared<const catalog::Filter>(request.filter);
  progress.eligible = std::make_shared<const catalog::Bitmap>(catalog::eligible(articles, request.filter));
  progress.eligible_count = progress.eligible->count();
  progress.report(Stage::kFilter, StageOutcome::kOk);
  co_return core::Status();
}

core::Task<core::Result<DenseHits>> SearchService::retrieve(const SearchRequest& request, Progress& progress) {
  if (const std::string& refusal = progress.generation->dense_refusal(); !refusal.empty()) {
    progress.report(Stage::kEmbed, StageOutcome::kRefused);
    progress.failure_reason = DegradationReason::kRetrievalUnavailable;
    co_return core::fail(core::ErrorCode::kFailedPrecondition, refusal);
  }
  DenseQuery query;
  query.text = options_.query_prefix + request.query;
  query.generation = progress.generation;
  query.k = options_.pool_size;
  query.filter = progress.filter;
  query.eligible = progress.eligible;
  query.deadline = request.deadline;
  DenseOutcome outcome = co_await dense_.retrieve(std::move(query));
  progress.stage_began = progress.clock.steady_now();
  if (!outcome) {
    DenseFailure& failure = outcome.error();
    const bool embedding = failure.stage == DenseStage::kEmbed;
    progress.stages.push_back({Stage::kEmbed, embedding ? outcome_of(failure.error) : StageOutcome::kOk, failure.embed});
    if (!embedding) progress.stages.push_back({Stage::kRetrieve, outcome_of(failure.error), failure.search});
    progress.failure_reason = reason_of(failure.stage, failure.error.code);
    co_return std::unexpected(std::move(failure.error));
  }
  progress.stages.push_back({Stage::kEmbed, StageOutcome::kOk, outcome->embed});
  progress.stages.push_back({Stage::kRetrieve, StageOutcome::kOk, outcome->search});
  co_return std::move(*outcome);
}

core::Status SearchService::order(const ports::VectorHits& hits, Progress& progress) const {
  const catalog::Catalog& articles = progress.generation->catalog();
  std::vector<Candidate>& pool = progress.pool;
  pool.reserve(hits.hits.size());
  for (const ports::VectorHit& hit : hits.hits) {
    if (!std::isfinite(hit.score)) {
      return core::fail(core::ErrorCode::kDataLoss,
                        fmt::format("the vector index gave article {} a score that is not a number", hit.article_id.text()));
    }
    const auto row = articles.find(hit.article_id);
    const bool shown = row && (progress.eligible == nullptr || progress.eligible->test(*row));
    if (shown) {
      pool.push_back({hit.score, *row});
    } else if (hits.exact) {
      return core::fail(core::ErrorCode::kDataLoss,
                        fmt::format("the vector index gave article {}, which is not in the eligible set of generation {}",
                                    hit.article_id.text(), progress.generation->info().id.value()));
    }
  }
  if (!std::ranges::is_sorted(pool, comes_before)) std::ranges::sort(pool, comes_before);
  return {};
}

}  // namespace scalestyle::search
