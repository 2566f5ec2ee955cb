#include "retrieval/lexical_postings.hpp"

#include <algorithm>

namespace scalestyle::retrieval {

const Posting* PostingLists::find(std::uint32_t term, std::uint32_t row) const {
  const auto all = blocks_of(term);
  const auto block = std::ranges::lower_bound(all, row / kWindowRows, {}, &PostingBlock::window);
  if (block == all.end() || block->window != row / kWindowRows) return nullptr;
  const auto inside = postings_of(*block);
  const auto posting = std::ranges::lower_bound(inside, row % kWindowRows, {}, &Posting::local);
  return posting != inside.end() && posting->local == row % kWindowRows ? &*posting : nullptr;
}

}  // namespace scalestyle::retrieval
