#pragma once
// Facets: how many items of a list have each value of an attribute, and how their prices are spread.

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "catalog/filters.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxFacetValues = 50;  // shown of one attribute

// Which facets an answer should have: a bit for each catalog::FilterField, then one for the price.
inline constexpr std::size_t kPriceFacet = catalog::kFilterFieldCount;
using FacetSet = std::bitset<catalog::kFilterFieldCount + 1>;

// What is counted is what `total` counts: products, or articles where the list is not collapsed. An item counts once for
// each value that one of its articles in the list has. Articles without a value, or a price, are not counted.
struct FacetValue {
  std::string_view text;  // of the answer's generation; of values that filters take for the same, the first by bytes
  std::size_t count = 0;
};

struct ValueFacet {
  catalog::FilterField field = catalog::FilterField::kColour;
  std::vector<FacetValue> values{};  // by (count descending, text ascending); at most kMaxFacetValues
  std::size_t distinct = 0;          // values that there are, the ones left out too
  std::size_t other = 0;             // sum of the counts of those left out
  bool own_filter_applied = false;   // the field is filtered, and only what passes is counted
};

// Both ends belong to the range, as with the filters price_min and price_max.
struct PriceRange {
  std::optional<double> from{};
  std::optional<double> to{};
  std::size_t count = 0;
};

struct PriceFacet {
  std::size_t count = 0;  // items with a price
  std::optional<double> minimum{};
  std::optional<double> maximum{};
  std::vector<PriceRange> ranges{};  // rising; one ends where the next begins
  bool own_filter_applied = false;
};

struct Facets {
  std::vector<ValueFacet> values{};
  std::optional<PriceFacet> price{};
};

}  // namespace scalestyle::search
