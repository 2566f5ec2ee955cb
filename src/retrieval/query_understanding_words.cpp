#include "retrieval/query_understanding_words.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "retrieval/query_understanding_language.hpp"
#include "text/unicode.hpp"

namespace scalestyle::retrieval {
namespace {

constexpr std::size_t kMaxNumberDigits = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

enum class Class : std::uint8_t { kBlank, kLetter, kApostrophe, kDash, kSymbol, kList, kOther };

Class class_of(char32_t c) {
  if (c < 0x80) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return Class::kLetter;
    switch (c) {
      case ' ': case '\t': case '\n': case '\r': case '\f': case '\v': return Class::kBlank;
      case '\'': return Class::kApostrophe;
      case '-': return Class::kDash;
      case '<': case '>': case '$': case '%': return Class::kSymbol;
      case ',': case '/': case '&': case '+': return Class::kList;
      default: return Class::kOther;
    }
  }
  switch (c) {
    case 0x2019: case 0x02BC: return Class::kApostrophe;
    case 0x2010: case 0x2011: case 0x2012: case 0x2013: case 0x2014: return Class::kDash;
    case 0x20AC: case 0x00A3: case 0x00A5: case 0x20B9: case 0x2264: case 0x2265: return Class::kSymbol;
    default: break;
  }
  if (text::is_bert_whitespace(c)) return Class::kBlank;
  if (c == text::kReplacementCharacter || text::is_bert_control(c) || text::is_bert_punctuation(c)) return Class::kOther;
  return Class::kLetter;
}

// The value of "20", "19.99", "19,99", "1,000", "1.234,50"; `length` is set to what was read, 0 for no number. One or
// two digits after the last separator are a fraction, three are thousands.
std::optional<double> read_number(std::string_view text, std::size_t& length) {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  std::size_t digits = 0;
  std::size_t position = 0;
  bool fractional = false;
  double scale = 1;
  length = 0;
  for (; position < text.size() && is_digit(text[position]); ++position, ++digits) {
    if (digits <= kMaxNumberDigits) whole = whole * 10 + static_cast<std::uint64_t>(text[position] - '0');
  }
  if (position == 0) return std::nullopt;
  while (!fractional && position + 1 < text.size() && (text[position] == '.' || text[position] == ',') && is_digit(text[position + 1])) {
    std::size_t end = position + 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::string_view group = text.substr(position + 1, end - position - 1);
    if (group.size() > 3) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : group) value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (group.size() == 3) {
      digits += 3;
      if (digits <= kMaxNumberDigits) whole = whole * 1000 + value;
    } else {
      fractional = true;
      fraction = value;
      scale = group.size() == 1 ? 10 : 100;
    }
    position = end;
  }
  if (digits > kMaxNumberDigits) return std::nullopt;
  length = position;
  return (static_cast<double>(whole) * scale + static_cast<double>(fraction)) / scale;
}

class Reader {
 public:
  Reader(std::string_view text, std::size_t limit) : text_(text), limit_(limit) {}

  std::vector<QueryWord> read() && {
    words_.reserve(16);
    std::size_t position = 0;
    while (position < text_.size() && words_.size() < limit_) {
      const std::size_t begin = position;
      const Class kind = class_of(text::next_code_point(text_, position));
      if (kind == Class::kLetter) {
        position = add_letters(begin);
      } else if (kind == Class::kSymbol) {
        position = add_symbol(begin, position);
      } else {
        note_gap(kind);
      }
    }
    if (words_.size() > limit_) words_.resize(limit_);
    return std::move(words_);
  }

 private:
  void note_gap(Class kind) {
    if (kind == Class::kDash) {
      gap_.hyphenated = true;
    } else if (kind == Class::kList) {
      gap_.listed = true;
    } else if (kind != Class::kBlank) {
      gap_.other = true;
    }
  }

  void add(TextSpan span, std::string surface, std::optional<double> number, bool symbol) {
    QueryWord word{.span = span, .surface = std::move(surface), .form = {}, .number = number, .symbol = symbol};
    if (!symbol) word.form = word_form(word.surface);
    word.continues = !words_.empty() && !symbol && !words_.back().symbol && !gap_.listed && !gap_.other;
    word.hyphenated = gap_.hyphenated;
    word.listed = gap_.listed && !gap_.other;
    words_.push_back(std::move(word));
    gap_ = {};
  }

  std::size_t add_letters(std::size_t begin) {
    if (is_digit(text_[begin])) {
      if (const std::size_t end = add_number(begin); end != begin) return end;
    }
    const std::size_t end = end_of_letters(begin);
    std::string surface;
    surface.reserve(end - begin);
    bool plain = true;
    for (const char c : text_.substr(begin, end - begin)) plain = plain && static_cast<unsigned char>(c) < 0x80;
    if (plain) {
      for (const char c : text_.substr(begin, end - begin)) surface += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    } else {
      surface = folded(text_.substr(begin, end - begin));
    }
    if (surface.empty()) {  // marks alone
      note_gap(Class::kOther);
    } else {
      add({begin, end}, std::move(surface), std::nullopt, false);
    }
    return end;
  }

  // Letters and digits, with single apostrophes between them.
  std::size_t end_of_letters(std::size_t begin) const {
    std::size_t end = begin;
    for (std::size_t position = begin; position < text_.size();) {
      const Class kind = class_of(text::next_code_point(text_, position));
      if (kind == Class::kLetter) {
        end = position;
        continue;
      }
      if (kind != Class::kApostrophe || position >= text_.size()) break;
      std::size_t after = position;
      if (class_of(text::next_code_point(text_, after)) != Class::kLetter) break;
    }
    return end;
  }

  static std::string folded(std::string_view word) {
    std::string with_apostrophes;
    for (std::size_t position = 0; position < word.size();) {
      const char32_t c = text::next_code_point(word, position);
      if (class_of(c) == Class::kApostrophe) {
        with_apostrophes += '\'';
      } else {
        text::append_utf8(c, with_apostrophes);
      }
    }
    return text::fold_case_and_accents(with_apostrophes);
  }

  // Returns `begin` when the digits are part of a word.
  std::size_t add_number(std::size_t begin) {
    std::size_t length = 0;
    const std::optional<double> number = read_number(text_.substr(begin), length);
    if (!number) return begin;
    const std::size_t end = begin + length;
    std::size_t next = end;
    if (end < text_.size() && class_of(text::next_code_point(text_, next)) == Class::kLetter) {
      const std::size_t word_end = end_of_letters(end);
      const std::string unit = folded(text_.substr(end, word_end - end));
      if (currencies_of(unit).empty()) return begin;
    }
    add({begin, end}, std::string(text_.substr(begin, length)), number, false);
    return end;
  }

  std::size_t add_symbol(std::size_t begin, std::size_t end) {
    std::string surface(text_.substr(begin, end - begin));
    if ((surface == "<" || surface == ">") && end < text_.size() && text_[end] == '=') {
      ++end;
      surface = surface == "<" ? "≤" : "≥";
    }
    add({begin, end}, std::move(surface), std::nullopt, true);
    return end;
  }

  struct Gap {
    bool hyphenated = false;
    bool listed = false;
    bool other = false;
  };

  std::string_view text_;
  std::size_t limit_;
  Gap gap_;
  std::vector<QueryWord> words_;
};

}  // namespace

std::vector<QueryWord> query_words(std::string_view text, std::size_t limit) { return Reader(text, limit).read(); }

}  // namespace scalestyle::retrieval
