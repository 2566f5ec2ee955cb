#pragma once
// QueryReading: what a query says besides its words, and what of it is in force beside the request's own filters.
//
// - An explicit filter wins: pieces about the same thing are dropped (a filter on a colour drops what the query says of
//   colours; one on index, section or department the audience; price_min or price_max its prices).
// - An audience that would leave nothing, or nothing of the kind asked for (no dress "for men"), is dropped, as it is only
//   inferred. Prices and exclusions are what the shopper said: they stay, and an answer that is empty for them says so.
// Mistyped words are understood as the word index corrects them, unless they are understood as they are.
// Values; the functions are pure and safe from any thread.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/filters.hpp"
#include "retrieval/lexical_plan.hpp"
#include "retrieval/query_understanding.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

enum class DropReason : std::uint8_t { kExplicitFilter, kNothingLeft };
[[nodiscard]] std::string_view to_string(DropReason reason);  // explicit_filter, nothing_left

struct DroppedPiece {
  retrieval::UnderstoodPiece piece{};
  DropReason why = DropReason::kExplicitFilter;
};

struct QueryReading {
  std::string query{};                     // as given
  retrieval::UnderstoodQuery understood{};  // what is in force; spans are bytes of `query`
  std::vector<DroppedPiece> dropped{};
  std::string words{};    // what is looked for by words: the query without what restricts; empty: nothing is
  std::string meaning{};  // the same with mistyped words corrected: what is embedded
  bool nothing_left = false;  // no article passes, and some would without what was understood
};

struct ReadingWish {
  std::string_view query{};
  const retrieval::UnderstandingSwitches& switches;
  const catalog::Filter& filter;                     // the request's
  std::span<const retrieval::QueryNote> corrections;  // of the whole query, by the word index
};
[[nodiscard]] QueryReading read_query(const retrieval::QueryUnderstanding& understanding, const ReadingWish& wish);

// `articles` is what is served: the rows of understanding's catalogue, with the prices of now. Takes out of `eligible`, the rows that pass the request's filter, what the query does not let pass; says in `reading`
// what had to be dropped for it.
void restrict_rows(const retrieval::QueryUnderstanding& understanding, const catalog::Catalog& articles, QueryReading& reading,
                   catalog::Bitmap& eligible);

// What typed filters can say of the rows that pass both: the request's filter and the bounds of prices.
[[nodiscard]] catalog::Filter typed_filter(const catalog::Filter& filter, const retrieval::UnderstoodQuery& understood);

// For the answer: pieces in the order of the query, in force or dropped; then notes.
[[nodiscard]] std::vector<Understood> understood_pieces(const QueryReading& reading);

}  // namespace scalestyle::search
