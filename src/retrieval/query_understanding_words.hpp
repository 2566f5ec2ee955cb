#pragma once
// A text cut into the words that QueryUnderstanding reads, each with its place in the text.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/understood_query.hpp"

namespace scalestyle::retrieval {

struct QueryWord {
  TextSpan span{};
  std::string surface{};             // in lower case without accents, an apostrophe inside is '
  std::string form{};                // word_form(surface)
  std::optional<double> number{};    // of a word that is one: "20", "19.99", "19,99", "1,000"; finite, at least 0
  bool symbol = false;               // money, comparison or %; "<=" and "≤" are both "≤"
  bool continues = false;            // nothing but blanks and hyphens is between this word and the one before: both may
                                     // belong to one phrase
  bool hyphenated = false;           // a dash is among them
  bool listed = false;               // a comma, slash, "&" or "+" is between this word and the one before, nothing else
};

// The first `limit` words of any bytes; linear. Ill-formed UTF-8 separates words. A number runs into the currency that
// follows it ("20eur" are two words); other mixtures of letters and digits are one word, which is no number ("5xl").
[[nodiscard]] std::vector<QueryWord> query_words(std::string_view text, std::size_t limit);

}  // namespace scalestyle::retrieval
