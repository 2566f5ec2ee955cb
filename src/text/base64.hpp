#pragma once
// Bytes as Base64 (RFC 4648, section 4): the standard alphabet, padded. Reading it is http/base64.hpp's.
// Thread safety: a free function without state.

#include <string>
#include <string_view>

namespace scalestyle::text {

[[nodiscard]] std::string base64_encode(std::string_view bytes);

}  // namespace scalestyle::text
