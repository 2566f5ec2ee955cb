#pragma once
// How legs that search by vectors failed. Private to the files of SearchService.

#include <optional>

#include "core/result.hpp"
#include "search/degradation.hpp"
#include "search/dense_retriever.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

struct SearchService::LegOutcome {
  core::Status status{};
  std::optional<DegradationReason> reason{};  // of an error; absent: the caller went away
};

[[nodiscard]] inline std::optional<DegradationReason> reason_of(DenseStage stage, core::ErrorCode code) {
  if (code == core::ErrorCode::kCancelled) return std::nullopt;
  if (code == core::ErrorCode::kResourceExhausted) return DegradationReason::kDownstreamCapacityRejected;
  if (code == core::ErrorCode::kCircuitOpen) return DegradationReason::kDownstreamCircuitOpen;
  if (stage == DenseStage::kSearch) return DegradationReason::kRetrievalUnavailable;
  return code == core::ErrorCode::kDeadlineExceeded ? DegradationReason::kInferenceTimeout
                                                    : DegradationReason::kInferenceUnavailable;
}

}  // namespace scalestyle::search
