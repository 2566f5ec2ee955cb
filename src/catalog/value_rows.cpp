#include "catalog/value_rows.hpp"

#include <cassert>

namespace scalestyle::catalog {

ValueRows::ValueRows(std::span<const std::uint32_t> codes, std::size_t code_count)
    : counts_(code_count), bitmap_of_(code_count, kNoBitmap), list_begin_(code_count + 1) {
  for (const std::uint32_t code : codes) ++counts_[code];
  // From one row in 32 on, a bitmap is the smaller of the two, and quicker to add.
  std::uint32_t listed = 0;
  for (std::size_t code = 0; code < code_count; ++code) {
    list_begin_[code] = listed;
    if (std::size_t{counts_[code]} * 32 >= codes.size()) {
      bitmap_of_[code] = static_cast<std::uint32_t>(bitmaps_.size());
      bitmaps_.emplace_back(codes.size());
    } else {
      listed += counts_[code];
    }
  }
  list_begin_[code_count] = listed;
  rows_.resize(listed);
  std::vector<std::uint32_t> next(list_begin_.begin(), list_begin_.end() - 1);
  for (std::size_t row = 0; row < codes.size(); ++row) {
    const std::uint32_t code = codes[row];
    const auto index = static_cast<std::uint32_t>(row);
    if (bitmap_of_[code] != kNoBitmap) {
      bitmaps_[bitmap_of_[code]].set(RowIndex{index});
    } else {
      rows_[next[code]++] = index;
    }
  }
}

void ValueRows::add_to(Bitmap& rows, std::uint32_t code) const {
  assert(code < counts_.size());
  if (bitmap_of_[code] != kNoBitmap) {
    rows |= bitmaps_[bitmap_of_[code]];
    return;
  }
  for (std::uint32_t i = list_begin_[code]; i < list_begin_[code + 1]; ++i) rows.set(RowIndex{rows_[i]});
}

std::size_t ValueRows::memory_bytes() const {
  std::size_t bytes = (counts_.capacity() + bitmap_of_.capacity() + list_begin_.capacity() + rows_.capacity()) *
                      sizeof(std::uint32_t);
  for (const Bitmap& bitmap : bitmaps_) bytes += sizeof(Bitmap) + bitmap.memory_bytes();
  return bytes;
}

}  // namespace scalestyle::catalog
