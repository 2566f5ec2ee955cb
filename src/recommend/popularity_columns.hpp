#pragma once
// The live numbers of a PopularityBoard, by row. Cells are relaxed atomics: each is whole, and none orders another.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catalog/article_id.hpp"
#include "events/features.hpp"

namespace scalestyle::recommend {

class Columns {
 public:
  // Global scores are kept as what they were worth at `reference_ms`, so that one factor decays all of them.
  Columns(std::size_t rows, events::EpochMs reference_ms, double half_life_seconds);

  [[nodiscard]] std::size_t size() const { return rows_; }
  [[nodiscard]] events::EpochMs reference_ms() const { return reference_ms_; }

  // `now_ms` is when the numbers were read: a contribution from after it counts as one of that moment.
  void set(catalog::RowIndex row, const events::ItemPopularity& item, events::EpochMs now_ms);
  void copy(catalog::RowIndex row, const Columns& other, catalog::RowIndex other_row);

  [[nodiscard]] double sum(std::size_t window, std::size_t row) const { return load(sums_[window][row]); }
  [[nodiscard]] double log(std::size_t window, std::size_t row) const { return load(logs_[row * kRowStride + window]); }
  [[nodiscard]] double global_at_reference(std::size_t row) const { return load(globals_[row]); }
  // Whole columns, for scans: compilers read the place of a column anew after every atomic load.
  [[nodiscard]] const std::atomic<double>* sums(std::size_t window) const { return sums_[window].data(); }
  [[nodiscard]] const std::atomic<double>* globals_at_reference() const { return globals_.data(); }

  // What global_at_reference() is to be multiplied with.
  [[nodiscard]] double decay_to(events::EpochMs now_ms) const;

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  using Cell = std::atomic<double>;
  static constexpr std::size_t kRowStride = 4;  // three windows and a gap: a row's logs share a cache line
  [[nodiscard]] static double load(const Cell& cell) { return cell.load(std::memory_order_relaxed); }
  static void store(Cell& cell, double value) { cell.store(value, std::memory_order_relaxed); }

  std::size_t rows_;
  events::EpochMs reference_ms_;
  double half_life_seconds_;
  std::array<std::vector<Cell>, events::kWindowCount> sums_;
  std::vector<Cell> logs_;
  std::vector<Cell> globals_;
};

}  // namespace scalestyle::recommend
