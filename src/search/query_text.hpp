#pragma once
// What is done to a query's text between its words and its meaning.

#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "retrieval/lexical_plan.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

// The form in which a query is looked up, so that queries which differ in nothing else share one list: no blanks around it,
// one between words, lower case. A word that names an article of `articles` by its id, or has a digit, keeps its letters.
[[nodiscard]] std::string normalized_query(std::string_view query, const catalog::Catalog& articles);

// The query with its mistyped words corrected as the word index corrected them, each by its best correction: what is
// embedded. Everything else keeps its bytes.
[[nodiscard]] std::string corrected_text(std::string_view query, const std::vector<retrieval::QueryNote>& notes);

// What was done to the words, for the answer: "correction", "jackt → jacket".
[[nodiscard]] std::vector<Understood> understood_words(const std::vector<retrieval::QueryNote>& notes);

}  // namespace scalestyle::search
