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
  for (std::size_t i = 0; i < positions.size(); ++i) apart_.push_back(positions[i].stem);
  for (std::size_t i = 0; i < positions.size(); i += std::max<std::size_t>(positions[i].compound_words, 1)) {
    joined_.push_back(positions[i].compound_words > 0 ? positions[i].compound_stem : positions[i].stem);
  }
  if (joined_ == apart_) apart_.clear();
}

std::size_t RulePhrase::words_covered(const Stems& stems, std::span<const RuleWords::Position> positions) {
  std::size_t at = 0;
  for (const std::string& stem : stems) {
    if (at >= positions.size()) return 0;
    if (positions[at].compound_words > 0 && positions[at].compound_stem == stem) {
      at += positions[at].compound_words;
    } else if (positions[at].stem == stem) {
      ++at;
    } else {
      return 0;
    }
  }
  return at;
}

bool RulePhrase::is(const RuleWords& words) const {
  const auto positions = words.positions();
  if (positions.empty()) return false;
  return words_covered(joined_, positions) == positions.size() || words_covered(apart_, positions) == positions.size();
}

bool RulePhrase::stands_in(const RuleWords& words) const {
  const auto positions = words.positions();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto rest = positions.subspan(i);
    if (words_covered(joined_, rest) > 0 || words_covered(apart_, rest) > 0) return true;
  }
  return false;
}

std::vector<std::string_view> RulePhrase::first_stems() const {
  std::vector<std::string_view> stems;
  for (const Stems* form : {&joined_, &apart_}) {
    if (!form->empty() && std::ranges::find(stems, form->front()) == stems.end()) stems.push_back(form->front());
  }
  return stems;
}

}  // namespace scalestyle::ranking
