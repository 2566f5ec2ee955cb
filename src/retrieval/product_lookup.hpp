#pragma once
// Finds the articles that a query names by id or by product code.

#include <cstddef>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"

namespace scalestyle::retrieval {

// Immutable; safe to read from any thread; the catalogue must outlive it.
class ProductLookup {
 public:
  explicit ProductLookup(const catalog::Catalog& catalog);

  // The row of an article id in any spelling (leading zeros may be missing), else the rows of a product code, ascending.
  [[nodiscard]] std::vector<catalog::RowIndex> find(std::string_view id_or_code) const;

  [[nodiscard]] std::size_t memory_bytes() const { return by_code_.capacity() * sizeof(std::uint32_t); }

 private:
  const catalog::Catalog* catalog_;
  std::vector<std::uint32_t> by_code_;  // products, by their codes without leading zeros
};

}  // namespace scalestyle::retrieval
