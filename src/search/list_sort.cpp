#include "search/list_sort.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "recommend/popularity_board.hpp"

namespace scalestyle::search {

namespace {

// What comes first has the greatest key.
std::vector<double> sort_keys(const ServingGeneration& generation, SearchSort sort, events::EpochMs now_ms,
                              const std::vector<catalog::RowIndex>& rows) {
  std::vector<double> keys;
  keys.reserve(rows.size());
  const auto prices = generation.catalog().prices();
  for (const catalog::RowIndex row : rows) {
    const double price = prices[row.value];
    switch (sort) {
      case SearchSort::kPriceAscending: keys.push_back(std::isnan(price) ? -HUGE_VAL : -price); break;
      case SearchSort::kPriceDescending: keys.push_back(std::isnan(price) ? -HUGE_VAL : price); break;
      case SearchSort::kNewest: keys.push_back(static_cast<double>(row.value)); break;
      case SearchSort::kPopularity: keys.push_back(generation.popularity()->global(row, now_ms)); break;
      case SearchSort::kRelevance: break;
    }
  }
  return keys;
}

template <class T>
void permute(std::vector<T>& column, const std::vector<std::uint32_t>& order) {
  std::vector<T> moved;
  moved.reserve(column.size());
  for (const std::uint32_t place : order) moved.push_back(column[place]);
  column = std::move(moved);
}

}  // namespace

double score_of_place(std::size_t place, std::size_t total) {
  return 1.0 - static_cast<double>(place) / static_cast<double>(total);
}

std::optional<BrowseSort> browse_sort(SearchSort sort) {
  switch (sort) {
    case SearchSort::kPriceAscending: return BrowseSort::kPriceAscending;
    case SearchSort::kPriceDescending: return BrowseSort::kPriceDescending;
    case SearchSort::kNewest: return BrowseSort::kNewest;
    case SearchSort::kPopularity:
    case SearchSort::kRelevance: break;
  }
  return std::nullopt;
}

BaseList list_by_place(std::vector<catalog::RowIndex> rows, std::size_t total) {
  BaseList list;
  list.rows = std::move(rows);
  list.total = total;
  list.is_every_eligible_row = true;
  list.scores.reserve(list.rows.size());
  for (std::size_t place = 0; place < list.rows.size(); ++place) list.scores.push_back(score_of_place(place, total));
  return list;
}

void sort_list(const ServingGeneration& generation, SearchSort sort, events::EpochMs now_ms, BaseList& list) {
  if (sort == SearchSort::kRelevance) return;
  const auto keys = sort_keys(generation, sort, now_ms, list.rows);
  std::vector<std::uint32_t> order(list.rows.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return keys[a] != keys[b] ? keys[a] > keys[b] : list.rows[a] < list.rows[b];
  });
  permute(list.rows, order);
  if (!list.leg_ranks.empty()) permute(list.leg_ranks, order);
  if (!list.fused_scores.empty()) permute(list.fused_scores, order);
  if (!list.preferences.empty()) permute(list.preferences, order);
  for (std::size_t place = 0; place < list.scores.size(); ++place) list.scores[place] = score_of_place(place, list.rows.size());
}

}  // namespace scalestyle::search
