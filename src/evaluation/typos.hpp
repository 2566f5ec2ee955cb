#pragma once
// Typing errors put into queries, to measure what they cost. Deterministic: the same seed, query id and text give the
// same error on every machine.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "evaluation/query_set.hpp"

namespace scalestyle::evaluation {

enum class TypoPlan : std::uint8_t {
  kNone,
  kOnePerQuery,  // in one of its long words, drawn at random
  kEachLongWord,
};
// "none", "query", "word"
[[nodiscard]] core::Result<TypoPlan> parse_typo_plan(std::string_view text);

inline constexpr std::size_t kLongWordLetters = 5;

// The query with one edit (a letter left out, put in, replaced, or two neighbours exchanged) in each word that the plan
// says. Words are runs of letters; those of fewer than kLongWordLetters stay as they are, and so does every first letter:
// people seldom mistype it, and correction may rely on it. A text without long words comes back unchanged.
[[nodiscard]] std::string with_typos(const EvaluationQuery& query, TypoPlan plan, std::uint64_t seed);

// All queries of a set; returns how many were changed.
std::size_t put_typos(QuerySet& set, TypoPlan plan, std::uint64_t seed);

}  // namespace scalestyle::evaluation
