#pragma once
// BaseList: what everybody would get, best first, before the shopper's own features act.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "catalog/article_id.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

struct BaseList {
  std::vector<catalog::RowIndex> rows{};  // as many as the page and the personalised head need
  std::vector<double> scores{};           // one a row; (0, 1], never rising
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
