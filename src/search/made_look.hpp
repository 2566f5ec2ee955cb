#pragma once
// MadeLook: how what completes a look came about: what each item's slot, explanation and reason are made of. Immutable once made.

#include <algorithm>
#include <vector>

#include "catalog/article_id.hpp"
#include "ranking/look.hpp"

namespace scalestyle::search {

struct MadeLook {
  catalog::RowIndex article{};              // that it completes
  std::vector<ranking::LookItem> items{};   // best first

  // Null for a row that was pinned.
  [[nodiscard]] const ranking::LookItem* item_of(catalog::RowIndex row) const {
    const auto found = std::ranges::find(items, row, &ranking::LookItem::row);
    return found == items.end() ? nullptr : &*found;
  }
};

}  // namespace scalestyle::search
