#pragma once
// Collapse: one item a product. Colour variants are articles of one product; a list shows the variant that comes first in
// it, which is the one that fits the query, the filters and this shopper best.
//
// Pure; same input, same output. Thread safety: free functions.

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/catalog.hpp"

namespace scalestyle::ranking {

// A set of numbers below a bound: products of a catalogue, or its rows.
class NumberSet {
 public:
  explicit NumberSet(std::size_t bound) : words_((bound + 63) / 64) {}

  [[nodiscard]] bool contains(std::uint32_t number) const { return ((words_[number / 64] >> (number % 64)) & 1) != 0; }
  // Whether it was not in the set before.
  bool add(std::uint32_t number) {
    std::uint64_t& word = words_[number / 64];
    const std::uint64_t bit = std::uint64_t{1} << (number % 64);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }
  // In ascending order.
  [[nodiscard]] std::vector<std::uint32_t> numbers() const;

 private:
  std::vector<std::uint64_t> words_;
};

// The places in `rows` (best first, distinct, of `articles`) of the first row of each product, in rising order.
[[nodiscard]] std::vector<std::uint32_t> collapse(const catalog::Catalog& articles, std::span<const catalog::RowIndex> rows);

}  // namespace scalestyle::ranking
