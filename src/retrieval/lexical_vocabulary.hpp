#pragma once
// The words of an index: every folded form that its texts have, with the number of articles, and their stems (the terms
// whose postings are searched). Immutable; safe to read from any thread; views live as long as the vocabulary.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "catalog/string_pool.hpp"

namespace scalestyle::retrieval {

using WordId = std::uint32_t;  // dense, in the byte order of the words, which is that of their code points
using TermId = std::uint32_t;  // dense, in the byte order of the stems

struct WordRange {
  WordId begin = 0;
  WordId end = 0;
};

class LexicalVocabulary {
 public:
  // The parts of a vocabulary, for whoever builds one. All but `stems` are by WordId.
  struct Parts {
    catalog::StringPool words;  // sorted
    catalog::StringPool stems;  // sorted
    std::vector<TermId> term_of_word;
    std::vector<std::uint8_t> form_bit;  // the word's bit among the forms of its term
    std::vector<std::uint32_t> word_articles;
    std::vector<std::uint32_t> term_articles;
  };

  LexicalVocabulary() = default;
  explicit LexicalVocabulary(Parts parts);

  [[nodiscard]] std::size_t size() const { return parts_.words.size(); }
  [[nodiscard]] std::string_view word(WordId id) const { return parts_.words[id]; }
  [[nodiscard]] std::uint32_t articles(WordId id) const { return parts_.word_articles[id]; }  // that have this very form
  [[nodiscard]] TermId term(WordId id) const { return parts_.term_of_word[id]; }
  // One of eight bits; the eighth is shared by the seventh form and all after it.
  [[nodiscard]] std::uint8_t form_bit(WordId id) const { return parts_.form_bit[id]; }

  [[nodiscard]] std::size_t term_count() const { return parts_.stems.size(); }
  [[nodiscard]] std::string_view stem(TermId id) const { return parts_.stems[id]; }
  // That have any form of it: what its rarity is reckoned by (LexicalIndex::build's statistics may say otherwise).
  [[nodiscard]] std::uint32_t term_articles(TermId id) const { return parts_.term_articles[id]; }

  [[nodiscard]] std::optional<WordId> find(std::string_view folded_word) const;
  [[nodiscard]] std::optional<TermId> find_stem(std::string_view stem) const;
  [[nodiscard]] WordRange with_prefix(std::string_view folded_prefix) const;
  // How many code points word `id` has in common with the start of word id − 1; 0 for the first.
  [[nodiscard]] std::size_t shared_letters(WordId id) const { return shared_letters_[id]; }

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  Parts parts_;
  std::vector<std::uint8_t> shared_letters_;
};

}  // namespace scalestyle::retrieval
