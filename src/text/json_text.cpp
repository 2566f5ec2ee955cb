#include "text/json_text.hpp"

#include <cstdint>
#include <cstring>

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

constexpr std::uint64_t eight(unsigned char byte) { return 0x0101010101010101ULL * byte; }
// In each byte that is zero the highest bit; above the first such byte others may have it too.
constexpr std::uint64_t zeros(std::uint64_t word) { return (word - eight(1)) & ~word & eight(0x80); }

// Whether the eight characters at `text` are plain.
bool are_plain_ascii(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  const std::uint64_t controls = (word - eight(' ')) & ~word;
  const std::uint64_t others = zeros(word ^ eight('"')) | zeros(word ^ eight('\\')) | zeros(word ^ eight(0x7F));
  return (((word | controls) & eight(0x80)) | others) == 0;
}

std::size_t end_of_plain(std::string_view value, std::size_t position) {
  while (position + 8 <= value.size() && are_plain_ascii(value.data() + position)) position += 8;
  while (position < value.size() && is_plain_ascii(value[position])) ++position;
  return position;
}

}  // namespace

void append_json_text(std::string_view value, std::string& out) {
  out += '"';
  std::size_t position = 0;
  while (position < value.size()) {
    const std::size_t plain = end_of_plain(value, position);
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
