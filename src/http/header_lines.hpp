#pragma once
// HeaderLines: looks over the lines of a request's header as they arrive, for what servers are known to read differently, so
// that one request could hide another (RFC 9112, sections 2.2, 5.2 and 11.2): a line that does not end in CR LF, a CR or NUL
// within a line, a line that continues the one before it.
// Not thread-safe.

#include <cstddef>
#include <string_view>

namespace scalestyle::http {

class HeaderLines {
 public:
  // The next bytes; what follows the header's empty line is not looked at. False: the request must be refused.
  [[nodiscard]] bool add(std::string_view bytes);

 private:
  char last_ = '\n';
  std::size_t line_ = 0;       // from 0
  std::size_t line_bytes_ = 0; // so far
  bool complete_ = false;
};

}  // namespace scalestyle::http
