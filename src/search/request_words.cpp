#include "search/request_words.hpp"

#include <fmt/format.h>

#include "text/unicode.hpp"

namespace scalestyle::search {

bool is_blank(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const char32_t code_point = text::next_code_point(text, position);
    if (!text::is_bert_whitespace(code_point) && !text::is_bert_control(code_point)) return false;
  }
  return true;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) static_cast<void>(text::next_code_point(text, position));
  return count;
}

core::Status check_text(std::string_view text, const char* field, std::size_t most_characters) {
  const auto wrong = [field](std::string message) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), field);
  };
  if (!text::is_valid_utf8(text)) return wrong(fmt::format("{} must be UTF-8", field));
  if (text.find('\0') != std::string_view::npos) return wrong(fmt::format("{} must not contain NUL", field));
  if (const std::size_t characters = count_characters(text); characters > most_characters) {
    return wrong(fmt::format("{} must have at most {} characters, not {}", field, most_characters, characters));
  }
  return {};
}

}  // namespace scalestyle::search
