#include "search/facet_counter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <unordered_map>

#include "ranking/price_ranges.hpp"

namespace scalestyle::search {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

std::vector<std::uint32_t> equal_codes(const catalog::Catalog& articles, catalog::Attribute attribute) {
  std::vector<std::uint32_t> same_as(articles.value_count(attribute));
  std::unordered_map<std::string, std::uint32_t> first;
  bool any = false;
  for (std::uint32_t code = 0; code < same_as.size(); ++code) {
    const auto [place, is_new] = first.try_emplace(catalog::fold_value(articles.value_of(attribute, code)), code);
    same_as[code] = place->second;
    any = any || !is_new;
  }
  if (!any) same_as.clear();
  return same_as;
}

// Items a code, of rows in the order of their products.
std::vector<std::uint32_t> count_codes(const catalog::Catalog& articles, std::span<const std::uint32_t> codes, std::size_t values,
                                       const FacetRows& counted) {
  struct Count {
    std::uint32_t items = 0;
    std::uint32_t last = kNone;  // the item counted last
  };
  std::vector<Count> counts(values);
  std::uint32_t last_item = kNone;
  std::uint32_t last_code = kNone;
  for (const catalog::RowIndex row : counted.rows) {
    const std::uint32_t item = counted.collapse ? articles.product_of(row) : row.value;
    const std::uint32_t code = codes[row.value];
    if (item == last_item && code == last_code) continue;  // as most variants
    last_item = item;
    last_code = code;
    Count& count = counts[code];
    count.items += static_cast<std::uint32_t>(count.last != item);
    count.last = item;
  }
  std::vector<std::uint32_t> items(values);
  std::ranges::transform(counts, items.begin(), &Count::items);
  return items;
}

std::vector<double> sample_prices(std::span<const double> prices, std::span<const catalog::RowIndex> rows) {
  const std::size_t step = (rows.size() + FacetCounter::kPriceSample - 1) / FacetCounter::kPriceSample;
  std::vector<double> sample;
  for (std::size_t i = 0; i < rows.size(); i += step) {
    const double price = prices[rows[i].value];
    if (!std::isnan(price)) sample.push_back(price);
  }
  return sample;
}

// The ranges that a price lies in, a bit each: two where it is a bound.
std::uint32_t ranges_of(double price, std::span<const double> bounds) {
  std::uint32_t below = 0;
  std::uint32_t not_above = 0;
  for (const double bound : bounds) {
    below += static_cast<std::uint32_t>(bound < price);
    not_above += static_cast<std::uint32_t>(bound <= price);
  }
  return (1U << below) | (1U << not_above);
}

void add_ranges(PriceFacet& facet, std::uint32_t ranges) {
  if (ranges == 0) return;
  ++facet.count;
  for (std::size_t i = 0; i < facet.ranges.size(); ++i) facet.ranges[i].count += (ranges >> i) & 1U;
}

}  // namespace

FacetCounter::FacetCounter(const catalog::Catalog& articles) : articles_(articles) {
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    same_as_[static_cast<std::size_t>(field)] = equal_codes(articles, catalog::attribute_of(field));
  }
}

ValueFacet FacetCounter::count_values(catalog::FilterField field, const FacetRows& counted) const {
  const catalog::Attribute attribute = catalog::attribute_of(field);
  const std::size_t values = articles_.value_count(attribute);
  std::span<const std::uint32_t> codes = articles_.codes(attribute);
  std::vector<std::uint32_t> first_codes;
  if (const auto& same_as = same_as_[static_cast<std::size_t>(field)]; !same_as.empty()) {
    first_codes.resize(codes.size());
    for (const catalog::RowIndex row : counted.rows) first_codes[row.value] = same_as[codes[row.value]];
    codes = first_codes;
  }
  const auto counts = count_codes(articles_, codes, values, counted);

  ValueFacet facet{.field = field};
  std::vector<std::uint32_t> found;
  for (std::uint32_t code = 0; code < values; ++code) {
    if (counts[code] > 0 && !catalog::fold_value(articles_.value_of(attribute, code)).empty()) found.push_back(code);
  }
  facet.distinct = found.size();
  const std::size_t shown = std::min(found.size(), kMaxFacetValues);
  // Codes are ordered as their texts.
  std::ranges::partial_sort(found, found.begin() + static_cast<std::ptrdiff_t>(shown), [&](std::uint32_t a, std::uint32_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : a < b;
  });
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i < shown) {
      facet.values.push_back({articles_.value_of(attribute, found[i]), counts[found[i]]});
    } else {
      facet.other += counts[found[i]];
    }
  }
  return facet;
}

PriceFacet FacetCounter::count_prices(const FacetRows& counted) const {
  PriceFacet facet;
  const auto prices = articles_.prices();
  auto sample = sample_prices(prices, counted.rows);
  const auto bounds = ranking::price_bounds(sample);
  facet.ranges.resize(bounds.size() + 1);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    facet.ranges[i].to = bounds[i];
    facet.ranges[i + 1].from = bounds[i];
  }
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  std::uint32_t last_item = kNone;
  std::uint32_t ranges = 0;  // of the item
  for (const catalog::RowIndex row : counted.rows) {
    const double price = prices[row.value];
    if (std::isnan(price)) continue;
    const std::uint32_t item = counted.collapse ? articles_.product_of(row) : row.value;
    if (item != last_item) {
      add_ranges(facet, ranges);
      last_item = item;
      ranges = 0;
    }
    ranges |= ranges_of(price, bounds);
    least = std::min(least, price);
    greatest = std::max(greatest, price);
  }
  add_ranges(facet, ranges);
  if (facet.count == 0) {
    facet.ranges.clear();
    return facet;
  }
  facet.minimum = least;
  facet.maximum = greatest;
  return facet;
}

}  // namespace scalestyle::search
