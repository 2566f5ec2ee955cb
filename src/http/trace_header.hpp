#pragma once
// The header by which callers tell which trace a request belongs to. Source: W3C Trace Context, section 3.2.
// Thread safety: a free function and a plain value.

#include <optional>
#include <string>
#include <string_view>

namespace scalestyle::http {

struct TraceParent {
  std::string trace_id;   // 32 hexadecimal digits in small letters, not all zero
  std::string parent_id;  // 16 of them, not all zero
  bool sampled = false;
};

// Nothing for a header that is not well formed: the request then belongs to no trace. Of versions after 00 the known beginning is
// read, as the source wants it.
[[nodiscard]] std::optional<TraceParent> parse_traceparent(std::string_view header);

}  // namespace scalestyle::http
