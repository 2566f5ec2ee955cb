#pragma once
// Texts as JSON has them, of any bytes: control characters (of terminals too), quotes and ill-formed UTF-8 are escaped.
// Thread safety: free functions without state.

#include <string>
#include <string_view>

namespace scalestyle::telemetry {

// Appends `text` as the inside of a JSON string.
void append_json_escaped(std::string& out, std::string_view text);
// The same between quotes.
void append_json_quoted(std::string& out, std::string_view text);

}  // namespace scalestyle::telemetry
