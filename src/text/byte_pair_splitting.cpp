#include "text/byte_pair_splitting.hpp"

#include <array>
#include <cstdint>

#include "text/unicode.hpp"

namespace scalestyle::text {

namespace {

enum class Kind : std::uint8_t { kLetter, kNumber, kNewline, kBlank, kOther, kEnd };

Kind kind_of(char32_t c) {
  if (c == '\r' || c == '\n') return Kind::kNewline;
  if (is_letter(c)) return Kind::kLetter;
  if (is_number(c)) return Kind::kNumber;
  return is_white_space(c) ? Kind::kBlank : Kind::kOther;
}

std::array<Kind, 128> ascii_kinds() {
  std::array<Kind, 128> kinds{};
  for (char32_t c = 0; c < kinds.size(); ++c) kinds[c] = kind_of(c);
  return kinds;
}

// One character and where the next one begins.
struct Character {
  Kind kind = Kind::kEnd;
  char32_t code_point = 0;
  std::size_t end = 0;
};

Character character_at(std::string_view text, std::size_t position) {
  static const std::array<Kind, 128> kAscii = ascii_kinds();
  if (position >= text.size()) return {Kind::kEnd, 0, position};
  const auto byte = static_cast<unsigned char>(text[position]);
  if (byte < kAscii.size()) return {kAscii[byte], byte, position + 1};
  const char32_t code_point = next_code_point(text, position);
  return {kind_of(code_point), code_point, position};
}

// The end of the run of characters of one kind that starts at `position`.
std::size_t end_of_run(std::string_view text, std::size_t position, Kind kind) {
  for (Character c = character_at(text, position); c.kind == kind; c = character_at(text, position)) position = c.end;
  return position;
}

bool is_space(Kind kind) { return kind == Kind::kBlank || kind == Kind::kNewline; }

// The bytes of 's, 't, 're, 've, 'm, 'll or 'd at `position`; 0 when there is none.
std::size_t contraction(std::string_view text, std::size_t position, bool any_case) {
  if (text[position] != '\'') return 0;
  const auto letter_at = [&](std::size_t index) -> char32_t {
    const Character c = character_at(text, index);
    constexpr char32_t kLongS = 0x17F;  // what else folds to one of these letters
    if (any_case && c.code_point == kLongS) return 's';
    return any_case && c.code_point < 0x80 ? to_lower(c.code_point) : c.code_point;
  };
  const std::size_t second = character_at(text, position + 1).end;
  switch (letter_at(position + 1)) {
    case 's':
    case 't':
    case 'm':
    case 'd': return second - position;
    case 'r':
    case 'v': return letter_at(second) == 'e' ? 3 : 0;
    case 'l': return letter_at(second) == 'l' ? 3 : 0;
    default: return 0;
  }
}

// White space that no word takes: up to the last line break in it; else all but the last character, which is left to the
// word behind, unless there is none.
std::size_t end_of_space(std::string_view text, std::size_t position) {
  const std::size_t start = position;
  std::size_t after_newline = start;
  std::size_t before_last = start;
  for (Character c = character_at(text, position); is_space(c.kind); c = character_at(text, position)) {
    before_last = position;
    position = c.end;
    if (c.kind == Kind::kNewline) after_newline = position;
  }
  if (after_newline != start) return after_newline;
  return position == text.size() || before_last == start ? position : before_last;
}

std::size_t end_of_qwen2_word(std::string_view text, std::size_t position) {
  if (const std::size_t length = contraction(text, position, true); length != 0) return position + length;
  const Character first = character_at(text, position);
  if (first.kind == Kind::kNumber) return first.end;
  if (first.kind == Kind::kLetter) return end_of_run(text, first.end, Kind::kLetter);
  const Kind second = character_at(text, first.end).kind;
  if (first.kind != Kind::kNewline && second == Kind::kLetter) return end_of_run(text, first.end, Kind::kLetter);
  if (first.kind == Kind::kOther || (first.code_point == ' ' && second == Kind::kOther)) {
    return end_of_run(text, end_of_run(text, first.end, Kind::kOther), Kind::kNewline);
  }
  return end_of_space(text, position);
}

}  // namespace

std::string_view next_clip_word(std::string_view text, std::size_t& position) {
  Character first = character_at(text, position);
  for (; is_space(first.kind); first = character_at(text, position)) position = first.end;
  if (first.kind == Kind::kEnd) return {};
  const std::size_t start = position;
  if (const std::size_t length = contraction(text, start, false); length != 0) {
    position = start + length;
  } else {
    position = first.kind == Kind::kNumber ? first.end : end_of_run(text, first.end, first.kind);
  }
  return text.substr(start, position - start);
}

std::string_view next_qwen2_word(std::string_view text, std::size_t& position) {
  if (position >= text.size()) return {};
  const std::size_t start = position;
  position = end_of_qwen2_word(text, start);
  return text.substr(start, position - start);
}

}  // namespace scalestyle::text
