#pragma once
// BaseList: what everybody would get, best first, before the shopper's own features act.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"
#include "ranking/fusion.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

struct BaseList {
  std::vector<catalog::RowIndex> rows{};  // all variants; as many as the page and the personalised head need
  std::vector<double> scores{};           // one a row; (0, 1], never rising
  // What explanations are made of, one a row; empty unless asked for, and for lists without a query.
  std::vector<std::array<std::uint32_t, ranking::kLegCount>> leg_ranks{};
  std::vector<double> fused_scores{};     // before a cross-encoder reordered them; empty where none did
  std::vector<float> preferences{};       // how much of what the query prefers each meets; empty where nothing is
  std::size_t total = 0;                  // rows of the whole list, at least rows.size()
  TotalRelation total_relation = TotalRelation::kEqual;
  // The whole list as a set, where `rows` is only its beginning. Null: every eligible row.
  std::shared_ptr<const catalog::Bitmap> members{};
  bool is_every_eligible_row = false;     // the whole list is; nothing else chose

  [[nodiscard]] bool is_whole() const { return rows.size() >= total; }
};

}  // namespace scalestyle::search
