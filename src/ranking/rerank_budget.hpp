#pragma once
// How many rows of a list are to be reranked, and in which time: from what is left of the request's deadline and from how
// many pairs this machine scores a second.
//
// A request with the usual deadline has `budget`; more time than usual goes to reranking, up to `depth` rows. What is planned
// never asks for less than the usual budget affords: a hurried request that does not reach it is told so.
// Pure. Thread safety: free functions.

#include <chrono>
#include <cstddef>
#include <optional>

#include "core/result.hpp"

namespace scalestyle::ranking {

inline constexpr std::size_t kMaxRerankDepth = 200;

struct RerankBudgetOptions {
  std::size_t depth = 50;                           // most rows, unless a request asks for more; 1 … kMaxRerankDepth
  std::size_t least_depth = 5;                      // planned however slow the machine is; 1 … kMaxRerankDepth
  std::chrono::milliseconds budget{250};            // 1 … 10,000
  std::chrono::milliseconds usual_deadline{600};    // of a request

  // kInvalidArgument with the setting as field: rerank_depth, rerank_budget_ms.
  [[nodiscard]] core::Status validate() const;
};

struct RerankBudget {
  std::chrono::nanoseconds time{0};
  std::size_t planned = 0;  // rows
};

// `left` is the time until reranking must have ended; nanoseconds::max() where there is no deadline. A rate of 0 is not known
// yet: everything is planned. `wanted` is the depth that a request asks for: it is planned as it is, and may use all time
// that is left.
[[nodiscard]] RerankBudget plan_rerank(const RerankBudgetOptions& options, std::chrono::nanoseconds left, double pairs_per_second,
                                       std::optional<std::size_t> wanted);

}  // namespace scalestyle::ranking
