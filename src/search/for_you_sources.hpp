#pragma once
// The sources of a list for one shopper that need no index: what they did, what is popular now and in their sections, what is
// new. Each gives rows of `eligible` only (null: every row), best first.
//
// Pure readers of a generation and its popularity board; safe from any thread. Each is at most one pass over a column.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "catalog/filters.hpp"
#include "events/features.hpp"
#include "ranking/for_you.hpp"
#include "search/answer.hpp"
#include "search/popular_list.hpp"
#include "search/recommendation.hpp"
#include "search/recommended_list.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::recommend {
class LiveNeighbours;
}

namespace scalestyle::search {

// What the shopper touched of this catalogue, once each, by the newest event with it; newest first, at most 100. Of events of
// the same moment the one of the greater weight counts; events without weight do not.
[[nodiscard]] std::vector<TouchedItem> touched_items(const catalog::Catalog& articles, const events::SubjectFeatures& features,
                                                     const EventWeights& weights);
[[nodiscard]] std::vector<ranking::SubjectItem> subject_items(std::span<const TouchedItem> touched, const EventWeights& weights,
                                                              events::EpochMs now_ms);

// What others did together with the newest of these, within the last day.
[[nodiscard]] std::vector<ranking::ScoredRow> live_source(const recommend::LiveNeighbours& neighbours, const catalog::Catalog& articles,
                                                          std::span<const TouchedItem> touched);

struct PopularSource {
  std::vector<ranking::ScoredRow> rows{};
  std::optional<FallbackSource> tier{};  // whose rows come first; absent without rows
};
// The rows of the last 24 hours, where these are enough to be a list, else of 7 days (PopularityBoard::fallback); then those of
// all time, then the others by article id, all in all scope.depth of them. Without a board: by past purchases.
[[nodiscard]] PopularSource popular_source(const ServingGeneration& generation, const PopularScope& scope);

// What the catalogue calls its sections: the first of section, department, garment group, index and group that has several values.
[[nodiscard]] std::optional<catalog::FilterField> section_field(const catalog::Catalog& articles);

// The most popular rows of the (at most three) sections that the shopper touched most: popularity of all time, live events decayed,
// times the section's share of what they touched.
[[nodiscard]] std::vector<ranking::ScoredRow> section_source(const ServingGeneration& generation, catalog::FilterField field,
                                                             std::span<const ranking::SubjectItem> items, double half_life_days,
                                                             const PopularScope& scope);

// In the order of BrowseSort::kNewest, scores falling evenly.
[[nodiscard]] std::vector<ranking::ScoredRow> newest_source(const ServingGeneration& generation, const PopularScope& scope);

}  // namespace scalestyle::search
