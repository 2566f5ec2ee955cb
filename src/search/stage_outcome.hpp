#pragma once
// How the failure of a step is reported among the stages of an answer.

#include "core/result.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

[[nodiscard]] inline StageOutcome outcome_of(const core::Error& error) {
  switch (error.code) {
    case core::ErrorCode::kDeadlineExceeded: return StageOutcome::kLate;
    case core::ErrorCode::kResourceExhausted:
    case core::ErrorCode::kCircuitOpen:
    case core::ErrorCode::kFailedPrecondition:
    case core::ErrorCode::kInvalidArgument: return StageOutcome::kRefused;
    case core::ErrorCode::kCancelled: return StageOutcome::kCancelled;
    default: return StageOutcome::kFailed;
  }
}

}  // namespace scalestyle::search
