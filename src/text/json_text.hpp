#pragma once
// A text as JSON writes it (RFC 8259, section 7). Thread safety: a free function without state.

#include <string>
#include <string_view>

namespace scalestyle::text {

// Appends `value` in quotes: quotes, backslashes and control characters escaped, the rest as it is. Ill-formed UTF-8
// becomes U+FFFD, so that the result is always valid.
void append_json_text(std::string_view value, std::string& out);

}  // namespace scalestyle::text
