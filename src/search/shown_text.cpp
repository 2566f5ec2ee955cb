#include "search/shown_text.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace scalestyle::search {

namespace {

constexpr std::string_view kEllipsis = "…";

bool is_blank(char32_t c) { return c == ' ' || c == 0x2028 || c == 0x2029 || text::is_bert_whitespace(c); }

// Tags, joiners, direction marks and the like: seen by nobody, read by programs.
bool is_unseen(char32_t c) {
  const bool is_joiner_or_direction = (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F);
  const bool is_special = c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFD) || (c >= 0xE0000 && c <= 0xE0FFF);
  return is_joiner_or_direction || is_special || text::is_bert_control(c);
}

// Shown as it is; most characters are.
bool is_plain(char c) { return c > ' ' && c < 0x7F && c != '"'; }

bool is_double_quote(char32_t c) { return c == '"' || (c >= 0x201C && c <= 0x201F) || c == 0xAB || c == 0xBB; }

}  // namespace

std::size_t append_shown(std::string_view value, std::size_t max_characters, std::string& out) {
  std::size_t characters = 0;
  bool blank_before = false;
  for (std::size_t position = 0; position < value.size();) {
    const std::size_t begin = position;
    if (is_plain(value[position])) {
      while (position < value.size() && is_plain(value[position])) ++position;
      const std::size_t blank = blank_before ? 1 : 0;
      const std::size_t room = max_characters > characters + blank ? max_characters - characters - blank : 0;
      const std::size_t taken = std::min(room, position - begin);
      if (blank_before && taken > 0) out += ' ';
      out.append(value, begin, taken);
      if (taken > 0) characters += blank + taken;
      if (taken < position - begin) {
        out += kEllipsis;
        return characters + 1;
      }
      blank_before = false;
      continue;
    }
    const char32_t c = text::next_code_point(value, position);
    if (is_blank(c)) {
      blank_before = characters > 0;
      continue;
    }
    if (is_unseen(c)) continue;
    const std::size_t wanted = blank_before ? 2 : 1;
    if (characters + wanted > max_characters) {
      out += kEllipsis;
      return characters + 1;
    }
    if (blank_before) out += ' ';
    if (is_double_quote(c)) {
      out += '\'';
    } else {
      out.append(value.substr(begin, position - begin));
    }
    characters += wanted;
    blank_before = false;
  }
  return characters;
}

}  // namespace scalestyle::search
