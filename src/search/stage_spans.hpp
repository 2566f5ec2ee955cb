#pragma once
// The stages of a request as spans of its trace: what the answer's `stages` say, measured once, with a place below which calls to
// other servers belong. Thread safety: free functions, from any thread.

#include <memory>
#include <utility>

#include "core/task.hpp"
#include "search/answer.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::search {

// The context for what a stage asks of others; null where nothing is recorded.
[[nodiscard]] std::shared_ptr<core::TaskContext> context_of(const core::TaskContext* request, Stage stage);

// `task` in that context, where there is one.
template <class T>
[[nodiscard]] core::Task<T> in_stage(const core::TaskContext* request, Stage stage, core::Task<T> task) {
  std::shared_ptr<core::TaskContext> context = context_of(request, stage);
  if (context == nullptr) return task;
  return core::with_context(std::move(context), std::move(task));
}

// One span a stage of the outcome, and what the request's own span says of it: degraded or not and why, where the list came from.
// Degraded and failed ones are worth keeping. Nothing without a trace.
void note_stages(const core::TaskContext* request, const SearchOutcome& outcome);

// The stage of `request` was done together with others, in `leader`'s trace.
void link_stage(const core::TaskContext* request, Stage stage, const core::TaskContext* leader);

}  // namespace scalestyle::search
