#include "text/json_text.hpp"

#include "text/unicode.hpp"

namespace scalestyle::text {

namespace {

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 0xFU];
}

bool is_plain_ascii(char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; }

}  // namespace

void append_json_text(std::string_view value, std::string& out) {
  out += '"';
  std::size_t position = 0;
  while (position < value.size()) {
    std::size_t plain = position;
    while (plain < value.size() && is_plain_ascii(value[plain])) ++plain;
    out.append(value, position, plain - position);
    position = plain;
    if (position == value.size()) break;
    if (static_cast<unsigned char>(value[position]) <= 0x7F) {
      append_escape(out, value[position++]);
    } else {
      append_utf8(next_code_point(value, position), out);
    }
  }
  out += '"';
}

}  // namespace scalestyle::text
