#pragma once
// Lists without a query can be as long as the catalogue: they are made as deep as their page needs. How deep that is
// depends on how many rows are variants of one product, are not available or were shown already.

#include <cstddef>

#include "search/progress.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

// `make` gives a BaseList of at most so many rows.
template <class Make>
void SearchService::make_deep_enough(const ListRequest& request, Progress& progress, Make make) const {
  constexpr std::size_t kDeeper = 4;
  for (std::size_t depth = first_depth(request, progress);; depth *= kDeeper) {
    progress.list = make(depth);
    if (is_deep_enough(request, progress) || depth >= progress.generation->catalog().size()) return;
  }
}

}  // namespace scalestyle::search
