#pragma once
// best_rows: the most popular of the eligible rows, in one pass over a column.
//
// A sample tells how popular a row must about be to be listed. The pass keeps what lies above that bound and the first
// rows that lie on it (equal rows go by row), so that few are left to be sorted. Where the sample misled, a second pass
// takes every row: the answer never depends on the sample.

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "catalog/bitmap.hpp"
#include "ranking/behavior_boost.hpp"
#include "recommend/popular_rows.hpp"

namespace scalestyle::recommend {

namespace detail {

// Calls visit(row) for the rows below `size` that `eligible` has (null: all), in ascending order. Inlined by force: what
// `visit` has captured must be in registers, a count in memory would double the time of a row.
template <class Visit>
[[gnu::always_inline]] inline void for_each_row(std::size_t size, const catalog::Bitmap* eligible, Visit&& visit) {
  if (eligible == nullptr) {
    for (std::size_t row = 0; row < size; ++row) visit(row);
    return;
  }
  assert(eligible->size() == size);
  const auto words = eligible->words();
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == ~std::uint64_t{0}) {
      for (std::size_t row = i * 64; row < i * 64 + 64; ++row) visit(row);
      continue;
    }
    for (std::uint64_t word = words[i]; word != 0; word &= word - 1) {
      visit(i * 64 + static_cast<std::size_t>(std::countr_zero(word)));
    }
  }
}

// What a pass keeps: rows above a bound, and the first `limit` of those on it.
class BoundedRows {
 public:
  BoundedRows(std::size_t limit, double bound) : limit_(limit), bound_(bound) {}

  // Rows come in ascending order.
  template <class PopularityOf>
  void scan(std::size_t size, const catalog::Bitmap* eligible, PopularityOf popularity_of) {
    std::size_t matching = 0;  // this and the bound stay in registers
    const double bound = bound_;
    for_each_row(size, eligible, [&](std::size_t row) {
      const double popularity = popularity_of(row);
      matching += popularity > 0 ? 1 : 0;
      if (popularity >= bound) [[unlikely]] keep(row, popularity);
    });
    matching_ = matching;
  }
  [[nodiscard]] bool complete() const { return rows_.size() + on_bound_.size() >= std::min(limit_, matching_); }

  [[nodiscard]] PopularRows finish() && {
    std::vector<std::uint32_t> order;
    ranking::order_by_score(scores_, rows_, order);
    if (order.size() > limit_) order.resize(limit_);
    PopularRows best;
    best.matching = matching_;
    best.rows.reserve(std::min(limit_, rows_.size() + on_bound_.size()));
    for (const std::uint32_t place : order) best.rows.push_back({rows_[place], scores_[place]});
    for (std::size_t i = 0; best.rows.size() < limit_ && i < on_bound_.size(); ++i) best.rows.push_back({on_bound_[i], bound_});
    return best;
  }

 private:
  [[gnu::noinline]] void keep(std::size_t row, double popularity) {
    if (popularity > bound_) {
      rows_.push_back({static_cast<std::uint32_t>(row)});
      scores_.push_back(popularity);
    } else if (on_bound_.size() < limit_) {
      on_bound_.push_back({static_cast<std::uint32_t>(row)});
    }
  }

  std::size_t limit_;
  double bound_;  // above 0
  std::size_t matching_ = 0;
  std::vector<catalog::RowIndex> rows_;  // above the bound
  std::vector<double> scores_;           // theirs
  std::vector<catalog::RowIndex> on_bound_;
};

// A popularity that somewhat more than `limit` eligible rows reach, judged by some of them; above 0.
template <class PopularityOf>
double sampled_bound(std::size_t size, const catalog::Bitmap* eligible, std::size_t limit, PopularityOf&& popularity_of) {
  constexpr std::size_t kSamples = 1'024;
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  const std::size_t candidates = eligible == nullptr ? size : eligible->count();
  if (candidates <= 2 * limit || candidates <= 2 * kSamples) return kLeast;
  std::array<double, kSamples> sample{};
  std::size_t sampled = 0;
  if (eligible == nullptr) {
    for (; sampled < kSamples; ++sampled) sample[sampled] = popularity_of(sampled * size / kSamples);
  } else {
    // The first eligible row at or after evenly spaced words.
    const auto words = eligible->words();
    for (std::size_t i = 0; i < kSamples; ++i) {
      const std::size_t at = i * words.size() / kSamples;
      const std::uint64_t word = std::rotr(words[at], static_cast<int>(i % 64));
      if (word == 0) continue;
      const std::size_t bit = (static_cast<std::size_t>(std::countr_zero(word)) + i) % 64;
      sample[sampled++] = popularity_of(at * 64 + bit);
    }
  }
  // As deep in the sample as `limit` is among all, and a margin of about three standard deviations.
  const double share = static_cast<double>(sampled) * static_cast<double>(limit) / static_cast<double>(candidates);
  const auto depth = static_cast<std::size_t>(share + 3 * std::sqrt(share) + 1);
  if (depth >= sampled) return kLeast;
  const auto place = sample.begin() + static_cast<std::ptrdiff_t>(depth);
  std::nth_element(sample.begin(), place, sample.begin() + static_cast<std::ptrdiff_t>(sampled), std::greater{});
  return std::max(*place, kLeast);
}

}  // namespace detail

// The `limit` rows below `size` that `eligible` has (null: all) with the highest popularity_of(row), only those above 0.
template <class PopularityOf>
PopularRows best_rows(std::size_t size, const catalog::Bitmap* eligible, std::size_t limit, PopularityOf&& popularity_of) {
  detail::BoundedRows best(limit, detail::sampled_bound(size, eligible, limit, popularity_of));
  best.scan(size, eligible, popularity_of);
  if (!best.complete()) {
    best = detail::BoundedRows(limit, std::numeric_limits<double>::denorm_min());
    best.scan(size, eligible, popularity_of);
  }
  return std::move(best).finish();
}

}  // namespace scalestyle::recommend
