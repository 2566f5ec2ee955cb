#pragma once
// What the readers of query and judgement files share: lines with their numbers, and errors that name them.

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::evaluation {

inline constexpr std::string_view kBlanks = " \t\r\n\v\f";
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[nodiscard]] inline std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The next piece between blanks, taken off `text`; empty at its end.
[[nodiscard]] inline std::string_view next_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

[[nodiscard]] inline std::unexpected<core::Error> wrong_line(std::string_view file, std::size_t line, std::string_view what) {
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}", file, line, what));
}

// Line by line; a CR before the newline belongs to the line's end. Views last as long as the text.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }
  // The next line that is not blank; nothing at the end.
  std::optional<std::string_view> next() {
    while (!rest_.empty()) {
      const std::size_t end = std::min(rest_.find('\n'), rest_.size());
      std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!trim(line).empty()) return line;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t number() const { return number_; }  // of the line given last, from 1

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

}  // namespace scalestyle::evaluation
