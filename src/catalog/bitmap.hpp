#pragma once
// A set of rows: one bit a row, 64-bit words. Bits at and beyond size() are always zero, so words can be counted whole.
// Not synchronised: share only while nobody writes.

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/article_id.hpp"

namespace scalestyle::catalog {

class Bitmap {
 public:
  Bitmap() = default;
  explicit Bitmap(std::size_t size, bool value = false)
      : size_(size), words_((size + 63) / 64, value ? ~std::uint64_t{0} : 0) {
    clear_tail();
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::uint64_t> words() const { return words_; }

  [[nodiscard]] bool test(RowIndex row) const {
    assert(row.value < size_);
    return ((words_[row.value / 64] >> (row.value % 64)) & 1) != 0;
  }
  void set(RowIndex row) {
    assert(row.value < size_);
    words_[row.value / 64] |= std::uint64_t{1} << (row.value % 64);
  }
  void reset(RowIndex row) {
    assert(row.value < size_);
    words_[row.value / 64] &= ~(std::uint64_t{1} << (row.value % 64));
  }
  // Writes 64 rows at once; what lies beyond size() is dropped.
  void set_word(std::size_t index, std::uint64_t word) {
    words_[index] = word;
    if (index + 1 == words_.size()) clear_tail();
  }

  [[nodiscard]] std::size_t count() const {
    std::size_t total = 0;
    for (const std::uint64_t word : words_) total += static_cast<std::size_t>(std::popcount(word));
    return total;
  }
  [[nodiscard]] bool none() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
  }
  [[nodiscard]] bool all() const { return count() == size_; }

  // Both sides must have the same size.
  Bitmap& operator&=(const Bitmap& other) {
    assert(size_ == other.size_);
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  Bitmap& operator|=(const Bitmap& other) {
    assert(size_ == other.size_);
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  // Removes the rows of `other`.
  Bitmap& and_not(const Bitmap& other) {
    assert(size_ == other.size_);
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
    return *this;
  }

  // Calls visit(RowIndex) for each row of the set, in ascending order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
        visit(RowIndex{static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(word)))});
      }
    }
  }

  [[nodiscard]] std::size_t memory_bytes() const { return words_.capacity() * sizeof(std::uint64_t); }

  friend bool operator==(const Bitmap&, const Bitmap&) = default;

 private:
  void clear_tail() {
    if (size_ % 64 != 0) words_.back() &= (std::uint64_t{1} << (size_ % 64)) - 1;
  }

  std::size_t size_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace scalestyle::catalog
