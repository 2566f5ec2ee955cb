#pragma once
// A popular list: rows of one generation with what they are popular by.

#include <cstddef>
#include <vector>

#include "catalog/article_id.hpp"

namespace scalestyle::recommend {

struct PopularRow {
  catalog::RowIndex row{};
  double popularity = 0;  // above 0
  friend bool operator==(const PopularRow&, const PopularRow&) = default;
};

struct PopularRows {
  std::vector<PopularRow> rows{};  // by (popularity descending, row ascending)
  std::size_t matching = 0;        // eligible rows whose popularity is above 0, also those beyond the limit
};

}  // namespace scalestyle::recommend
