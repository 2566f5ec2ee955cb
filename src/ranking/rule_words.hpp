#pragma once
// Words as rules compare them: whole words, folded and stemmed as the lexical leg does it ("Dresses" is "dress"). A
// compound of a rule meets any spelling ("push-up": "push up" and "pushup" too); one with a single letter is one word, so
// that a rule for "shirt" does not act on "t-shirt". No word is left out, and no typing error is corrected.
// Thread safety: values; each thread has its own.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "text/english_stemmer.hpp"

namespace scalestyle::ranking {

inline constexpr std::size_t kMaxRuleQueryWords = 64;  // of a query; the rest of a longer one is not looked at

// The words of a query or a name.
class RuleWords {
 public:
  struct Position {
    std::string stem;
    std::string compound_stem{};     // of the compound that starts here, written as one word; empty where none does
    std::size_t compound_words = 0;  // positions that it takes
  };

  RuleWords() = default;
  RuleWords(std::string_view text, text::EnglishStemmer& stemmer);
  // kInternal when the stemmer cannot be had.
  [[nodiscard]] static core::Result<RuleWords> of(std::string_view text);

  [[nodiscard]] std::span<const Position> positions() const { return positions_; }
  [[nodiscard]] bool empty() const { return positions_.empty(); }

 private:
  std::vector<Position> positions_;
};

// A phrase of a rule, ready to be compared.
class RulePhrase {
 public:
  RulePhrase(std::string_view text, text::EnglishStemmer& stemmer);

  [[nodiscard]] bool is(const RuleWords& words) const;
  [[nodiscard]] bool stands_in(const RuleWords& words) const;
  // Stems one of which is at some position (its stem or its compound's) wherever the phrase stands.
  [[nodiscard]] std::vector<std::string_view> first_stems() const;

 private:
  struct Word {
    std::string stem;                  // of a compound: written as one word
    std::vector<std::string> parts{};  // stems of a compound's parts; empty: it is a plain word
  };
  // How many of the first positions the word takes, or the whole phrase; 0: none, it does not stand there.
  [[nodiscard]] static std::size_t covered_by(const Word& word, std::span<const RuleWords::Position> positions);
  [[nodiscard]] std::size_t covered(std::span<const RuleWords::Position> positions) const;

  std::vector<Word> words_;
};

}  // namespace scalestyle::ranking
