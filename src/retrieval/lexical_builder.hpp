#pragma once
// Makes vocabulary and postings from a catalogue. Each distinct text of a column is cut into words once; rows only add
// up what their texts have.

#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "retrieval/lexical_options.hpp"
#include "retrieval/lexical_postings.hpp"
#include "retrieval/lexical_vocabulary.hpp"
#include "text/english_stemmer.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {

// One column of the catalogue as its dictionary.
struct LexicalColumn {
  std::span<const std::uint32_t> codes;  // by row
  std::size_t text_count = 0;
  std::string_view text(std::uint32_t code) const;

  const catalog::Catalog* catalog = nullptr;
  LexicalField field = LexicalField::kName;
};
[[nodiscard]] LexicalColumn lexical_column(const catalog::Catalog& catalog, LexicalField field);

inline constexpr std::size_t kMaxDocumentWords = 2000;  // of one text; the rest is not indexed

// Calls visit(word) for each word of a text, for each compound read as one word, and for "ladies" where it says
// "ladieswear"; returns the length of the text for normalisation, which counts the words alone. `words` is scratch.
template <class Visit>
std::size_t for_each_indexed_word(std::string_view text, text::Words& words, Visit&& visit) {
  constexpr std::size_t kMaxJoined = 3;
  text::split_words(text, kMaxDocumentWords, words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    visit(words[i]);
    if (const std::string_view wearer = text::wearer_of(words[i]); !wearer.empty()) visit(wearer);
    if (words.continues(i)) continue;
    const std::size_t count = words.compound_length(i);
    if (count > 1 && count <= kMaxJoined) visit(words.joined(i, count));
  }
  return words.size();
}

struct BuiltLexical {
  LexicalVocabulary vocabulary;
  PostingLists lists;
  std::size_t article_count = 0;
  std::array<float, kLexicalFieldCount> average_length{};  // over rows that have the field
};

// kResourceExhausted above kMaxLexicalRows rows or 2^32 − 2 postings. `options` must be valid. With `statistics` (may be
// null) the numbers of articles and the average lengths are those of that index, also in the vocabulary's
// term_articles(), for every term that it has.
[[nodiscard]] core::Result<BuiltLexical> build_lexical(const catalog::Catalog& catalog, const LexicalOptions& options,
                                                       const BuiltLexical* statistics);

}  // namespace scalestyle::retrieval
