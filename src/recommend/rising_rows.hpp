#pragma once
// A list of what rises: rows of one generation with what happened with them in a window and before it.

#include <cstddef>
#include <vector>

#include "catalog/article_id.hpp"
#include "ranking/rising.hpp"

namespace scalestyle::recommend {

struct RisingRow {
  catalog::RowIndex row{};
  double now = 0;     // sum of the window
  double before = 0;  // of the longer time before it
  ranking::Rise rise{};
};

struct RisingRows {
  std::vector<RisingRow> rows{};  // rising ones, by (bound descending, row ascending)
  std::size_t matching = 0;       // also those beyond the limit
  double lengths = 1;             // how many times as long as the window the time before it is
};

}  // namespace scalestyle::recommend
