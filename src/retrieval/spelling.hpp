#pragma once
// Words of the vocabulary near a word that it does not have.
//
// The distance is Damerau–Levenshtein with restricted transpositions (optimal string alignment), in code points. The
// sorted vocabulary is walked as a trie: rows of the distance matrix are shared by words with a common start, and a
// start that is too far away is skipped with all its words.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "retrieval/lexical_vocabulary.hpp"

namespace scalestyle::retrieval {

struct NearWord {
  WordId word = 0;
  std::uint32_t distance = 0;

  friend bool operator==(const NearWord&, const NearWord&) = default;
};

inline constexpr std::size_t kMaxCorrectedLetters = 32;  // longer words are not corrected

// 0 below 5 letters, 1 below 9, then 2; 0 too for a word that is not all letters ("3pack"), or above kMaxCorrectedLetters.
[[nodiscard]] std::size_t allowed_edits(std::string_view folded_word);

// The words with the same first letter, all letters, within `max_distance` edits and whose stem at least `min_articles`
// articles have; the word itself is none of them. The nearest first, then those of more articles, then by WordId; at
// most `limit`, and of one stem only the best. Pure; safe to call from any thread.
[[nodiscard]] std::vector<NearWord> find_near_words(const LexicalVocabulary& vocabulary, std::string_view folded_word,
                                                    std::size_t max_distance, std::uint32_t min_articles, std::size_t limit);

}  // namespace scalestyle::retrieval
