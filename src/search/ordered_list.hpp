#pragma once
// OrderedList: the list of a request in the order that its page is cut from: bent towards the shopper, pinned rows first.
// Pure; safe from any thread.

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/article_id.hpp"
#include "search/base_list.hpp"
#include "search/list_rules.hpp"
#include "search/personalizer.hpp"

namespace scalestyle::search {

struct OrderedList {
  BentHead head{};                      // of the calling thread, until its next bend
  std::vector<std::uint32_t> order{};  // places of the list
  PinnedHead pinned{};
};

// The places of the list, its head bent, the rest as it is.
[[nodiscard]] std::vector<std::uint32_t> ordered_places(const BaseList& list, const BentHead& head);

[[nodiscard]] std::vector<catalog::RowIndex> rows_at(const BaseList& list, std::span<const std::uint32_t> places);

}  // namespace scalestyle::search
