#pragma once
// PhraseCompletion: completes what somebody began to type from a list of phrases, best first.
//
// A prefix matches at the beginning of a phrase, or, after those, at the beginning of any later word of it, for which a
// quarter of the places is kept. All its words but the last must be whole; the last may be the start of a word, and must be
// whole where something ended it ("light ").
// Words are those of text/words.hpp: case, accents and apostrophes do not count, and "t-shirt", "t shirt" and "tshirt"
// meet where the phrase has the hyphen.
//
// Immutable once built: safe to read from any thread. A look-up is a few binary searches and a walk over at most
// some hundred entries, whatever the prefix. Deterministic.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/string_pool.hpp"

namespace scalestyle::retrieval {

// What was typed, read once and good for any PhraseCompletion.
struct TypedPrefix {
  static constexpr std::size_t kMaxWords = 12;

  std::vector<std::string> words{};  // folded
  bool ended = false;                // nothing can be added to the last word
  bool too_long = false;             // more than kMaxWords words: matches nothing

  // Any bytes are a prefix; linear.
  [[nodiscard]] static TypedPrefix read(std::string_view text);
  [[nodiscard]] bool matches_nothing() const { return words.empty() || too_long; }
};

// The folded words of a text, apart by single blanks: what makes two phrases the same.
[[nodiscard]] std::string phrase_key(std::string_view text);

class PhraseCompletion {
 public:
  static constexpr std::size_t kMaxPhraseWords = TypedPrefix::kMaxWords;  // phrases of more words are left out
  static constexpr std::size_t kInnerShare = 4;  // one of so many places is for phrases that match at a later word
  static constexpr std::size_t kMaxCorrections = 256; // readings of a mistyped prefix that are looked up

  PhraseCompletion() = default;
  // The best first; any text, fewer than 2^31 bytes in all.
  explicit PhraseCompletion(std::span<const std::string_view> phrases);

  // The places in that list of at most k phrases that match: those that begin so, the best first, then others, the best
  // first. Each once.
  [[nodiscard]] std::vector<std::uint32_t> complete(const TypedPrefix& prefix, std::size_t k) const;

  // The same where one word is an error, all others being words of phrases: it has five letters or more, letters only, and
  // is one insertion, deletion, substitution or transposition away, not of the first letter, from a word of a phrase; or
  // from the start of one, where it may be a start.
  [[nodiscard]] std::vector<std::uint32_t> complete_mistyped(const TypedPrefix& prefix, std::size_t k) const;

  // The place of the phrase that has these words (phrase_key()).
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view key) const;

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Entry {
    std::uint32_t begin = 0;  // in texts_: here a phrase, or its rest, begins
    std::uint32_t phrase = 0;
  };
  // Entries in the byte order of their texts, and over them a tree of minima: the best phrase of any range.
  struct Table {
    std::vector<Entry> entries{};
    std::vector<std::uint32_t> best{};  // places of entries; best[size + i] is i, best[i] the better of 2i and 2i + 1

    void build(const std::string& texts);
    [[nodiscard]] std::uint32_t better(std::uint32_t a, std::uint32_t b) const;
    [[nodiscard]] std::uint32_t best_of(std::uint32_t begin, std::uint32_t end) const;  // not empty
  };
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  [[nodiscard]] std::string_view first_word(Entry entry) const;
  [[nodiscard]] Range matching(const Table& table, std::string_view start) const;
  void take_best(const Table& table, std::span<const std::string> starts, std::size_t k, std::vector<std::uint32_t>& found) const;
  [[nodiscard]] std::vector<std::uint32_t> complete_any(std::span<const std::string> starts, std::size_t k) const;
  [[nodiscard]] std::uint32_t first_word_from(std::string_view start) const;  // in words_
  [[nodiscard]] bool knows(std::string_view word, bool may_go_on) const;
  [[nodiscard]] std::vector<std::string> near_words(const std::string& word, bool may_go_on) const;
  void add(std::uint32_t phrase, std::span<const std::string> words, std::span<const std::uint32_t> starts);

  std::string texts_;  // every reading of every phrase: words, a blank after each, then NUL
  Table fronts_;       // phrases from their beginning
  Table inners_;       // and from every later word
  catalog::StringPool words_;  // every distinct word of the readings, in byte order
};

}  // namespace scalestyle::retrieval
