#include "retrieval/product_lookup.hpp"

#include <algorithm>
#include <numeric>

#include "catalog/article_id.hpp"

namespace scalestyle::retrieval {

namespace {

std::string_view without_zeros(std::string_view code) { return code.substr(std::min(code.find_first_not_of('0'), code.size())); }

}  // namespace

ProductLookup::ProductLookup(const catalog::Catalog& catalog) : catalog_(&catalog), by_code_(catalog.product_count()) {
  std::iota(by_code_.begin(), by_code_.end(), 0U);
  std::ranges::stable_sort(by_code_, {}, [&catalog](std::uint32_t product) { return without_zeros(catalog.product_code_of(product)); });
}

std::vector<catalog::RowIndex> ProductLookup::find(std::string_view id_or_code) const {
  const auto id = catalog::ArticleId::parse(id_or_code);
  if (!id) return {};
  if (const auto row = catalog_->find(*id)) return {*row};
  const auto [begin, end] = std::ranges::equal_range(by_code_, without_zeros(id_or_code), {}, [this](std::uint32_t product) {
    return without_zeros(catalog_->product_code_of(product));
  });
  std::vector<catalog::RowIndex> rows;
  for (auto product = begin; product != end; ++product) {
    const auto of_product = catalog_->rows_of_product(*product);
    rows.insert(rows.end(), of_product.begin(), of_product.end());
  }
  std::ranges::sort(rows);
  return rows;
}

}  // namespace scalestyle::retrieval
