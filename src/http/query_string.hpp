#pragma once
// Percent-encoding (RFC 3986, section 2.1) and query strings (application/x-www-form-urlencoded: "+" is a blank).
// Every decoded text is UTF-8 without NUL, or an error.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::http {

// kInvalidArgument with `field`: "%" without two hexadecimal digits, NUL, or bytes that are not UTF-8.
[[nodiscard]] core::Result<std::string> percent_decode(std::string_view text, bool plus_is_blank, std::string_view field);

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=x+y" in order; a piece without "=" has an empty value, empty pieces are skipped. Errors name the parameter.
[[nodiscard]] core::Result<QueryPairs> parse_query(std::string_view query);

// A name from outside, shortened for messages.
[[nodiscard]] std::string shown_name(std::string_view name);

}  // namespace scalestyle::http
