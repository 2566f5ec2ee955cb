#include "http/header_lines.hpp"

#include <utility>

namespace scalestyle::http {

bool HeaderLines::add(std::string_view bytes) {
  for (const char c : bytes) {
    if (complete_) return true;
    const char before = std::exchange(last_, c);
    if ((before == '\r') != (c == '\n') || c == '\0') return false;
    if (c == '\n') {
      complete_ = line_bytes_ == 0;
      ++line_;
      line_bytes_ = 0;
    } else if (c != '\r') {
      const bool continues = line_ > 0 && line_bytes_ == 0 && (c == ' ' || c == '\t');
      if (continues) return false;
      ++line_bytes_;
    }
  }
  return true;
}

}  // namespace scalestyle::http
