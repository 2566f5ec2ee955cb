#include "search/browse_orders.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace scalestyle::search {

namespace {

std::vector<catalog::RowIndex> every_row(std::size_t count) {
  std::vector<catalog::RowIndex> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) rows.push_back({static_cast<std::uint32_t>(i)});
  return rows;
}

std::vector<catalog::RowIndex> by_price(std::span<const double> prices, bool ascending) {
  auto rows = every_row(prices.size());
  std::ranges::sort(rows, [prices, ascending](catalog::RowIndex a, catalog::RowIndex b) {
    const double left = prices[a.value];
    const double right = prices[b.value];
    if (std::isnan(left) != std::isnan(right)) return std::isnan(right);
    if (std::isnan(left) || left == right) return a < b;
    return ascending ? left < right : left > right;
  });
  return rows;
}

// Many articles share a name: each distinct one is folded and sorted once.
std::vector<catalog::RowIndex> by_name(const catalog::Catalog& articles) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  std::vector<std::pair<std::string, std::uint32_t>> names;
  std::vector<std::uint32_t> number_of(articles.size());
  for (std::size_t i = 0; i < articles.size(); ++i) {
    const std::string_view name = articles.row({static_cast<std::uint32_t>(i)}).name();
    const auto [place, is_new] = numbers.try_emplace(name, static_cast<std::uint32_t>(names.size()));
    if (is_new) names.emplace_back(catalog::fold_value(name), place->second);
    number_of[i] = place->second;
  }
  std::ranges::sort(names);
  std::vector<std::uint32_t> place_of(names.size());  // names that are equal when folded share a place
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool same = i > 0 && names[i].first == names[i - 1].first;
    place_of[names[i].second] = same ? place_of[names[i - 1].second] : static_cast<std::uint32_t>(i);
  }
  auto rows = every_row(articles.size());
  std::ranges::sort(rows, [&](catalog::RowIndex a, catalog::RowIndex b) {
    const std::uint32_t left = place_of[number_of[a.value]];
    const std::uint32_t right = place_of[number_of[b.value]];
    return left != right ? left < right : a < b;
  });
  return rows;
}

std::vector<catalog::RowIndex> newest(std::size_t size, const catalog::Bitmap* eligible, std::size_t count) {
  std::vector<catalog::RowIndex> rows;
  rows.reserve(std::min(count, size));
  for (std::size_t i = size; i > 0 && rows.size() < count; --i) {
    const catalog::RowIndex row{static_cast<std::uint32_t>(i - 1)};
    if (eligible == nullptr || eligible->test(row)) rows.push_back(row);
  }
  return rows;
}

}  // namespace

BrowseOrders::BrowseOrders(const catalog::Catalog& articles)
    : price_ascending_(by_price(articles.prices(), true)),
      price_descending_(by_price(articles.prices(), false)),
      name_(by_name(articles)) {}

std::vector<catalog::RowIndex> BrowseOrders::first(BrowseSort sort, const catalog::Bitmap* eligible, std::size_t count) const {
  if (sort == BrowseSort::kNewest) return newest(name_.size(), eligible, count);
  const auto& order = sort == BrowseSort::kPriceAscending    ? price_ascending_
                      : sort == BrowseSort::kPriceDescending ? price_descending_
                                                             : name_;
  std::vector<catalog::RowIndex> rows;
  rows.reserve(std::min(count, order.size()));
  for (const catalog::RowIndex row : order) {
    if (rows.size() == count) break;
    if (eligible == nullptr || eligible->test(row)) rows.push_back(row);
  }
  return rows;
}

}  // namespace scalestyle::search
