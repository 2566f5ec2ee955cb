#include "consumer/effect_spans.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace scalestyle::consumer {

namespace {

constexpr std::size_t kMaxSpans = 32;

struct Traced {
  telemetry::TraceParent parent;
  const events::LoggedEvent* first;
  std::int64_t events = 1;
};

std::vector<Traced> traced_of(std::span<const events::LoggedEvent> batch) {
  std::vector<Traced> traced;
  for (const events::LoggedEvent& event : batch) {
    if (event.delivery.traceparent.empty()) continue;
    const auto parent = telemetry::parse_traceparent(event.delivery.traceparent);
    if (!parent || !parent->sampled) continue;
    const auto same = [&](const Traced& other) { return other.parent.trace == parent->trace && other.parent.parent == parent->parent; };
    if (const auto known = std::ranges::find_if(traced, same); known != traced.end()) {
      ++known->events;
    } else if (traced.size() < kMaxSpans) {
      traced.push_back({*parent, &event});
    }
  }
  return traced;
}

}  // namespace

void record_effects(const EffectSpans& record, std::span<const events::LoggedEvent> batch, const core::Status& outcome) {
  if (record.tracer == nullptr) return;
  const std::vector<Traced> traced = traced_of(batch);
  if (traced.empty()) return;
  const auto now = record.tracer->clock().wall_now().time_since_epoch();
  const std::int64_t end = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  std::vector<telemetry::Span> spans;
  for (const Traced& one : traced) {
    telemetry::Span span;
    span.trace = one.parent.trace;
    span.id = record.tracer->next_id();
    span.parent = one.parent.parent;
    span.parent_is_remote = true;
    span.sampled = true;
    span.state = telemetry::usable_tracestate(one.first->delivery.tracestate);
    span.name = "apply " + std::string(record.loop);
    span.kind = telemetry::SpanKind::kConsumer;
    span.begin_unix_ns = end - record.took.count();
    span.end_unix_ns = end;
    span.set("messaging.destination.name", std::string_view(one.first->position.stream));
    span.set("messaging.destination.partition.id", std::to_string(one.first->position.partition));
    span.set("scalestyle.offset", one.first->position.offset);
    span.set("scalestyle.events", one.events);
    span.set("messaging.batch.message_count", static_cast<std::int64_t>(batch.size()));
    if (one.first->delivery.retries > 0) span.set("scalestyle.retries", std::int64_t{one.first->delivery.retries});
    if (!outcome) span.fail(core::to_string(outcome.error().code));
    spans.push_back(std::move(span));
  }
  record.tracer->record(std::move(spans));
}

}  // namespace scalestyle::consumer
