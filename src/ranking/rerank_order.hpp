#pragma once
// How the judgements of a cross-encoder reorder a list, of which they may cover only a part.
//
// Which rows are judged: the best row of each product first, in the list's order; then their siblings.
//
// One order on one scale, (0, 1]:
//   judged        its own calibrated score; the logit decides between equal ones, then the place in the list
//   sibling       not judged, but a row of its product is: that row's score × (its own score in the list / that row's), at
//                 most that row's. The product's judgement, less what words and meaning liked it less
//   not judged    behind all of these, in the list's order: the least score so far × (its score / that of the first of them)
// So a row that is not judged stands above a judged one only where a better judged row of its own product does, and judging
// more rows never changes how two that are judged already stand to each other.
//
// Pure; same input, same bits. Thread safety: free functions.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/article_id.hpp"

namespace scalestyle::ranking {

// What a cross-encoder says of a row.
struct JudgedRow {
  catalog::RowIndex row{};
  float logit = 0;
  float score = 0;  // (0, 1], never falling as the logit rises

  friend bool operator==(const JudgedRow&, const JudgedRow&) = default;
};

// A list, best first; all three have one entry a row.
struct ListToRerank {
  std::span<const catalog::RowIndex> rows{};       // distinct
  std::span<const double> scores{};                // (0, 1], never rising
  std::span<const std::uint32_t> products{};       // Catalog::product_of
  std::size_t pinned = 0;                          // so many first rows, of score 1, stay where they are and are not judged
};

// The places in the list of the first `most` rows to judge, first to be judged first.
[[nodiscard]] std::vector<std::uint32_t> rerank_sequence(const ListToRerank& list, std::size_t most);

struct RerankedOrder {
  std::vector<std::uint32_t> places{};  // in the list before, best first
  std::vector<double> scores{};         // one a place; (0, 1], never rising
};

// Judgements of rows that are not in the list, or are pinned, do not count; a row is judged at most once.
[[nodiscard]] RerankedOrder rerank_order(const ListToRerank& list, std::span<const JudgedRow> judged);

}  // namespace scalestyle::ranking
