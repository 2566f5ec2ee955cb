#pragma once
// Keeps the k best rows of a search, in any order of arrival: score descending, row ascending.
// Rows are collected into a buffer of at least twice k; when it is full the worse half goes, which costs a few
// operations a row where a heap would cost log k.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace scalestyle::retrieval {

struct RowScore {
  std::uint32_t row = 0;
  std::int32_t score = 0;  // in kScoreUnits (lexical_postings.hpp); above 0

  friend bool operator==(const RowScore&, const RowScore&) = default;
};

class TopRows {
 public:
  explicit TopRows(std::size_t k) : k_(k) { keys_.reserve(capacity()); }  // k ≥ 1

  // Scores are at least 1. A row may be added once.
  void add(const RowScore& row) {
    const std::uint64_t key = static_cast<std::uint64_t>(row.score) << 32U | (UINT32_MAX - row.row);
    if (key <= least_key_) return;
    keys_.push_back(key);
    ++collected_;
    if (keys_.size() >= capacity() || (least_key_ == 0 && keys_.size() == k_)) shrink();
  }

  // A row with a lower score is not among the best k; 0 until k rows are known.
  [[nodiscard]] std::int32_t least_score() const { return static_cast<std::int32_t>(least_key_ >> 32U); }
  [[nodiscard]] std::size_t collected() const { return collected_; }

  // The rows, best first; leaves nothing.
  [[nodiscard]] std::vector<RowScore> take() {
    std::ranges::sort(keys_, std::greater<>());
    keys_.resize(std::min(keys_.size(), k_));
    std::vector<RowScore> rows;
    rows.reserve(keys_.size());
    for (const std::uint64_t key : keys_) {
      rows.push_back({UINT32_MAX - static_cast<std::uint32_t>(key), static_cast<std::int32_t>(key >> 32U)});
    }
    keys_.clear();
    return rows;
  }

 private:
  [[nodiscard]] std::size_t capacity() const { return 2 * k_ + 64; }

  void shrink() {
    const auto kth = keys_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::ranges::nth_element(keys_, kth, std::greater<>());
    least_key_ = *kth;
    keys_.resize(k_);
  }

  std::size_t k_;
  std::uint64_t least_key_ = 0;
  std::size_t collected_ = 0;
  std::vector<std::uint64_t> keys_;
};

}  // namespace scalestyle::retrieval
