#pragma once
// BrowseOrders: the fixed orders in which the articles of a generation can be listed, made once for each generation, so
// that a page is a walk instead of a sort. Immutable. 12 bytes an article.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"

namespace scalestyle::search {

// Articles without a price are the last of both price orders. Names are compared as filters compare values (case
// folded), by bytes. Ties go by article id. kNewest: see search_sort.hpp.
enum class BrowseSort : std::uint8_t { kPopular, kPriceAscending, kPriceDescending, kName, kNewest };
// "popular", "price_asc", "price_desc", "name", "newest"
[[nodiscard]] std::string_view to_string(BrowseSort sort);
[[nodiscard]] std::optional<BrowseSort> browse_sort(std::string_view name);

class BrowseOrders {
 public:
  explicit BrowseOrders(const catalog::Catalog& articles);

  // The first `count` rows of the order that are in `eligible` (null: all). `sort` is not kPopular.
  [[nodiscard]] std::vector<catalog::RowIndex> first(BrowseSort sort, const catalog::Bitmap* eligible,
                                                     std::size_t count) const;

 private:
  std::vector<catalog::RowIndex> price_ascending_;
  std::vector<catalog::RowIndex> price_descending_;
  std::vector<catalog::RowIndex> name_;
};

}  // namespace scalestyle::search
