#include "ranking/collapse.hpp"

#include <bit>

namespace scalestyle::ranking {

std::vector<std::uint32_t> NumberSet::numbers() const {
  std::vector<std::uint32_t> list;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
      list.push_back(static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(word))));
    }
  }
  return list;
}

std::vector<std::uint32_t> collapse(const catalog::Catalog& articles, std::span<const catalog::RowIndex> rows) {
  NumberSet products(articles.product_count());
  std::vector<std::uint32_t> places;
  places.reserve(rows.size());
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (products.add(articles.product_of(rows[place]))) places.push_back(place);
  }
  return places;
}

}  // namespace scalestyle::ranking
