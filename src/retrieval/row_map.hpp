#pragma once
// RowMap: which rows of one catalogue are rows of another, for two catalogues whose rows are both in the order of ids.
// Kept as runs of neighbouring rows, so that a set of rows is carried over by words of 64. Immutable once built.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "catalog/bitmap.hpp"

namespace scalestyle::retrieval {

class RowMap {
 public:
  // `from_rows` and `to_rows` are the sizes of the catalogues.
  RowMap(std::size_t from_rows, std::size_t to_rows) : from_rows_(from_rows), to_rows_(to_rows) {}

  // Pairs must be added in ascending order of both rows.
  void add(std::uint32_t from, std::uint32_t to);

  // The rows that the rows of `from` (of from_rows) are; those that are none are left out.
  [[nodiscard]] catalog::Bitmap map(const catalog::Bitmap& from) const;
  // The same for every row.
  [[nodiscard]] catalog::Bitmap map_all() const;

  [[nodiscard]] std::size_t run_count() const { return runs_.size(); }

 private:
  struct Run {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint32_t count = 0;
  };
  std::size_t from_rows_;
  std::size_t to_rows_;
  std::vector<Run> runs_;
};

}  // namespace scalestyle::retrieval
