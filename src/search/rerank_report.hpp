#pragma once
// How the outcome of reranking is told in an answer.

#include <optional>

#include "search/answer.hpp"
#include "search/degradation.hpp"
#include "search/reranker.hpp"
#include "search/stage_outcome.hpp"

namespace scalestyle::search {

[[nodiscard]] inline std::optional<DegradationReason> degradation_of(RerankStatus status) {
  switch (status) {
    case RerankStatus::kPartial: return DegradationReason::kRerankPartial;
    case RerankStatus::kUnavailable: return DegradationReason::kRerankUnavailable;
    case RerankStatus::kNothing:
    case RerankStatus::kComplete:
    case RerankStatus::kCancelled: break;
  }
  return std::nullopt;
}

[[nodiscard]] inline StageOutcome stage_outcome(const RerankOutcome& outcome) {
  if (outcome.status == RerankStatus::kNothing) return StageOutcome::kSkipped;
  if (const core::Error* error = outcome.error()) return outcome_of(*error);
  return outcome.status == RerankStatus::kComplete ? StageOutcome::kOk : StageOutcome::kLate;
}

[[nodiscard]] inline RerankReport report_of(const RerankPassOutcome& pass) {
  return {.model = pass.model, .precision = pass.precision, .scored = pass.scored, .planned = pass.planned,
          .cached_pairs = pass.pairs_cached};
}

// Sets the answer's parts about reranking.
inline void report_rerank(const RerankOutcome& outcome, SearchAnswer& answer) {
  if (outcome.passes.empty()) return;
  answer.rerank = report_of(outcome.passes.back());
  if (outcome.passes.size() > 1) answer.first_rerank = report_of(outcome.passes.front());
}

}  // namespace scalestyle::search
