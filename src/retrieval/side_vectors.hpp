#pragma once
// SideVectors: the vectors of a few rows of a catalogue, those that its large index does not have, searched exactly.
// Immutable once built; safe to read from any thread.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"

namespace scalestyle::retrieval {

struct SideHit {
  catalog::RowIndex row{};
  float score = 0;  // the inner product, computed as an index's rescoring computes it
};

class SideVectors {
 public:
  explicit SideVectors(std::size_t dimension) : dimension_(dimension) {}

  // `vector` has the dimension; rows must be added in ascending order.
  void add(catalog::RowIndex row, std::shared_ptr<const std::vector<float>> vector);

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t dimension() const { return dimension_; }
  // Null when it is not one of the rows.
  [[nodiscard]] const std::vector<float>* vector_of(catalog::RowIndex row) const;

  // The best k of the rows in `eligible` (of the catalogue's size; null: all), by score descending, row ascending.
  // `query` has the dimension.
  [[nodiscard]] std::vector<SideHit> search(std::span<const float> query, const catalog::Bitmap* eligible, std::size_t k) const;

 private:
  std::size_t dimension_;
  std::vector<catalog::RowIndex> rows_;
  std::vector<std::shared_ptr<const std::vector<float>>> vectors_;  // shared with those of other states of the catalogue
};

}  // namespace scalestyle::retrieval
