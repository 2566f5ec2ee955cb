#include "search/stage_spans.hpp"

#include <cstdint>
#include <string>

#include "search/degradation.hpp"

namespace scalestyle::search {

namespace {

// Stages that failed or were late; a refusal of what was not to be done is none.
bool is_failure(StageOutcome outcome) { return outcome == StageOutcome::kFailed || outcome == StageOutcome::kLate; }

std::uint64_t number_of(Stage stage) { return static_cast<std::uint64_t>(stage); }

void note_answer(telemetry::Trace& trace, const SearchAnswer& answer) {
  trace.set("scalestyle.degraded", !answer.degradations.empty());
  if (!answer.degradations.empty()) {
    trace.mark_degraded();
    std::string reasons;
    for (const DegradationReason reason : answer.degradations) {
      if (!reasons.empty()) reasons += ',';
      reasons += to_string(reason);
    }
    trace.set("scalestyle.degradations", std::string_view(reasons));
  }
  if (answer.fallback_source) trace.set("scalestyle.fallback_source", to_string(*answer.fallback_source));
  if (answer.list_source) trace.set("scalestyle.list_source", to_string(*answer.list_source));
  if (answer.rerank) {
    trace.set("scalestyle.rerank.scored", static_cast<std::int64_t>(answer.rerank->scored));
    trace.set("scalestyle.rerank.planned", static_cast<std::int64_t>(answer.rerank->planned));
  }
  trace.set("scalestyle.items", static_cast<std::int64_t>(answer.items.size()));
}

void note_failure(telemetry::Trace& trace, const SearchFailure& failure) {
  if (!failure.reason) return;
  trace.mark_degraded();
  trace.set("scalestyle.degradations", to_string(*failure.reason));
}

}  // namespace

std::shared_ptr<core::TaskContext> context_of(const core::TaskContext* request, Stage stage) {
  return telemetry::scope_below(request, number_of(stage));
}

void note_stages(const core::TaskContext* request, const SearchOutcome& outcome) {
  const telemetry::TraceScope* const scope = telemetry::scope_of(request);
  if (scope == nullptr || !scope->trace->is_recording()) return;
  telemetry::Trace& trace = *scope->trace;
  for (const StageReport& report : outcome ? outcome->stages : outcome.error().stages) {
    trace.add({.id = telemetry::derived_span_id(trace.root(), number_of(report.stage)),
               .parent = trace.root(),
               .name = to_string(report.stage),
               .outcome = to_string(report.outcome),
               .failed = is_failure(report.outcome),
               .end = report.ended,
               .took = report.took});
  }
  if (outcome) {
    note_answer(trace, *outcome);
  } else {
    note_failure(trace, outcome.error());
  }
}

void link_stage(const core::TaskContext* request, Stage stage, const core::TaskContext* leader) {
  const telemetry::TraceScope* const scope = telemetry::scope_of(request);
  const telemetry::TraceScope* const other = telemetry::scope_of(leader);
  if (scope == nullptr || other == nullptr || scope->trace == other->trace) return;
  scope->trace->link(telemetry::derived_span_id(scope->trace->root(), number_of(stage)), {other->trace->id(), other->span});
}

}  // namespace scalestyle::search
