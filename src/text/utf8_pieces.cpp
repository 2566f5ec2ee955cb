#include "text/utf8_pieces.hpp"

#include <cstddef>

#include "text/unicode.hpp"

namespace scalestyle::text {

std::string_view Utf8Pieces::push(std::string_view bytes) {
  held_ += bytes;
  const std::size_t complete = held_.size() - incomplete_suffix(held_);
  const std::string_view characters = std::string_view(held_).substr(0, complete);
  out_.clear();
  for (std::size_t position = 0; position < complete;) append_utf8(next_code_point(characters, position), out_);
  held_.erase(0, complete);
  return out_;
}

std::string_view Utf8Pieces::finish() {
  out_.clear();
  if (!held_.empty()) append_utf8(kReplacementCharacter, out_);
  held_.clear();
  return out_;
}

}  // namespace scalestyle::text
