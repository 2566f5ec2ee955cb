#pragma once
// Text of a catalogue or a shopper as a part of a sentence of ours: data, whatever it says.
// Thread safety: a free function without state.

#include <cstddef>
#include <string>
#include <string_view>

namespace scalestyle::search {

// Appends at most `max_characters` code points of `value`: control and format characters (also those that turn the direction of
// writing) and ill-formed bytes are left out, runs of blanks and line ends become one blank, blanks at the ends go, double quotes
// become single ones. Where more was left, "…" ends it. Gives how many code points were appended.
std::size_t append_shown(std::string_view value, std::size_t max_characters, std::string& out);

[[nodiscard]] inline std::string shown(std::string_view value, std::size_t max_characters) {
  std::string text;
  append_shown(value, max_characters, text);
  return text;
}

}  // namespace scalestyle::search
