#include "http/header_lines.hpp"

#include <utility>

namespace scalestyle::http {

bool HeaderLines::add(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size() && !complete_; ++at) {
    const char c = bytes[at];
    const char before = std::exchange(last_, c);
    if ((before == '\r') != (c == '\n') || c == '\0') return false;
    if (c == '\n') {
      complete_ = line_bytes_ == 0;
      ++line_;
      line_bytes_ = 0;
    } else if (c != '\r') {
      const bool continues = line_ > 0 && line_bytes_ == 0 && (c == ' ' || c == '\t');
      if (continues) return false;
      // Most of a line says nothing: CR, LF and NUL are among the lowest bytes.
      const std::size_t begin = at;
      while (at + 1 < bytes.size() && static_cast<unsigned char>(bytes[at + 1]) > '\r') ++at;
      line_bytes_ += 1 + at - begin;
      last_ = bytes[at];
    }
  }
  return true;
}

}  // namespace scalestyle::http
