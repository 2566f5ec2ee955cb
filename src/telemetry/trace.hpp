#pragma once
// Trace: the spans of one request, collected while it is served; Tracer: begins traces and decides which are kept.
//
// Every request has a trace, for only at its end is it known whether it is worth keeping: always when it was slow, degraded
// or failed (tail sampling); else when it was drawn, or when its caller asked for it by the sampled flag of its traceparent,
// both within bounds a second. What is not kept costs about a microsecond and is dropped whole. What other programs are told
// (the sampled flag) is decided at the beginning: of a request that turns out slow, only this program's part is kept.
//
// A trace travels with the task that serves its request (core::TaskContext), as a TraceScope: the trace and the span below
// which new ones belong. Where tracing is off, the scope of a request that came with a traceparent carries it on, unchanged.
//
// Bounds: spans of a trace, attributes and links of a span, lengths of texts; what is beyond is counted in the trace.
// Thread safety: every method may be called from any thread, but for ActiveSpan, which has one owner.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/span.hpp"
#include "telemetry/trace_context.hpp"

namespace scalestyle::telemetry {

class Tracer;

// Why a trace is kept.
enum class TraceReason : std::uint8_t { kDrawn, kRequested, kSlow, kDegraded, kFailed };
inline constexpr std::size_t kTraceReasonCount = 5;
[[nodiscard]] std::string_view to_string(TraceReason reason);  // "drawn", "requested", "slow", "degraded", "failed"

// A span that was measured by others already, without attributes but its outcome: cheap to take.
struct MeasuredSpan {
  SpanId id{};
  SpanId parent{};
  std::string_view name;     // lives as long as the program, as `outcome`
  std::string_view outcome;
  bool failed = false;
  core::SteadyTime end{};
  std::chrono::nanoseconds took{0};
};

class Trace {
 public:
  // Of a request that came with `parent` while nothing is recorded here: it is only carried on.
  Trace(const TraceParent& parent, std::string_view state);

  [[nodiscard]] TraceId id() const { return id_; }
  [[nodiscard]] SpanId root() const { return root_; }
  [[nodiscard]] bool is_recording() const { return clock_ != nullptr; }
  [[nodiscard]] bool sampled() const { return sampled_; }
  [[nodiscard]] const std::string& state() const { return state_; }
  [[nodiscard]] std::string traceparent(SpanId span) const { return write_traceparent({id_, span, sampled_}); }
  [[nodiscard]] std::int64_t unix_ns(core::SteadyTime time) const;
  // Only while it is recording.
  [[nodiscard]] const core::Clock& clock() const { return *clock_; }
  [[nodiscard]] SpanId next_id();

  // After the trace has ended these do nothing.
  void add(Span span);
  void add(const MeasuredSpan& span);
  // To a measured span that is there or will be.
  void link(SpanId of, SpanLink other);
  // Of the request's own span.
  template <class Value>
  void set(std::string_view key, Value value) {
    const std::lock_guard lock(mutex_);
    if (!ended_) root_span_.set(key, value);
  }
  void mark_degraded();

 private:
  friend class Tracer;
  struct Beginning;
  Trace(Tracer& tracer, const Beginning& beginning);

  const TraceId id_;
  const SpanId root_;
  const bool sampled_;
  const std::string state_;
  Tracer* const tracer_ = nullptr;          // null, as the clock: nothing is recorded
  const core::Clock* const clock_ = nullptr;
  const core::SteadyTime begun_{};
  const std::int64_t begun_unix_ns_ = 0;
  const TraceReason wanted_ = TraceReason::kDrawn;  // of a sampled one

  std::mutex mutex_;
  Span root_span_;                     // guarded by mutex_, as all below
  std::vector<MeasuredSpan> measured_;
  std::vector<std::pair<SpanId, SpanLink>> links_;
  std::vector<Span> spans_;
  std::int64_t dropped_ = 0;
  bool degraded_ = false;
  bool ended_ = false;
};

// A trace and a span of it, as a task's context.
class TraceScope final : public core::TaskContext {
 public:
  TraceScope(std::shared_ptr<Trace> its_trace, SpanId its_span) : trace(std::move(its_trace)), span(its_span) {}

  const std::shared_ptr<Trace> trace;  // not null
  const SpanId span;
};

// Null where the task belongs to no trace.
[[nodiscard]] const TraceScope* scope_of(const core::TaskContext* context);
// 32 hexadecimal digits; empty where there is none. For logs.
[[nodiscard]] std::string trace_id_of(const core::TaskContext* context);
// The same trace, below the `number`-th measured span of its request; null where nothing is recorded.
[[nodiscard]] std::shared_ptr<TraceScope> scope_below(const core::TaskContext* context, std::uint64_t number);

// A span in progress, below the scope of a task's context. Without a trace it does nothing.
class ActiveSpan {
 public:
  ActiveSpan() = default;
  // `name`: at most kMaxSpanTextBytes are kept.
  ActiveSpan(const std::shared_ptr<core::TaskContext>& context, std::string_view name, SpanKind kind);
  ActiveSpan(ActiveSpan&&) noexcept = default;
  ActiveSpan& operator=(ActiveSpan&& other) noexcept {
    end();
    trace_ = std::move(other.trace_);
    parent_ = other.parent_;
    span_ = std::move(other.span_);
    return *this;
  }
  ~ActiveSpan() { end(); }

  // What to send along; empty: nothing.
  [[nodiscard]] std::string traceparent() const;
  [[nodiscard]] std::string_view tracestate() const { return trace_ ? std::string_view(trace_->state()) : std::string_view(); }

  // Where it began before it was known whom it is for.
  void set_begin(core::SteadyTime time) {
    if (recording()) span_.begin_unix_ns = trace_->unix_ns(time);
  }
  template <class Value>
  void set(std::string_view key, Value value) {
    if (recording()) span_.set(key, value);
  }
  void fail(std::string_view message) {
    if (recording()) span_.fail(message);
  }
  // A failed call, by the error's code alone: messages may tell what belongs in no trace.
  template <class T>
  void note(const core::Result<T>& outcome) {
    if (!outcome) fail(core::to_string(outcome.error().code));
  }
  void end();

  [[nodiscard]] bool recording() const { return trace_ != nullptr && trace_->is_recording(); }

 private:
  std::shared_ptr<Trace> trace_;
  SpanId parent_{};
  Span span_;
};

class Tracer {
 public:
  struct Options {
    double sample = 0.01;                      // share of requests that are kept whatever they do; 0 … 1
    std::chrono::milliseconds slow{500};       // a request that takes as long is kept
    std::size_t max_spans = 256;               // of a trace
    std::size_t max_requested_per_second = 50;  // traces that callers asked for; of more only the tail rules decide
    std::size_t max_kept_per_second = 200;     // for whatever reason: an outage makes every request degraded

    // kInvalidArgument with the setting as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Dependencies {
    SpanSink& sink;
    const core::Clock& clock;
    Metrics& metrics;
  };
  struct Ending {
    std::string_view name;
    core::SteadyTime time{};
    bool failed = false;
    std::string_view error{};
    bool never_kept = false;  // a probe: kept only when its caller asked for it or it was drawn
  };

  // `options` must be valid. Must outlive its traces.
  Tracer(Dependencies dependencies, Options options);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // Of a request that came at `begun`, with a header or without.
  [[nodiscard]] std::shared_ptr<Trace> begin(const std::optional<TraceParent>& parent, std::string_view state, core::SteadyTime begun);
  void end(Trace& trace, const Ending& ending);

  // A span by itself, of a trace that began elsewhere: it is kept.
  void record(std::vector<Span> spans) { use_.sink.take(std::move(spans)); }

  [[nodiscard]] SpanId next_id() { return ids_.span_id(); }
  [[nodiscard]] const core::Clock& clock() const { return use_.clock; }

 private:
  friend class Trace;
  // So many in each second of the clock.
  class Allowance {
   public:
    explicit Allowance(std::size_t per_second) : per_second_(per_second) {}
    [[nodiscard]] bool take(core::SteadyTime now);

   private:
    const std::size_t per_second_;
    std::mutex mutex_;
    std::int64_t second_ = 0;  // guarded by mutex_, as below
    std::size_t taken_ = 0;
  };

  [[nodiscard]] bool is_drawn(TraceId id) const;
  [[nodiscard]] std::optional<TraceReason> reason_of(const Trace& trace, const Ending& ending) const;
  [[nodiscard]] std::vector<Span> collect(Trace& trace, const Ending& ending, TraceReason reason) const;

  Dependencies use_;
  const Options options_;
  IdSource ids_;
  Allowance requested_;
  Allowance kept_;
  std::array<Counter, kTraceReasonCount> kept_total_;
  Counter limited_total_;
};

}  // namespace scalestyle::telemetry
