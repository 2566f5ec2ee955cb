#pragma once
// For each code of a dictionary column, the rows that have it. A value of many rows has a bitmap, the others share one
// list, so that memory stays within about 8 bytes a row however many values there are.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/bitmap.hpp"

namespace scalestyle::catalog {

class ValueRows {
 public:
  ValueRows() = default;
  // codes[row] < code_count.
  ValueRows(std::span<const std::uint32_t> codes, std::size_t code_count);

  // Adds the rows of `code` to `rows`, whose size must be the number of rows.
  void add_to(Bitmap& rows, std::uint32_t code) const;
  [[nodiscard]] std::size_t count(std::uint32_t code) const { return counts_[code]; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kNoBitmap = UINT32_MAX;

  std::vector<std::uint32_t> counts_;         // rows of each code
  std::vector<std::uint32_t> bitmap_of_;      // index into bitmaps_, or kNoBitmap
  std::vector<std::uint32_t> list_begin_;     // into rows_, for codes without a bitmap; one more than codes
  std::vector<std::uint32_t> rows_;           // ascending within a code
  std::vector<Bitmap> bitmaps_;
};

}  // namespace scalestyle::catalog
