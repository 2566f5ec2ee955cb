// The list that a query finds, and what is shown in its place when it cannot be looked up.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "search/progress.hpp"
#include "search/search_service.hpp"
#include "search/stage_outcome.hpp"

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

std::optional<DegradationReason> reason_of(DenseStage stage, core::ErrorCode code) {
  if (code == core::ErrorCode::kCancelled) return std::nullopt;
  if (code == core::ErrorCode::kResourceExhausted) return DegradationReason::kDownstreamCapacityRejected;
  if (stage == DenseStage::kSearch) return DegradationReason::kRetrievalUnavailable;
  return code == core::ErrorCode::kDeadlineExceeded ? DegradationReason::kInferenceTimeout
                                                    : DegradationReason::kInferenceUnavailable;
}

}  // namespace

double calibrated_score(float cosine) {
  constexpr double kLowest = 1e-6;
  return std::clamp((1.0 + static_cast<double>(cosine)) / 2.0, kLowest, 1.0);
}

core::Task<SearchOutcome> SearchService::run(const SearchRequest& request, Progress& progress) {
  begin_read(request, ListKind::kFound, progress);
  auto found = co_await find_by_query(request, progress);
  if (!found && !fall_back(request, progress)) {
    co_return std::unexpected(progress.failure(std::move(found).error(), progress.failure_reason));
  }
  if (progress.pending != nullptr) static_cast<void>(co_await finish_read(progress));
  co_return answer(request, progress);
}

core::Task<core::Status> SearchService::find_by_query(const SearchRequest& request, Progress& progress) {
  if (!request.filter.empty()) CORE_CO_CHECK(co_await to_worker(progress));
  set_eligible(request, progress);
  progress.report(Stage::kFilter, request.filter.empty() ? StageOutcome::kSkipped : StageOutcome::kOk);
  if (progress.eligible_count == 0) co_return core::Status();

  CORE_CO_TRY(const DenseHits dense, co_await retrieve(request, progress));
  auto ordered = order(dense.hits, progress);
  progress.report(Stage::kOrder, ordered ? StageOutcome::kOk : StageOutcome::kFailed);
  if (!ordered) progress.failure_reason = DegradationReason::kRetrievalUnavailable;
  co_return ordered;
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
  query.deadline = progress.generation->popularity() != nullptr ? progress.inner_deadline : request.deadline;
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
  std::vector<Candidate> pool;
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

  BaseList& list = progress.list;
  list.rows.reserve(pool.size());
  list.scores.reserve(pool.size());
  for (const Candidate& candidate : pool) {
    list.rows.push_back(candidate.row);
    list.scores.push_back(calibrated_score(candidate.cosine));
  }
  list.total = pool.size();
  list.total_relation = progress.eligible_count > list.total ? TotalRelation::kAtLeast : TotalRelation::kEqual;
  return {};
}

// Runs wherever the failure was noticed, which is the timers' thread for what is late: no worker may be free. It costs
// a few hundred microseconds, one pass over a column for each tier.
bool SearchService::fall_back(const ListRequest& request, Progress& progress) const {
  const auto reason = progress.failure_reason;
  // Without a reason the caller is gone; a limit that was reached is not made better by more work.
  if (!reason || *reason == DegradationReason::kDownstreamCapacityRejected) return false;
  const auto& board = progress.generation->popularity();
  if (board == nullptr) return false;
  if (!progress.filtered) set_eligible(request, progress);
  if (progress.eligible_count > 0) {
    PopularList popular = fallback_list(*board, popular_scope(request, progress));
    progress.list = std::move(popular.list);
    progress.fallback_source = popular.source;
    progress.degradations.push_back(*reason);
  }
  progress.report(Stage::kFallback, StageOutcome::kOk);
  return true;
}

}  // namespace scalestyle::search
