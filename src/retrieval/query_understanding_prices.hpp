#pragma once
// Price phrases: "under 20", "below €30", "between 10 and 30", "10-30 eur", "< 15", "over 50", "up to 40", "at least 25",
// "20 euros or less". Pure.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "retrieval/query_understanding_words.hpp"

namespace scalestyle::retrieval {

struct PricePhrase {
  std::size_t end = 0;           // the word after its last
  PriceBounds bounds{};          // swapped when they were given the wrong way round
  std::string_view currencies{}; // as currencies_of() gives them; empty when none is named
};

// The price phrase that starts at words[first], if one does. Numbers without a currency need words or signs that compare
// (a bare "10-30" may be a size), are none before a measure ("under 20 denier") or after one ("size over 40"), and
// "women over 50" and "kids under 5" are ages.
[[nodiscard]] std::optional<PricePhrase> price_phrase(std::span<const QueryWord> words, std::size_t first);

}  // namespace scalestyle::retrieval
