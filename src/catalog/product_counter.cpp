#include "catalog/product_counter.hpp"

#include <bit>
#include <cstdint>

namespace scalestyle::catalog {

namespace {

// The products of the rows; the bits are product numbers.
Bitmap products_of(const Catalog& articles, const Bitmap& rows) {
  Bitmap products(articles.product_count());
  rows.for_each([&](RowIndex row) { products.set(RowIndex{articles.product_of(row)}); });
  return products;
}

}  // namespace

ProductCounter::ProductCounter(const Catalog& articles) : articles_(articles), last_(articles.size()) {
  for (std::uint32_t product = 0; product < articles.product_count(); ++product) {
    const auto rows = articles.rows_of_product(product);
    neighbours_ = neighbours_ && rows.back().value - rows.front().value + 1 == rows.size();
    last_.set(rows.back());
  }
}

// Adding ones to the other rows of a product carries into its last row when any of them is in the set. The last rows are
// left out of both summands, so that no carry leaves its product; the words are added as one long number.
std::size_t ProductCounter::count(const Bitmap& rows) const {
  if (!neighbours_) return products_of(articles_, rows).count();
  std::size_t products = 0;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < rows.words().size(); ++i) {
    const std::uint64_t last = last_.words()[i];
    const std::uint64_t others = rows.words()[i] & ~last;
    const std::uint64_t sum = others + ~last;
    const std::uint64_t carried = sum + carry;
    carry = static_cast<std::uint64_t>(sum < others) | static_cast<std::uint64_t>(carried < sum);
    products += static_cast<std::size_t>(std::popcount((carried | rows.words()[i]) & last));
  }
  return products;
}

std::vector<RowIndex> ProductCounter::by_product(const Bitmap& rows) const {
  std::vector<RowIndex> list;
  list.reserve(rows.count());
  if (neighbours_) {
    rows.for_each([&](RowIndex row) { list.push_back(row); });
    return list;
  }
  products_of(articles_, rows).for_each([&](RowIndex product) {
    for (const RowIndex row : articles_.rows_of_product(product.value)) {
      if (rows.test(row)) list.push_back(row);
    }
  });
  return list;
}

}  // namespace scalestyle::catalog
