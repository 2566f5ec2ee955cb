#pragma once
// RecommendedList: how a list that several sources made came about: what each item's explanation and reason are made of.
// Immutable once made.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/filters.hpp"
#include "events/event.hpp"
#include "ranking/for_you.hpp"
#include "ranking/item_neighbours.hpp"
#include "recommend/ranker_file.hpp"

namespace scalestyle::search {

// What the shopper did with an article last.
struct TouchedItem {
  catalog::RowIndex row{};
  events::EventType type = events::EventType::kClick;
  events::EpochMs time_ms = 0;
  std::uint32_t times = 1;  // events with it, of those with weight
};

struct RecommendedList {
  ranking::SourceScores weights{};
  ranking::Candidates candidates{};                  // by row
  std::vector<TouchedItem> touched{};                // newest first; of a list like one article it alone
  std::optional<catalog::RowIndex> near_to{};        // whose vectors `content` and `pictures` were near to
  std::shared_ptr<const ranking::ItemNeighbours> neighbours{};  // by row; null: none
  std::optional<catalog::FilterField> section{};     // what the sections are
  std::vector<catalog::RowIndex> newest{};           // rising
  std::shared_ptr<const recommend::RankerInForce> ranker{};  // null: rankers are not looked for
  std::vector<double> learned{};                     // one a candidate, by a learned ranker; empty: the blend ordered them
  bool is_for_article = false;                       // like one article, rather than for a shopper

  // Null for a row that no source has: a pinned one, an explored one.
  [[nodiscard]] const ranking::SourceScores* scores_of(catalog::RowIndex row) const {
    const auto found = std::ranges::lower_bound(candidates.rows, row);
    if (found == candidates.rows.end() || *found != row) return nullptr;
    return &candidates.scores[static_cast<std::size_t>(found - candidates.rows.begin())];
  }
};

// An article that was drawn to be shown at a place.
struct ExploredRow {
  catalog::RowIndex row{};
  std::size_t position = 0;  // from 1
  double probability = 0;    // that it would be, before the draw
};

}  // namespace scalestyle::search
