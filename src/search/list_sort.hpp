#pragma once
// Sorts what a query found by one column.

#include <cstddef>
#include <optional>
#include <vector>

#include "events/features.hpp"
#include "search/base_list.hpp"
#include "search/browse_orders.hpp"
#include "search/search_sort.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

// `list` is whole, of `generation`; kPopularity needs a popularity board. Scores fall evenly along the new order.
// kRelevance changes nothing.
void sort_list(const ServingGeneration& generation, SearchSort sort, events::EpochMs now_ms, BaseList& list);

// Which order of the catalogue that is; nothing for kRelevance and kPopularity.
[[nodiscard]] std::optional<BrowseSort> browse_sort(SearchSort sort);

// The beginning of an order of `total` eligible rows.
[[nodiscard]] BaseList list_by_place(std::vector<catalog::RowIndex> rows, std::size_t total);

// The score of a place in a list of `total` rows whose order is not one of scores: 1 at its head, falling evenly.
[[nodiscard]] double score_of_place(std::size_t place, std::size_t total);

}  // namespace scalestyle::search
