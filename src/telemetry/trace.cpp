#include "telemetry/trace.hpp"

#include <utility>

namespace scalestyle::telemetry {

namespace {

constexpr std::size_t kUsualStages = 16;
constexpr std::size_t kUsualAttributes = 12;

std::int64_t to_unix_ns(core::WallTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::int64_t nanoseconds_of(core::SteadyTime::duration time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

}  // namespace

std::string_view to_string(TraceReason reason) {
  switch (reason) {
    case TraceReason::kDrawn: return "drawn";
    case TraceReason::kRequested: return "requested";
    case TraceReason::kSlow: return "slow";
    case TraceReason::kDegraded: return "degraded";
    case TraceReason::kFailed: return "failed";
  }
  return "drawn";
}

struct Trace::Beginning {
  TraceId id{};
  std::optional<TraceParent> parent{};
  std::string_view state{};
  bool sampled = false;
  TraceReason wanted = TraceReason::kDrawn;
  core::SteadyTime begun{};
};

Trace::Trace(const TraceParent& parent, std::string_view state)
    : id_(parent.trace), root_(parent.parent), sampled_(parent.sampled), state_(state) {}

Trace::Trace(Tracer& tracer, const Beginning& beginning)
    : id_(beginning.id),
      root_(tracer.ids_.span_id()),
      sampled_(beginning.sampled),
      state_(beginning.state),
      tracer_(&tracer),
      clock_(&tracer.use_.clock),
      begun_(beginning.begun),
      begun_unix_ns_(to_unix_ns(clock_->wall_now()) - nanoseconds_of(clock_->steady_now() - begun_)),
      wanted_(beginning.wanted) {
  root_span_.id = root_;
  if (beginning.parent) root_span_.parent = beginning.parent->parent;
  root_span_.parent_is_remote = beginning.parent.has_value();
  root_span_.kind = SpanKind::kServer;
  root_span_.attributes.reserve(kUsualAttributes);
  measured_.reserve(kUsualStages);
}

// By the steady clock: the spans of a trace keep their order whatever happens to the other.
std::int64_t Trace::unix_ns(core::SteadyTime time) const { return begun_unix_ns_ + nanoseconds_of(time - begun_); }

SpanId Trace::next_id() { return tracer_->ids_.span_id(); }

void Trace::add(Span span) {
  const std::lock_guard lock(mutex_);
  if (ended_ || !is_recording()) return;
  if (measured_.size() + spans_.size() >= tracer_->options_.max_spans) {
    ++dropped_;
    return;
  }
  spans_.push_back(std::move(span));
}

void Trace::add(const MeasuredSpan& span) {
  const std::lock_guard lock(mutex_);
  if (ended_ || !is_recording()) return;
  if (measured_.size() + spans_.size() >= tracer_->options_.max_spans) {
    ++dropped_;
    return;
  }
  measured_.push_back(span);
}

void Trace::link(SpanId of, SpanLink other) {
  const std::lock_guard lock(mutex_);
  if (!ended_ && is_recording() && links_.size() < kMaxSpanLinks) links_.emplace_back(of, other);
}

void Trace::mark_degraded() {
  const std::lock_guard lock(mutex_);
  degraded_ = true;
}

const TraceScope* scope_of(const core::TaskContext* context) { return dynamic_cast<const TraceScope*>(context); }

std::string trace_id_of(const core::TaskContext* context) {
  const TraceScope* const scope = scope_of(context);
  return scope != nullptr ? scope->trace->id().hex() : std::string();
}

std::shared_ptr<TraceScope> scope_below(const core::TaskContext* context, std::uint64_t number) {
  const TraceScope* const scope = scope_of(context);
  if (scope == nullptr || !scope->trace->is_recording()) return nullptr;
  return std::make_shared<TraceScope>(scope->trace, derived_span_id(scope->trace->root(), number));
}

ActiveSpan::ActiveSpan(const std::shared_ptr<core::TaskContext>& context, std::string_view name, SpanKind kind) {
  const TraceScope* const scope = scope_of(context.get());
  if (scope == nullptr) return;
  trace_ = scope->trace;
  parent_ = scope->span;
  if (!recording()) return;
  span_.id = trace_->next_id();
  span_.parent = parent_;
  span_.name = name.substr(0, kMaxSpanTextBytes);
  span_.kind = kind;
  span_.begin_unix_ns = trace_->unix_ns(trace_->clock().steady_now());
}

std::string ActiveSpan::traceparent() const {
  if (trace_ == nullptr) return {};
  return trace_->traceparent(trace_->is_recording() ? span_.id : parent_);
}

void ActiveSpan::end() {
  if (!recording()) return;
  span_.end_unix_ns = trace_->unix_ns(trace_->clock().steady_now());
  trace_->add(std::move(span_));
  trace_.reset();
}

core::Status Tracer::Options::validate() const {
  const auto refuse = [](const char* what, const char* field) { return core::fail(core::ErrorCode::kInvalidArgument, what, field); };
  if (!(sample >= 0 && sample <= 1)) return refuse("trace_sample must be from 0 to 1", "trace_sample");
  if (slow.count() < 1) return refuse("trace_slow_ms must be at least 1", "trace_slow_ms");
  if (max_spans < 1 || max_spans > 10'000) return refuse("max_spans must be 1 to 10,000", "max_spans");
  return {};
}

Tracer::Tracer(Dependencies dependencies, Options options)
    : use_(dependencies), options_(options), requested_(options.max_requested_per_second), kept_(options.max_kept_per_second) {
  for (std::size_t i = 0; i < kTraceReasonCount; ++i) {
    kept_total_[i] = use_.metrics.counter({"scalestyle_traces_kept_total", "Traces that are exported, by why.",
                                           {{"reason", std::string(to_string(static_cast<TraceReason>(i)))}}});
  }
  limited_total_ = use_.metrics.counter({"scalestyle_traces_limited_total", "Traces worth keeping that were over the limit a second."});
}

// So many in each second of the clock, from its start.
bool Tracer::Allowance::take(core::SteadyTime now) {
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::lock_guard lock(mutex_);
  if (second != second_) {
    second_ = second;
    taken_ = 0;
  }
  if (taken_ >= per_second_) return false;
  ++taken_;
  return true;
}

// By the id: who draws by the same share elsewhere keeps the same traces.
bool Tracer::is_drawn(TraceId id) const {
  constexpr double kRange = 0x1p56;
  return static_cast<double>(id.low & 0xFFFFFFFFFFFFFFU) < options_.sample * kRange;
}

std::shared_ptr<Trace> Tracer::begin(const std::optional<TraceParent>& parent, std::string_view state, core::SteadyTime begun) {
  Trace::Beginning beginning{.id = parent ? parent->trace : ids_.trace_id(), .parent = parent, .state = state, .begun = begun};
  if (parent) {
    beginning.sampled = parent->sampled && requested_.take(begun);
    beginning.wanted = TraceReason::kRequested;
  } else {
    beginning.sampled = is_drawn(beginning.id);
  }
  return std::shared_ptr<Trace>(new Trace(*this, beginning));
}

std::optional<TraceReason> Tracer::reason_of(const Trace& trace, const Ending& ending) const {
  if (trace.sampled_) return trace.wanted_;
  if (ending.never_kept) return std::nullopt;
  if (ending.failed) return TraceReason::kFailed;
  if (trace.degraded_) return TraceReason::kDegraded;
  if (ending.time - trace.begun_ >= options_.slow) return TraceReason::kSlow;
  return std::nullopt;
}

void Tracer::end(Trace& trace, const Ending& ending) {
  if (!trace.is_recording()) return;
  std::vector<Span> spans;
  {
    const std::lock_guard lock(trace.mutex_);
    if (std::exchange(trace.ended_, true)) return;
    const std::optional<TraceReason> reason = reason_of(trace, ending);
    if (!reason) return;
    if (!kept_.take(ending.time)) {
      limited_total_.add();
      return;
    }
    kept_total_[static_cast<std::size_t>(*reason)].add();
    spans = collect(trace, ending, *reason);
  }
  use_.sink.take(std::move(spans));
}

std::vector<Span> Tracer::collect(Trace& trace, const Ending& ending, TraceReason reason) const {
  std::vector<Span> spans = std::move(trace.spans_);
  spans.reserve(spans.size() + trace.measured_.size() + 1);
  for (const MeasuredSpan& measured : trace.measured_) {
    Span span;
    span.id = measured.id;
    span.parent = measured.parent;
    span.name = measured.name;
    span.end_unix_ns = trace.unix_ns(measured.end);
    span.begin_unix_ns = span.end_unix_ns - measured.took.count();
    span.set("scalestyle.outcome", measured.outcome);
    if (measured.failed) span.fail({});
    for (const auto& [of, other] : trace.links_) {
      if (of == measured.id) span.link(other);
    }
    spans.push_back(std::move(span));
  }
  Span root = std::move(trace.root_span_);
  root.name = ending.name.substr(0, kMaxSpanTextBytes);
  root.begin_unix_ns = trace.begun_unix_ns_;
  root.end_unix_ns = trace.unix_ns(ending.time);
  if (ending.failed) root.fail(ending.error);
  root.set("scalestyle.kept", to_string(reason));
  if (trace.dropped_ > 0) root.set("scalestyle.dropped_spans", trace.dropped_);
  spans.push_back(std::move(root));
  for (Span& span : spans) {
    span.trace = trace.id_;
    span.sampled = trace.sampled_;
    span.state = trace.state_;
  }
  return spans;
}

}  // namespace scalestyle::telemetry
