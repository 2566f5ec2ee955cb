#include "recommend/popularity_columns.hpp"

#include <algorithm>
#include <cmath>

namespace scalestyle::recommend {

Columns::Columns(std::size_t rows, events::EpochMs reference_ms, double half_life_seconds)
    : rows_(rows),
      reference_ms_(reference_ms),
      half_life_seconds_(half_life_seconds),
      sums_{std::vector<Cell>(rows), std::vector<Cell>(rows), std::vector<Cell>(rows)},
      logs_(rows * kRowStride),
      globals_(rows) {}

void Columns::set(catalog::RowIndex row, const events::ItemPopularity& item, events::EpochMs now_ms) {
  for (std::size_t window = 0; window < events::kWindowCount; ++window) {
    const double sum = item.windows[window] > 0 ? item.windows[window] : 0;
    store(sums_[window][row.value], sum);
    store(logs_[row.value * kRowStride + window], sum > 0 ? std::log1p(sum) : 0);
  }
  const events::EpochMs time_ms = std::min(item.global.time_ms, now_ms);
  const double value = item.global.value > 0 ? item.global.value : 0;
  const double half_lives = static_cast<double>(time_ms - reference_ms_) / 1'000 / half_life_seconds_;
  store(globals_[row.value], value > 0 ? value * std::exp2(half_lives) : 0);
}

void Columns::copy(catalog::RowIndex row, const Columns& other, catalog::RowIndex other_row) {
  for (std::size_t window = 0; window < events::kWindowCount; ++window) {
    store(sums_[window][row.value], other.sum(window, other_row.value));
    store(logs_[row.value * kRowStride + window], other.log(window, other_row.value));
  }
  store(globals_[row.value], other.global_at_reference(other_row.value) * other.decay_to(reference_ms_));
}

double Columns::decay_to(events::EpochMs now_ms) const {
  const events::EpochMs age_ms = std::max<events::EpochMs>(0, now_ms - reference_ms_);  // a clock set back: no growth
  return std::exp2(-static_cast<double>(age_ms) / 1'000 / half_life_seconds_);
}

std::size_t Columns::memory_bytes() const {
  return (events::kWindowCount + kRowStride + 1) * rows_ * sizeof(Cell);
}

}  // namespace scalestyle::recommend
