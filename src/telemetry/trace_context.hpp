#pragma once
// Which trace something belongs to, and how that travels between programs. Source: W3C Trace Context, sections 3.2 and 3.3.
// Thread safety: plain values and free functions without state, but for IdSource, which may be used from any thread.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scalestyle::telemetry {

struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  [[nodiscard]] bool is_valid() const { return (high | low) != 0; }
  [[nodiscard]] std::string hex() const;  // 32 hexadecimal digits in small letters
  friend bool operator==(const TraceId&, const TraceId&) = default;
};

struct SpanId {
  std::uint64_t value = 0;

  [[nodiscard]] bool is_valid() const { return value != 0; }
  [[nodiscard]] std::string hex() const;  // 16 of them
  friend bool operator==(const SpanId&, const SpanId&) = default;
};

struct TraceParent {
  TraceId trace{};   // valid
  SpanId parent{};   // valid
  bool sampled = false;
};

// Nothing for a header that is not well formed: the request then belongs to no trace. Of versions after 00 the known beginning is
// read, as the source wants it.
[[nodiscard]] std::optional<TraceParent> parse_traceparent(std::string_view header);

// The header of version 00.
[[nodiscard]] std::string write_traceparent(const TraceParent& parent);

// `header`, where it is a list as the source has it: at most 512 characters and 32 members with different keys. Else empty: a state
// that cannot be read is left out, and the trace goes on without it.
[[nodiscard]] std::string_view usable_tracestate(std::string_view header);

// Ids that are random, but no secrets. Seeded once; some nanoseconds each.
class IdSource {
 public:
  IdSource();  // by the operating system
  explicit IdSource(std::uint64_t seed) : seed_(seed), other_seed_(~seed) {}

  [[nodiscard]] TraceId trace_id();
  [[nodiscard]] SpanId span_id();

 private:
  std::uint64_t seed_;
  std::uint64_t other_seed_;
  std::atomic<std::uint64_t> count_{0};
};

// A span's id that follows from another's: of the `number`-th thing that has a fixed place below it.
[[nodiscard]] SpanId derived_span_id(SpanId parent, std::uint64_t number);

}  // namespace scalestyle::telemetry
