#pragma once
// Checks of the texts that a request brings. Pure.

#include <cstddef>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::search {

// Nothing but blanks and control characters. `text` is UTF-8.
[[nodiscard]] bool is_blank(std::string_view text);

// Code points. `text` is UTF-8.
[[nodiscard]] std::size_t count_characters(std::string_view text);

// kInvalidArgument with `field`: not UTF-8, with a NUL, or longer than so many code points.
[[nodiscard]] core::Status check_text(std::string_view text, const char* field, std::size_t most_characters);

}  // namespace scalestyle::search
