#include "search/word_finder.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kMaxQueryWords = 64;  // looked at

enum class Kind : std::uint8_t { kOther, kLetter, kDigit, kApostrophe, kPoint, kBeyondAscii };

constexpr auto kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter) kinds[c] = Kind::kLetter;
    if (c >= '0' && c <= '9') kinds[c] = Kind::kDigit;
    if (c >= 0x80) kinds[c] = Kind::kBeyondAscii;
  }
  kinds['\''] = Kind::kApostrophe;
  kinds['.'] = kinds[','] = Kind::kPoint;
  return kinds;
}();

Kind kind_at(std::string_view text, std::size_t position) {
  return position < text.size() ? kKinds[static_cast<unsigned char>(text[position])] : Kind::kOther;
}

bool is_of_word(char32_t code_point) {
  return code_point != 0xFFFD && (text::is_letter_or_digit(code_point) || text::is_nonspacing_mark(code_point));
}

// A run of letters and digits: apostrophes within it belong to it, and points between digits.
struct Run {
  std::size_t end = 0;
  bool is_ascii = true;
};

Run run_from(std::string_view text, std::size_t begin) {
  Run run{begin};
  while (run.end < text.size()) {
    Kind kind = kind_at(text, run.end);
    while (kind == Kind::kLetter || kind == Kind::kDigit) kind = kind_at(text, ++run.end);
    if (run.end >= text.size()) break;
    if (kind == Kind::kBeyondAscii) {
      std::size_t next = run.end;
      if (!is_of_word(text::next_code_point(text, next))) break;
      run.end = next;
      run.is_ascii = false;
      continue;
    }
    if (run.end == begin) break;
    const Kind before = kind_at(text, run.end - 1);
    const Kind after = kind_at(text, run.end + 1);
    const bool is_within = (kind == Kind::kApostrophe && before == Kind::kLetter && after == Kind::kLetter) ||
                           (kind == Kind::kPoint && before == Kind::kDigit && after == Kind::kDigit);
    if (!is_within) break;
    ++run.end;
  }
  return run;
}

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool begins_alike(std::string_view a, std::string_view b) {
  const std::size_t shared = std::min<std::size_t>({2, a.size(), b.size()});
  return a.substr(0, shared) == b.substr(0, shared);
}

}  // namespace

std::vector<QueryWord> words_worth_naming(std::string_view query) {
  text::Words words;
  text::split_words(query, kMaxQueryWords, words);
  auto stemmer = text::EnglishStemmer::create();
  std::vector<QueryWord> named;
  for (std::size_t i = 0; i < words.size() && named.size() < kMaxNamedWords; ++i) {
    const std::string_view word = words[i];
    std::size_t characters = 0;
    for (std::size_t position = 0; position < word.size() && characters < 2; ++characters) {
      static_cast<void>(text::next_code_point(word, position));
    }
    if (characters < 2 || text::is_english_stop_word(word)) continue;
    QueryWord entry{std::string(word), stemmer ? std::string(stemmer->stem(word)) : std::string(word)};
    const bool is_known = std::ranges::any_of(named, [&](const QueryWord& other) { return other.stem == entry.stem; });
    if (!is_known) named.push_back(std::move(entry));
  }
  return named;
}

WordFinder::WordFinder(std::span<const QueryWord> words) : words_(words) {
  if (words.empty()) return;
  for (unsigned c = 0x80; c < 256; ++c) beginnings_.set(c);
  for (const QueryWord& word : words) {
    const auto first = static_cast<unsigned char>(word.folded.front());
    beginnings_.set(first);
    if (first >= 'a' && first <= 'z') beginnings_.set(first - static_cast<unsigned>('a' - 'A'));
  }
  if (auto stemmer = text::EnglishStemmer::create()) stemmer_.emplace(std::move(*stemmer));
}

void WordFinder::find(std::string_view text, std::span<std::string_view> found) {
  const auto is_open = [](std::string_view place) { return place.empty(); };
  if (std::ranges::none_of(found, is_open)) return;
  for (std::size_t position = 0; position < text.size();) {
    const Run run = run_from(text, position);
    if (run.end > position) {
      const bool may_be_one = beginnings_.test(static_cast<unsigned char>(text[position]));
      if (may_be_one) compare(text.substr(position, run.end - position), run.is_ascii, found);
      position = run.end;
    } else {
      static_cast<void>(text::next_code_point(text, position));
    }
  }
}

void WordFinder::compare(std::string_view run, bool is_ascii, std::span<std::string_view> found) {
  if (run.size() < 2 || run.size() > text::kMaxWordBytes) return;
  if (is_ascii) {
    // Most words of a text begin otherwise than those looked for: they are not folded.
    const char first = small(run[0]);
    const char second = small(run[1]);
    const auto may_be = [&](const QueryWord& word) {
      return word.folded.size() < 2 || (word.folded[0] == first && word.folded[1] == second);
    };
    if (second != '\'' && std::ranges::none_of(words_, may_be)) return;
    folded_.clear();
    for (const char c : run) {
      if (c != '\'') folded_ += small(c);
    }
  } else {
    folded_ = text::fold_for_search(run);
    std::erase(folded_, '\'');
  }
  std::string_view stem;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (!found[i].empty() || !begins_alike(folded_, words_[i].folded)) continue;
    if (folded_ != words_[i].folded) {
      if (!stemmer_) continue;
      if (stem.empty()) stem = stemmer_->stem(folded_);
      if (stem != words_[i].stem) continue;
    }
    found[i] = run;
  }
}

}  // namespace scalestyle::search
