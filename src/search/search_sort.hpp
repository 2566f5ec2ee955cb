#pragma once
// SearchSort: the orders of what a search finds. All but kRelevance order the whole pool by one column; articles without a
// price are the last of both price orders, ties go by article id.
//
// kNewest is by article id, the greatest first: a catalogue has no dates, and shops number their articles in the order in
// which they make them, as H&M does. Where ids are given otherwise it is a fixed order without a meaning.

#include <cstdint>
#include <optional>
#include <string_view>

namespace scalestyle::search {

enum class SearchSort : std::uint8_t { kRelevance, kPriceAscending, kPriceDescending, kNewest, kPopularity };
// "relevance", "price_asc", "price_desc", "newest", "popularity"
[[nodiscard]] std::string_view to_string(SearchSort sort);
[[nodiscard]] std::optional<SearchSort> search_sort(std::string_view name);

}  // namespace scalestyle::search
