#pragma once
// UnderstandingLexicon: every phrase that QueryUnderstanding knows, made from one catalogue. Immutable.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "catalog/catalog.hpp"
#include "retrieval/query_understanding_phrases.hpp"
#include "retrieval/query_understanding_words.hpp"

namespace scalestyle::retrieval {

class UnderstandingLexicon {
 public:
  explicit UnderstandingLexicon(const catalog::Catalog& catalog, std::span<const AudienceSet> audience_of_row);

  // The longest known phrase at words[first]. A singular that the catalogue only uses to describe other things is no
  // type: "short" in "short dress" is not "Shorts".
  [[nodiscard]] std::optional<PhraseTable::Match> longest(std::span<const QueryWord> words, std::size_t first) const;

  [[nodiscard]] std::size_t memory_bytes() const { return phrases_.memory_bytes(); }

 private:
  PhraseTable phrases_;
  std::unordered_set<std::string> modifiers_;
};

}  // namespace scalestyle::retrieval
