#include "search/reason_cleaner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "search/shown_text.hpp"
#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kMaxWordCharacters = 40;
constexpr std::size_t kMaxEvidenceWords = 4'096;

// What only counts, tests or a shop's own word can hold. Folded, sorted; a word of the evidence may be said.
constexpr std::array<std::string_view, 62> kClaims{
    "accredited", "affordable", "approved", "authentic", "award", "bargain", "best", "bestseller", "bestsellers", "bestselling",
    "biodegradable", "celebrity", "certified", "cheap", "cheaper", "cheapest", "clearance", "customers", "discount", "discounted",
    "dozen", "eight", "eleven", "ethical", "exclusive", "fastest", "five", "four", "free", "guarantee", "guaranteed", "handmade",
    "hundred", "hypoallergenic", "limited", "million", "nine", "organic", "percent", "popular", "rated", "ratings", "recommended",
    "recycled", "reviews", "sale", "seller", "seven", "six", "sold", "stars", "sustainable", "ten", "thousand", "three", "trending",
    "twelve", "vegan", "warranty", "waterproof", "windproof", "wrinkle"};
static_assert(std::ranges::is_sorted(kClaims));

constexpr std::string_view kMarkup = "<>`{}[]|\\*#~^=@_";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_money_sign(char32_t c) { return c == '$' || (c >= 0xA2 && c <= 0xA5) || (c >= 0x20A0 && c <= 0x20CF); }

// Arrows, dingbats and emoji: seen, but no text.
bool is_pictograph(char32_t c) { return (c >= 0x2190 && c <= 0x2BFF) || (c >= 0xFE00 && c <= 0xFE0F) || c >= 0x1F000; }

// Calls `visit(number)` for each run of digits with points and commas between them; a comma between groups is none.
template <class Visit>
void for_each_number(std::string_view text, Visit&& visit) {
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      ++i;
      continue;
    }
    std::string digits;
    std::size_t end = i;
    for (; end < text.size(); ++end) {
      const bool is_joint = (text[end] == '.' || text[end] == ',') && end + 1 < text.size() && is_digit(text[end + 1]);
      if (!is_digit(text[end]) && !is_joint) break;
      if (text[end] != ',') digits += text[end];
    }
    double value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool is_number = error == std::errc() && stop == digits.data() + digits.size();
    visit(is_number ? value : std::numeric_limits<double>::infinity());
    i = end;
  }
}

// "shop.example" and the like: letters on both sides of a point, two or more on one of them.
bool has_host_name(std::string_view word) {
  for (std::size_t i = 1; i + 1 < word.size(); ++i) {
    if (word[i] != '.' || !is_ascii_letter(word[i - 1]) || !is_ascii_letter(word[i + 1])) continue;
    const bool long_before = i >= 2 && is_ascii_letter(word[i - 2]);
    const bool long_after = i + 2 < word.size() && is_ascii_letter(word[i + 2]);
    if (long_before || long_after) return true;
  }
  return false;
}

std::string_view without_suffix(std::string_view text, std::span<const std::string_view> suffixes) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view suffix : suffixes) {
      if (!text.ends_with(suffix)) continue;
      text.remove_suffix(suffix.size());
      again = true;
    }
  }
  return text;
}

constexpr std::array<std::string_view, 6> kQuotes{"\"", "“", "”", "'", "‘", "’"};

// An end mark, perhaps in quotes or brackets; not the point of "e.g." or of an initial.
bool ends_sentence(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kClosing{"\"", "”", "'", "’", ")", "“", "‘"};
  word = without_suffix(word, kClosing);
  if (word.ends_with('!') || word.ends_with('?') || word.ends_with("…")) return true;
  if (!word.ends_with('.')) return false;
  word.remove_suffix(1);
  return word.empty() || (word.size() > 1 && word.find('.') == std::string_view::npos);
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) static_cast<void>(text::next_code_point(text, position));
  return count;
}

}  // namespace

ReasonCleaner::ReasonCleaner(std::string_view evidence) {
  for_each_number(evidence, [&](double number) { numbers_.push_back(number); });
  std::ranges::sort(numbers_);
  text::Words words;
  text::split_words(evidence, kMaxEvidenceWords, words);
  for (std::size_t i = 0; i < words.size(); ++i) words_known_.emplace_back(words[i]);
  std::ranges::sort(words_known_);
  for (std::size_t position = 0; position < evidence.size();) {
    const std::size_t begin = position;
    if (is_money_sign(text::next_code_point(evidence, position))) evidence_signs_ += evidence.substr(begin, position - begin);
  }
}

std::string ReasonCleaner::push(std::string_view piece) {
  std::string shown;
  for (std::size_t position = 0; position < piece.size() && !wants_no_more();) {
    const std::size_t begin = position;
    const char32_t c = text::next_code_point(piece, position);
    if (c == 0x2028 || c == 0x2029 || text::is_bert_whitespace(c)) {
      take_word(shown);
    } else if (has_ended_) {
      has_more_ = true;
    } else if (!is_pictograph(c) && !text::is_bert_control(c)) {
      word_ += piece.substr(begin, position - begin);
      if (word_.size() > 4 * kMaxWordCharacters) refusal_ = "a word is too long";
    }
  }
  return shown;
}

std::string ReasonCleaner::finish(bool is_whole) {
  std::string shown;
  // Where a limit cut it off, the last word may be a part of one.
  if (!wants_no_more() && (is_whole || ends_sentence(word_))) take_word(shown);
  if (!refusal_.empty()) return shown;
  if (!has_ended_ && !text_.empty()) {
    const std::string_view end = !is_whole ? "…" : text_.ends_with('.') ? "" : ".";
    text_ += end;
    shown += end;
    has_ended_ = true;
  }
  if (words_ < kMinWords) refusal_ = "it is no sentence";
  return shown;
}

void ReasonCleaner::take_word(std::string& shown) {
  std::string word;
  append_shown(word_, kMaxWordCharacters + 1, word);  // double quotes become single ones
  word_.clear();
  std::string_view rest = word;
  if (text_.empty() && rest.starts_with('\'')) {
    is_quoted_ = true;
    rest.remove_prefix(1);
  }
  if (rest.empty() || has_ended_) return;
  if (auto fault = fault_of(rest); !fault.empty()) {
    refusal_ = std::move(fault);
    return;
  }
  has_ended_ = ends_sentence(rest);
  if (has_ended_ && is_quoted_) rest = without_suffix(rest, kQuotes);
  if (!rest.empty()) append(rest, shown);
}

void ReasonCleaner::append(std::string_view word, std::string& shown) {
  // A mark whose word was a pictograph.
  const bool is_apart = !text_.empty() && std::string_view(".,;:!?").find(word.front()) == std::string_view::npos;
  const std::size_t characters = count_characters(word) + (is_apart ? 1 : 0);
  if (characters_ + characters >= kMaxCharacters) {  // no room for an end mark
    text_ += "…";
    shown += "…";
    has_ended_ = has_more_ = true;
    return;
  }
  if (is_apart) {
    text_ += ' ';
    shown += ' ';
  }
  text_ += word;
  shown += word;
  characters_ += characters;
  ++words_;
}

std::string ReasonCleaner::fault_of(std::string_view word) const {
  if (count_characters(word) > kMaxWordCharacters) return "a word is too long";
  if (word.find_first_of(kMarkup) != std::string_view::npos) return "it has markup";
  const std::string folded = text::fold_for_search(word);
  const bool has_scheme = word.find("//") != std::string_view::npos || folded.find("www.") != std::string::npos;
  if (has_scheme || has_host_name(word)) return "it has a link";
  if (word.find('&') != std::string_view::npos && word.find(';') != std::string_view::npos) return "it has markup";
  for (std::size_t position = 0; position < word.size();) {
    const std::size_t begin = position;
    const char32_t c = text::next_code_point(word, position);
    const std::string_view sign = word.substr(begin, position - begin);
    const bool is_known_sign = evidence_signs_.find(sign) != std::string::npos;
    if (is_money_sign(c) && !is_known_sign) return "it has a sum of money that the data do not have";
    if (c >= 0x80 && text::is_digit(c)) return "it has a number that the data do not have";
  }
  bool is_known = true;
  for_each_number(word, [&](double number) { is_known = is_known && std::ranges::binary_search(numbers_, number); });
  if (!is_known) return "it has a number that the data do not have";
  return claim_in(word);
}

std::string ReasonCleaner::claim_in(std::string_view word) const {
  text::Words parts;
  text::split_words(word, kMaxWordCharacters, parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_claim = std::ranges::binary_search(kClaims, parts[i]);
    if (is_claim && !std::ranges::binary_search(words_known_, parts[i])) {
      return fmt::format("it says \"{}\", which the data do not", parts[i]);
    }
  }
  return {};
}

}  // namespace scalestyle::search
