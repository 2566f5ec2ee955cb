#pragma once
// Span: one thing that was done for a request, of whatever program, and how long it took.
// Source: OpenTelemetry, "Tracing API" and trace.proto. Plain values: no thread safety needed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "telemetry/trace_context.hpp"

namespace scalestyle::telemetry {

enum class SpanKind : std::uint8_t { kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };  // as on the wire

struct SpanAttribute {
  std::string_view key;  // lives as long as the program
  std::variant<std::string, std::int64_t, double, bool> value;
};

// Another span that this one has to do with, beside its parent.
struct SpanLink {
  TraceId trace{};
  SpanId span{};
};

inline constexpr std::size_t kMaxSpanAttributes = 32;
inline constexpr std::size_t kMaxSpanLinks = 32;
inline constexpr std::size_t kMaxSpanTextBytes = 256;  // of a name, a value, a message; longer ones are cut

struct Span {
  TraceId trace{};
  SpanId id{};
  SpanId parent{};              // not valid: it has none
  bool parent_is_remote = false;
  bool sampled = false;         // what other programs were told
  std::string state{};          // W3C tracestate
  std::string name{};
  SpanKind kind = SpanKind::kInternal;
  std::int64_t begin_unix_ns = 0;
  std::int64_t end_unix_ns = 0;
  std::vector<SpanAttribute> attributes{};
  std::vector<SpanLink> links{};
  std::uint32_t dropped_attributes = 0;  // over their bounds, as the links
  std::uint32_t dropped_links = 0;
  bool failed = false;
  std::string error{};          // of a failed one, for people

  void set(std::string_view key, std::string_view text);
  void set(std::string_view key, const char* text) { set(key, std::string_view(text)); }
  void set(std::string_view key, const std::string& text) { set(key, std::string_view(text)); }
  void set(std::string_view key, std::int64_t number) { add({key, number}); }
  void set(std::string_view key, double number) { add({key, number}); }
  void set(std::string_view key, bool flag) { add({key, flag}); }
  void link(SpanLink other);
  void fail(std::string_view message);

 private:
  void add(SpanAttribute attribute);
};

// Takes spans that have ended, to show them somewhere. Thread safety: any thread, at once; must not block.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void take(std::vector<Span> spans) = 0;
};

}  // namespace scalestyle::telemetry
