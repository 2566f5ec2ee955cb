#pragma once
// Base64 (RFC 4648, section 4) and data: URLs (RFC 2397) as bytes.

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::http {

// Strict: the standard alphabet, padded, nothing else between, no unused bits set. Errors: kInvalidArgument with the place.
[[nodiscard]] core::Result<std::string> base64_decode(std::string_view text);

// "data:image/png;base64,…": what is behind the comma. Other texts are given back as they are. The media type is the
// sender's claim and is not looked at. kInvalidArgument: a data: URL that is not in Base64.
[[nodiscard]] core::Result<std::string_view> without_data_url(std::string_view text);

}  // namespace scalestyle::http
