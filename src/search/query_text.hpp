#pragma once
// What is done to a query's text between its words and its meaning.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "retrieval/lexical_plan.hpp"
#include "retrieval/understood_query.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

// The form in which a query is looked up, so that queries which differ in nothing else share one list: no blanks around it,
// one between words, lower case. A word that names an article of `articles` by its id, or has a digit, keeps its letters.
[[nodiscard]] std::string normalized_query(std::string_view query, const catalog::Catalog& articles);

// A query with its mistyped words corrected. Everything else keeps its bytes.
struct CorrectedText {
  struct Change {
    retrieval::TextSpan was{};  // in the query
    retrieval::TextSpan is{};   // in `text`
  };
  std::string text{};
  std::vector<Change> changes{};  // in the order of the text

  // Where the part `span` of `text` was in the query; of a corrected word the whole.
  [[nodiscard]] retrieval::TextSpan in_query(retrieval::TextSpan span) const;
};

// Each word as the word index corrected it, by its best correction; words that touch one of `kept` (parts of the query
// that are understood as they are) stay.
[[nodiscard]] CorrectedText corrected_text(std::string_view query, std::span<const retrieval::QueryNote> notes,
                                           std::span<const retrieval::TextSpan> kept = {});

// What was done to the words, for the answer: "correction", "jackt → jacket".
[[nodiscard]] std::vector<Understood> understood_words(const std::vector<retrieval::QueryNote>& notes);

}  // namespace scalestyle::search
