#pragma once
// The best rows of a planned query, exactly, by block-max pruning.
//
// Rows are cut into windows of 256. For each window the largest impact of every list gives an upper bound of any score
// in it (Ding & Suel 2011). Windows are searched in descending order of that bound, so the search ends at the first
// window that cannot reach the k-th best score. Within a window clauses are added in descending order of their bounds;
// once the rest cannot lift an untouched row to the k-th score, the window is left as soon as no touched row can reach
// it either (MaxScore, Turtle & Flood 1995).
// All arithmetic is on integers, so the order of additions does not matter: the answer is that of scoring every row.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "catalog/bitmap.hpp"
#include "retrieval/lexical_plan.hpp"
#include "retrieval/lexical_postings.hpp"
#include "retrieval/top_rows.hpp"

namespace scalestyle::retrieval {

struct LexicalWork {
  std::size_t windows = 0;           // that hold a word of the query and an eligible row
  std::size_t windows_searched = 0;
  std::size_t postings_in_lists = 0;
  std::size_t postings_scored = 0;
  std::size_t rows_collected = 0;    // that were among the best k when they were seen
};

struct BlockMaxAnswer {
  std::vector<RowScore> rows;  // score descending, row ascending
  LexicalWork work;
};

// At most k rows with a score above 0. `eligible` (null: every row) has row_count bits. Safe to call from any thread.
[[nodiscard]] BlockMaxAnswer search_block_max(const PostingLists& lists, std::size_t row_count,
                                              const std::vector<PlannedClause>& clauses, const catalog::Bitmap* eligible,
                                              std::size_t k);

// The score of one row, by looking every list up.
[[nodiscard]] std::int32_t score_row(const PostingLists& lists, const std::vector<PlannedClause>& clauses, std::uint32_t row);
[[nodiscard]] std::int32_t score_phrase(const PostingLists& lists, const PlannedPhrase& phrase, std::uint32_t row);
[[nodiscard]] std::int32_t score_list(const PostingLists& lists, const PlannedList& list, std::uint32_t row);

}  // namespace scalestyle::retrieval
