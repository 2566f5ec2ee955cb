#pragma once
// Rising numbers as bytes: their count, a Rice parameter that fits their mean gap, then the gaps. A gap is its high part in
// unary and its low bits as they are, which is close to the least that random sets need.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::search {

// Appends. `numbers` are distinct and rising.
void write_rising(std::span<const std::uint32_t> numbers, std::string& bytes);

// All of `bytes`. kInvalidArgument unless they are what write_rising made of at most `max_count` numbers.
[[nodiscard]] core::Result<std::vector<std::uint32_t>> read_rising(std::string_view bytes, std::size_t max_count);

// RFC 4648 §5, without padding. decode gives kInvalidArgument for what encode does not make.
[[nodiscard]] std::string base64url_encode(std::string_view bytes);
[[nodiscard]] core::Result<std::string> base64url_decode(std::string_view text);

}  // namespace scalestyle::search
