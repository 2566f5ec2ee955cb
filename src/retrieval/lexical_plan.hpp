#pragma once
// A query made ready for one index: what is looked up, with which weight, and what was done to the words on the way.
//
// The score of an article is a sum over clauses; a clause is worth its best phrase; a phrase is the sum of its words; a
// word is worth its best list (its own stem, or a correction, or a completion).

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/article_id.hpp"
#include "retrieval/lexical_vocabulary.hpp"

namespace scalestyle::retrieval {

enum class MatchKind : std::uint8_t { kWord, kCompound, kSynonym, kPrefix, kCorrection };
[[nodiscard]] std::string_view to_string(MatchKind kind);  // "word", "compound", "synonym", "prefix", "correction"

struct PlannedList {
  TermId term = 0;
  std::uint8_t forms = 0;         // of the term, those that the query's word is
  std::uint32_t weight = 0;       // for articles with one of `forms`; kWeightOne is 1 (lexical_postings.hpp)
  std::uint32_t stem_weight = 0;  // for those with other forms only
  MatchKind kind = MatchKind::kWord;
  std::string word{};             // as looked up
};

struct PlannedWord {
  std::vector<PlannedList> lists;  // at least one
};

struct PlannedPhrase {
  std::vector<PlannedWord> words;  // at least one
  bool needs_all = false;          // worth nothing unless every word is there
};

struct PlannedClause {
  std::string text;  // the words of the query that it stands for
  std::vector<PlannedPhrase> phrases;  // at least one

  [[nodiscard]] bool is_single_list() const {
    return phrases.size() == 1 && phrases[0].words.size() == 1 && phrases[0].words[0].lists.size() == 1;
  }
};

// Something that was done to a query: "jackt" was also searched as "jacket".
struct QueryNote {
  MatchKind kind = MatchKind::kWord;
  std::string from;
  std::string to;

  friend bool operator==(const QueryNote&, const QueryNote&) = default;
};

struct LexicalPlan {
  std::vector<catalog::RowIndex> named_rows;  // articles whose id or product code is in the query, in its order
  std::vector<PlannedClause> clauses;
  std::vector<QueryNote> notes;
  std::vector<std::string> unknown_words;  // words of the query that nothing could be found for
  bool truncated = false;                  // the query was longer than kMaxQueryBytes or kMaxQueryWords

  [[nodiscard]] bool empty() const { return named_rows.empty() && clauses.empty(); }
};

}  // namespace scalestyle::retrieval
