#pragma once
// The English that QueryUnderstanding knows without a catalogue: small tables, of words in the form that word_form()
// gives them. No value of any catalogue is in them. Pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retrieval/understood_query.hpp"

namespace scalestyle::retrieval {

// The form in which words are compared: singular, without a possessive 's, British spelling. `folded` is in lower case
// without accents. Pure: "dresses" and "dress" give "dress", "hoodies" and "hoodie" "hoody"; not always a word.
[[nodiscard]] std::string word_form(std::string_view folded);

struct AudienceWord {
  std::string_view form;
  std::string_view name;  // what the ids of pieces say: "women" for "ladies"
  AudienceSet asks;
  AudienceSet tolerates;
  bool several = false;   // means people, though it is no plural in s
};
[[nodiscard]] std::span<const AudienceWord> audience_words();
[[nodiscard]] const AudienceWord* audience_word(std::string_view form);

// "navy" → {"dark blue"}: phrases to look for in the catalogue's colours, the best first.
struct ShadeName {
  std::string_view form;
  std::string_view phrase;
  std::string_view second_phrase;
};
[[nodiscard]] std::span<const ShadeName> shade_names();

// Two words for one look: "plain" and "solid", "pattern" and "print". The second stands for both.
[[nodiscard]] std::span<const std::pair<std::string_view, std::string_view>> same_looks();
[[nodiscard]] std::string_view look_word(std::string_view form);

// What English makes of a word for a look: "stripe" gives "striped" and "stripy", "glittering" gives "glitter". The word
// itself is not among them; some are no words, which does no harm.
[[nodiscard]] std::vector<std::string> look_inflections(std::string_view form);

// The ISO codes, apart by blanks, that a word or symbol of money may mean: "€" EUR, "kr" SEK NOK DKK. Empty: no money.
[[nodiscard]] std::string_view currencies_of(std::string_view surface);

[[nodiscard]] bool is_measure(std::string_view surface);      // after a number: no price ("under 20 denier")
[[nodiscard]] bool is_measured(std::string_view surface);     // before a number: no price ("size over 40")
[[nodiscard]] bool is_negation(std::string_view surface);
[[nodiscard]] bool is_filler(std::string_view surface);       // may stand between "not" and what is not wanted
[[nodiscard]] bool is_alternative(std::string_view surface);  // or, nor
[[nodiscard]] bool is_conjunction(std::string_view surface);  // and, or, nor
[[nodiscard]] bool is_preposition(std::string_view surface);  // ends the noun phrase that names the thing
[[nodiscard]] bool is_placeholder(std::string_view form);     // a value that says nothing: unknown, undefined, other

}  // namespace scalestyle::retrieval
