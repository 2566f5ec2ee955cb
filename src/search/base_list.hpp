#pragma once
// BaseList: what everybody would get, best first, before the shopper's own features act.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catalog/article_id.hpp"
#include "ranking/fusion.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

struct BaseList {
  std::vector<catalog::RowIndex> rows{};  // as many as the page and the personalised head need
  std::vector<double> scores{};           // one a row; (0, 1], never rising
  // What explanations are made of, one a row; empty unless asked for, and for lists without a query.
  std::vector<std::array<std::uint32_t, ranking::kLegCount>> leg_ranks{};
  std::vector<float> preferences{};       // how much of what the query prefers each meets; empty where nothing is
  std::size_t total = 0;                  // of the whole list, at least rows.size()
  TotalRelation total_relation = TotalRelation::kEqual;
};

// The part of `list` that [offset, offset + k) is.
struct PageRange {
  std::size_t first = 0;
  std::size_t end = 0;
};
[[nodiscard]] inline PageRange page_range(const BaseList& list, std::size_t offset, std::size_t k) {
  const std::size_t first = std::min(offset, list.rows.size());
  return {first, std::min(first + k, list.rows.size())};
}

}  // namespace scalestyle::search
