#pragma once
// FacetCounter: counts the facets of lists of one generation.
// Immutable: safe to share between threads. `articles` must outlive it.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/catalog.hpp"
#include "search/facet.hpp"

namespace scalestyle::search {

// Rows whose facets are counted, those of a product beside each other (catalog::ProductCounter::by_product).
struct FacetRows {
  std::span<const catalog::RowIndex> rows{};
  bool collapse = true;  // count products, not articles
};

class FacetCounter {
 public:
  explicit FacetCounter(const catalog::Catalog& articles);

  [[nodiscard]] ValueFacet count_values(catalog::FilterField field, const FacetRows& counted) const;

  // Bounds come from every nth price, so that at most kPriceSample are looked at; counts are exact.
  [[nodiscard]] PriceFacet count_prices(const FacetRows& counted) const;
  static constexpr std::size_t kPriceSample = 1'000;

 private:
  const catalog::Catalog& articles_;
  // The least code that filters take for the same as a code; empty where no two are the same.
  std::array<std::vector<std::uint32_t>, catalog::kFilterFieldCount> same_as_;
};

}  // namespace scalestyle::search
