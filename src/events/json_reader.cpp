#include "events/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "text/unicode.hpp"

namespace scalestyle::events {

namespace {

// ASCII that stands for itself in a text.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void JsonReader::fail(std::string problem) {
  if (problem_.empty()) {
    problem_ = std::move(problem);
    problem_position_ = std::min(position_, text_.size());
  }
  position_ = text_.size();
}

void JsonReader::expected(std::string_view what) {
  if (position_ >= text_.size()) return fail(fmt::format("the text ends where {} is expected", what));
  fail(fmt::format("{} is expected at byte {}", what, position_ + 1));
}

void JsonReader::skip_blanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
    ++position_;
  }
}

std::size_t JsonReader::position() {
  if (!ok()) return problem_position_;
  skip_blanks();
  return position_;
}

void JsonReader::open(char bracket, std::string_view what) {
  skip_blanks();
  if (!next_is(bracket)) return expected(what);
  ++position_;
  first_ = true;
}

bool JsonReader::separate(char close) {
  if (!ok()) return false;
  skip_blanks();
  const bool first = std::exchange(first_, false);
  if (next_is(close)) {
    ++position_;
    return false;
  }
  if (first) return true;
  if (!next_is(',')) {
    expected(fmt::format("',' or '{}'", close));
    return false;
  }
  ++position_;
  return true;
}

std::optional<std::string_view> JsonReader::next_key() {
  if (!separate('}')) return std::nullopt;
  skip_blanks();
  if (!next_is('"')) {
    expected("the name of a field");
    return std::nullopt;
  }
  const std::string_view key = string_token();
  skip_blanks();
  if (ok() && !next_is(':')) expected("':'");
  if (!ok()) return std::nullopt;
  ++position_;
  return key;
}

bool JsonReader::next_element() { return separate(']'); }

bool JsonReader::array_is_next() {
  skip_blanks();
  return next_is('[');
}

std::string JsonReader::text() {
  skip_blanks();
  if (!next_is('"')) {
    expected("a text");
    return {};
  }
  return std::string(string_token());
}

// At an opening quote; reads to behind the closing one.
std::string_view JsonReader::string_token() {
  const std::size_t begin = ++position_;
  std::size_t plain = begin;  // from here to position_ is not copied yet
  bool escaped = false;
  bool ascii = true;
  for (;; ++position_) {
    while (position_ < text_.size() && kPlain[static_cast<unsigned char>(text_[position_])]) ++position_;
    if (position_ >= text_.size() || text_[position_] == '"') break;
    const char c = text_[position_];
    if (static_cast<unsigned char>(c) >= 0x80) ascii = false;
    if (static_cast<unsigned char>(c) < 0x20) {
      fail(fmt::format("a text has a control character that is not escaped, at byte {}", position_ + 1));
      return {};
    }
    if (c != '\\') continue;
    if (!escaped) unescaped_.clear();
    escaped = true;
    unescaped_.append(text_, plain, position_ - plain);
    if (!escape()) return {};
    plain = position_ + 1;
  }
  if (position_ >= text_.size()) {
    fail("a text has no end");
    return {};
  }
  if (!ascii && !text::is_valid_utf8(text_.substr(begin, position_ - begin))) {
    fail(fmt::format("the text at byte {} is not UTF-8", begin));
    return {};
  }
  const std::size_t end = position_++;
  if (!escaped) return text_.substr(begin, end - begin);
  unescaped_.append(text_, plain, end - plain);
  return unescaped_;
}

// At a backslash; appends what it stands for and stays on the last character read.
bool JsonReader::escape() {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t begin = position_++;
  if (position_ < text_.size()) {
    if (const std::size_t found = kLetters.find(text_[position_]); found != std::string_view::npos) {
      unescaped_ += kMeanings[found];
      return true;
    }
  }
  const auto bad = [&] {
    fail(fmt::format("a text has a malformed escape at byte {}", begin + 1));
    return false;
  };
  if (!next_is('u')) return bad();
  const auto unit = four_hex_digits();
  if (!unit || (*unit >= 0xDC00 && *unit < 0xE000)) return bad();
  char32_t code_point = *unit;
  if (*unit >= 0xD800 && *unit < 0xDC00) {
    if (text_.substr(position_ + 1, 2) != "\\u") return bad();
    position_ += 2;
    const auto low = four_hex_digits();
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return bad();
    code_point = 0x10000 + ((*unit - 0xD800) << 10U) + (*low - 0xDC00);
  }
  text::append_utf8(code_point, unescaped_);
  return true;
}

// At the 'u'; stays on the last digit.
std::optional<std::uint32_t> JsonReader::four_hex_digits() {
  constexpr std::size_t kCount = 4;
  const std::string_view hex = text_.substr(position_ + 1, kCount);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  if (hex.size() != kCount || error != std::errc() || end != hex.data() + kCount) return std::nullopt;
  position_ += kCount;
  return value;
}

std::size_t JsonReader::digits() {
  const std::size_t begin = position_;
  while (position_ < text_.size() && is_digit(text_[position_])) ++position_;
  return position_ - begin;
}

std::string_view JsonReader::number_token(bool& whole) {
  skip_blanks();
  const std::size_t begin = position_;
  if (next_is('-')) ++position_;
  const bool leading_zero = next_is('0');
  const std::size_t count = digits();
  if (count == 0 || (leading_zero && count > 1)) {
    position_ = begin;
    expected("a number");
    return {};
  }
  whole = true;
  if (next_is('.')) {
    whole = false;
    ++position_;
    if (digits() == 0) expected("a digit");
  }
  if (ok() && (next_is('e') || next_is('E'))) {
    whole = false;
    ++position_;
    if (next_is('+') || next_is('-')) ++position_;
    if (digits() == 0) expected("a digit");
  }
  if (!ok()) return {};
  return text_.substr(begin, position_ - begin);
}

std::int64_t JsonReader::integer() {
  bool whole = false;
  const std::string_view token = number_token(whole);
  std::int64_t value = 0;
  if (!ok()) return value;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (!whole || error != std::errc()) {
    fail(fmt::format("{} is not a whole number of 64 bits", token.substr(0, 40)));
    return 0;
  }
  return value;
}

double JsonReader::number() {
  bool whole = false;
  const std::string_view token = number_token(whole);
  double value = 0;
  if (!ok()) return value;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc()) {
    fail(fmt::format("{} is out of a number's range", token.substr(0, 40)));
    return 0;
  }
  return value;
}

bool JsonReader::boolean() {
  skip_blanks();
  for (const bool value : {true, false}) {
    const std::string_view name = value ? "true" : "false";
    if (text_.substr(position_, name.size()) != name) continue;
    position_ += name.size();
    return value;
  }
  expected("true or false");
  return false;
}

void JsonReader::finish() {
  if (!ok()) return;
  skip_blanks();
  if (position_ < text_.size()) fail(fmt::format("nothing is expected after the object, but byte {} is there", position_ + 1));
}

}  // namespace scalestyle::events
