// A cross-encoder's order over a ranked list: as deep as this request's time allows, from what was judged before, shared with
// those who wait for the same.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "search/progress.hpp"
#include "search/rerank_report.hpp"
#include "search/reranker.hpp"
#include "search/search_service.hpp"
#include "search/stage_spans.hpp"

namespace scalestyle::search {

namespace {

// Fewer rows than usual were planned: the answer names the usual number, and that it was not reached.
void tell_full_depth(std::size_t full, Progress& progress) {
  RerankOutcome& outcome = progress.reranked;
  if (outcome.passes.empty() || outcome.depth() >= full) return;
  outcome.passes.back().planned = std::max(outcome.passes.back().planned, full);
  if (outcome.status == RerankStatus::kComplete) outcome.status = RerankStatus::kPartial;
}

std::size_t judged_depth(const RankedList& ranked) { return ranked.reranked == nullptr ? 0 : ranked.reranked->depth(); }

}  // namespace

std::optional<PairScoreCache::Statistics> SearchService::pair_cache_stats() const {
  if (use_.reranker == nullptr || use_.reranker->cache() == nullptr) return std::nullopt;
  return use_.reranker->cache()->statistics();
}

core::Task<core::Status> SearchService::rerank_list(const SearchRequest& request, Progress& progress) {
  // An older list comes in the order that it was last reranked to; one that a column sorts needs no other.
  const bool has_list = progress.ranked != nullptr && !progress.ranked->corrected_query.empty() && !progress.list.rows.empty();
  const bool wanted = use_.reranker != nullptr && request.rerank.enabled && !progress.is_sorted && has_list;
  const bool wants_less = wanted && progress.left_out_steps >= BrownoutStep::kLessRerank;
  const std::size_t full = wants_less ? rerank_depth(request, progress) : 0;
  if (full > 0 && progress.left_out_steps >= BrownoutStep::kNoRerank && judged_depth(*progress.ranked) == 0) {
    progress.degradations.push_back(DegradationReason::kRerankUnavailable);
    progress.report(Stage::kRerank, StageOutcome::kRefused);
    co_return core::Status();
  }
  if (wanted) static_cast<void>(co_await rerank_together(request, progress));
  if (wants_less) tell_full_depth(full, progress);
  const auto degraded = degradation_of(progress.reranked.status);
  if (degraded) progress.degradations.push_back(*degraded);
  progress.report(Stage::kRerank, stage_outcome(progress.reranked));
  co_return core::Status();
}

// How many rows this request is planned for while there is no pressure.
std::size_t SearchService::rerank_depth(const SearchRequest& request, const Progress& progress) const {
  const std::size_t planned = use_.reranker->planned_depth(progress.inner_deadline, request.rerank.depth);
  return std::min(planned, progress.ranked->list.rows.size() - progress.ranked->pinned);
}

core::Task<core::Status> SearchService::rerank_together(const SearchRequest& request, Progress& progress) {
  std::shared_ptr<const RerankOutcome> known = progress.ranked->reranked;
  const bool shares = !progress.list_key.empty() && !request.explain;
  std::size_t planned = rerank_depth(request, progress);
  std::optional<std::size_t> depth = request.rerank.depth;
  if (progress.left_out_steps != BrownoutStep::kNone) {
    // What was judged before costs nothing.
    const bool computes = progress.left_out_steps == BrownoutStep::kLessRerank;
    planned = std::min(planned, std::max(computes ? planned / 2 : 0, std::max<std::size_t>(1, judged_depth(*progress.ranked))));
    depth = planned;
  }
  const std::size_t needed = std::min(planned, progress.ranked->list.rows.size() - progress.ranked->pinned);
  while (shares && (known == nullptr || known->depth() < needed)) {
    auto joined = rerank_flights_.join(progress.list_key + '\0' + to_text(progress.version));
    if (auto* joined_lead = std::get_if<SingleFlight<RerankOutcome>::Lead>(&joined)) {
      SingleFlight<RerankOutcome>::Lead lead = std::move(*joined_lead);
      static_cast<void>(co_await rerank_from(depth, known.get(), progress));
      if (progress.reranked.status == RerankStatus::kCancelled) co_return core::Status();
      auto deeper = std::make_shared<RankedList>(*progress.ranked);
      deeper->reranked = std::make_shared<const RerankOutcome>(progress.reranked);
      remember_head(*deeper, progress.list, progress.generation->catalog());
      if (deeper->depth() > 0 && progress.degradations.empty()) lists_.put(progress.list_key, progress.version, deeper);
      lead.land(deeper->reranked);
      co_return core::Status();
    }
    const auto slot = std::get<std::shared_ptr<SingleFlight<RerankOutcome>::Slot>>(joined);
    const auto landed = co_await await_slot(slot, use_.timers, progress.inner_deadline);
    if (!landed) break;  // what is judged by now is in the cache of pairs
    if (*landed == nullptr) continue;  // who led went away: join again
    known = *landed;
    if (known->error() != nullptr) {  // the scorer fails: those who waited do not try it in turn
      progress.reranked = *known;
      apply(progress.reranked, progress.generation->catalog(), progress.list);
      co_return core::Status();
    }
  }
  // More was judged before than this request is planned for: that is free, so it counts.
  if (!request.rerank.depth && known != nullptr && known->depth() > planned) depth = known->depth();
  co_return co_await rerank_from(depth, known.get(), progress);
}

core::Task<core::Status> SearchService::rerank_from(std::optional<std::size_t> depth, const RerankOutcome* known,
                                                    Progress& progress) const {
  RerankRequest wanted;
  wanted.query = progress.ranked->corrected_query;
  wanted.articles = &progress.generation->catalog();
  wanted.rows = progress.ranked->list.rows;
  wanted.scores = progress.ranked->list.scores;
  wanted.pinned = progress.ranked->pinned;
  wanted.depth = depth;
  wanted.known = known;
  wanted.deadline = progress.inner_deadline;
  // A depth that is asked for may take all the time there is.
  if (progress.left_out_steps != BrownoutStep::kNone) {
    wanted.deadline = wanted.deadline.within(wanted.deadline.remaining(progress.clock) / 2, progress.clock);
  }
  auto judging = in_stage(progress.context.get(), Stage::kRerank, use_.reranker->rerank(std::move(wanted)));
  progress.reranked = co_await std::move(judging);
  apply(progress.reranked, progress.generation->catalog(), progress.list);
  co_return core::Status();
}

}  // namespace scalestyle::search
