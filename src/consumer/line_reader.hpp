#pragma once
// LineReader: lines of a file, a pipe or standard input, one at a time, in bounded memory. Not thread-safe; blocking.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::consumer {

struct Line {
  std::uint64_t number = 0;  // from 1
  std::string_view text{};   // without its end ("\n" or "\r\n"); lives until the next call; cut at the limit when too long
  bool too_long = false;
};

class LineReader {
 public:
  // Reads from a file descriptor, which stays the caller's. A second one (−1: none) ends the reading with kCancelled when
  // there is something to read from it: a signal's handler can write to its other end.
  LineReader(int descriptor, std::string name, std::size_t max_line_bytes, int cancel_descriptor = -1);

  // False at the end. A last line without an end counts. Errors: kUnavailable (names the input), kCancelled.
  [[nodiscard]] core::Result<bool> next(Line& line);

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  [[nodiscard]] core::Status fill();

  const int descriptor_;
  const std::string name_;
  const std::size_t max_line_bytes_;
  const int cancel_descriptor_;
  std::string buffer_;
  std::string line_;
  std::size_t begin_ = 0;  // of what is not consumed of buffer_
  std::uint64_t number_ = 0;
  bool at_end_ = false;
};

}  // namespace scalestyle::consumer
