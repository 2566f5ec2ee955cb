#pragma once
// From an ordered list to a page: what may be shown now, one item a product, without what a cursor says was shown, diverse,
// cut. And what is said about the list as a whole: how many items it has.
//
// An item has a number: that of its product where the list is collapsed, else that of its row.
// Pure readers of a generation: safe from any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/bitmap.hpp"
#include "ranking/bound_rules.hpp"
#include "ranking/diversity.hpp"
#include "search/answer.hpp"
#include "search/base_list.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

// What of a request shapes its page.
struct PageShape {
  std::size_t offset = 0;
  std::size_t k = 0;
  bool collapse = true;
  ranking::DiversityLimits diversity{};    // not active: the list's own order
  std::span<const std::uint32_t> shown{};  // numbers of items to leave out; rising
  std::span<const std::size_t> pins{};     // positions in the whole list, rising, of the items that the first rows are

  // Items at the head of the list, those left out not counted, that decide what the page is and whether more follow.
  [[nodiscard]] std::size_t depth() const;
};

struct CutPage {
  std::size_t items = 0;                 // in all rows given, with those left out
  std::size_t left = 0;                  // without them
  std::vector<std::uint32_t> places{};   // in the rows given: the list up to the end of the page, best first
  std::size_t first = 0;                 // places from here on are the page

  [[nodiscard]] bool has_more() const { return left > places.size(); }
};

// `rows` is a list, or its beginning, in the order of the request.
[[nodiscard]] CutPage cut_page(const ServingGeneration& generation, std::span<const catalog::RowIndex> rows,
                               const PageShape& shape);

// Rising: the items left out and those of the list up to the end of the page.
[[nodiscard]] std::vector<std::uint32_t> shown_after(const ServingGeneration& generation,
                                                     std::span<const catalog::RowIndex> rows, const CutPage& page,
                                                     const PageShape& shape);

// The available rows of the whole list. `eligible` null: every row.
[[nodiscard]] catalog::Bitmap shown_rows(const ServingGeneration& generation, const BaseList& list,
                                         const catalog::Bitmap* eligible);

// Puts the other available articles of its product into the item, without those that rules hide.
void add_variants(const ServingGeneration& generation, const catalog::Bitmap* eligible, const ranking::RuleEffects& effects, AnswerItem& item);

}  // namespace scalestyle::search
