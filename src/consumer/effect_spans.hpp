#pragma once
// What became of events, in the traces of the requests that brought them: a consumer's span below the one that appended the event.
//
// One span a trace of a batch, at most 32 a batch, and only of requests that are sampled: those whose spans are kept for certain.
// Source: OpenTelemetry semantic conventions for messaging, "process" spans. Thread safety: a free function.

#include <chrono>
#include <span>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "events/event.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::consumer {

struct EffectSpans {
  telemetry::Tracer* tracer = nullptr;  // null: nothing is traced
  std::string_view loop;                // which one it was
  std::chrono::nanoseconds took{0};     // of the batch; it ended now
};

// `outcome`: of the whole batch.
void record_effects(const EffectSpans& record, std::span<const events::LoggedEvent> batch, const core::Status& outcome);

}  // namespace scalestyle::consumer
