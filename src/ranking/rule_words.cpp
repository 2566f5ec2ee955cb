#include "ranking/rule_words.hpp"

#include <algorithm>

#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::ranking {

namespace {

bool is_one_character(std::string_view word) {
  std::size_t position = 0;
  static_cast<void>(text::next_code_point(word, position));
  return position == word.size();
}

// A compound that is one word in every spelling: "t-shirt", "h&m".
bool is_inseparable(const text::Words& words, std::size_t first, std::size_t count) {
  for (std::size_t i = first; count > 1 && i < first + count; ++i) {
    if (is_one_character(words[i])) return true;
  }
  return false;
}

}  // namespace

RuleWords::RuleWords(std::string_view text, text::EnglishStemmer& stemmer) {
  text::Words words;
  text::split_words(text, kMaxRuleQueryWords, words);
  for (std::size_t i = 0; i < words.size();) {
    const std::size_t count = words.compound_length(i);
    if (count == 1 || is_inseparable(words, i, count)) {
      positions_.push_back({std::string(stemmer.stem(words.joined(i, count)))});
      i += count;
      continue;
    }
    for (std::size_t part = 0; part < count; ++part) positions_.push_back({std::string(stemmer.stem(words[i + part]))});
    Position& first = positions_[positions_.size() - count];
    first.compound_stem = stemmer.stem(words.joined(i, count));
    first.compound_words = count;
    i += count;
  }
}

core::Result<RuleWords> RuleWords::of(std::string_view text) {
  CORE_TRY(text::EnglishStemmer stemmer, text::EnglishStemmer::create());
  return RuleWords(text, stemmer);
}

RulePhrase::RulePhrase(std::string_view text, text::EnglishStemmer& stemmer) {
  const RuleWords words(text, stemmer);
  const auto positions = words.positions();
  for (std::size_t i = 0; i < positions.size();) {
    const std::size_t count = positions[i].compound_words;
    if (count == 0) {
      words_.push_back({positions[i].stem});
      ++i;
      continue;
    }
    Word& compound = words_.emplace_back(positions[i].compound_stem);
    for (const RuleWords::Position& part : positions.subspan(i, count)) compound.parts.push_back(part.stem);
    i += count;
  }
}

std::size_t RulePhrase::covered_by(const Word& word, std::span<const RuleWords::Position> positions) {
  if (positions.empty()) return 0;
  if (positions[0].compound_words > 0 && positions[0].compound_stem == word.stem) return positions[0].compound_words;
  if (positions[0].stem == word.stem) return 1;
  const std::size_t count = word.parts.size();
  if (count == 0 || count > positions.size()) return 0;
  return std::ranges::equal(word.parts, positions.first(count), {}, {}, &RuleWords::Position::stem) ? count : 0;
}

std::size_t RulePhrase::covered(std::span<const RuleWords::Position> positions) const {
  std::size_t at = 0;
  for (const Word& word : words_) {
    const std::size_t taken = covered_by(word, positions.subspan(at));
    if (taken == 0) return 0;
    at += taken;
  }
  return at;
}

bool RulePhrase::is(const RuleWords& words) const {
  const auto positions = words.positions();
  return !positions.empty() && covered(positions) == positions.size();
}

bool RulePhrase::stands_in(const RuleWords& words) const {
  const auto positions = words.positions();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (covered(positions.subspan(i)) > 0) return true;
  }
  return false;
}

std::vector<std::string_view> RulePhrase::first_stems() const {
  if (words_.empty()) return {};
  const Word& first = words_.front();
  std::vector<std::string_view> stems{first.stem};
  if (!first.parts.empty() && first.parts.front() != first.stem) stems.push_back(first.parts.front());
  return stems;
}

}  // namespace scalestyle::ranking
