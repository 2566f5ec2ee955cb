#pragma once
// Popular lists of one generation: of a window, of all time, and the fallback of a search that cannot be answered.
//
// Scores are ranking::popularity_score: ln(1+p) / ln(1+max(P, 50)) with P the popularity of the list's first article: 1
// at the top of a busy list, lower while little happens, never rising along the list, so that factors of 1 and more act
// on it as on a search's scores. Articles of no popularity at all come last, by article id, with the least score.
//
// Pure readers of a PopularityBoard: safe from any thread; they never wait and never ask the feature store.

#include <cstddef>
#include <optional>
#include <span>

#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "events/features.hpp"
#include "recommend/popularity_board.hpp"
#include "search/answer.hpp"
#include "search/base_list.hpp"

namespace scalestyle::search {

struct PopularList {
  BaseList list{};
  std::optional<FallbackSource> source{};  // set when it is not what was asked for
};

// Which rows, how many of them, and when. `eligible` null: every row of the generation.
struct PopularScope {
  const catalog::Bitmap* eligible = nullptr;
  std::size_t eligible_count = 0;
  std::size_t depth = 0;  // rows wanted
  events::EpochMs now_ms = 0;
};

// Every eligible row, by all-time popularity. total: eligible_count.
[[nodiscard]] BaseList popular_of_all_time(const recommend::PopularityBoard& board, const PopularScope& scope);

// The same by past purchases alone, for where no popularity is kept.
[[nodiscard]] BaseList most_purchased(const catalog::Catalog& articles, const PopularScope& scope);

// The eligible rows with events in the window; where there is none the next longer window's, at last all time's.
// total: the rows of the window that answered.
[[nodiscard]] PopularList trending_list(const recommend::PopularityBoard& board, events::Window window,
                                        const PopularScope& scope);

// 24 h, else 7 d, else all time, as far as they are among `tiers`: the first with rows enough to be a list
// (PopularityBoard::fallback). Without all time the list may be empty.
[[nodiscard]] PopularList fallback_list(const recommend::PopularityBoard& board, const PopularScope& scope,
                                        std::span<const recommend::PopularityTier> tiers = recommend::kPopularityTiers);

}  // namespace scalestyle::search
