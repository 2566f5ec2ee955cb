#pragma once
// Exploration: articles of which nothing is known yet, at a few set places of a small share of answers, so that something can
// be learned of them. What was drawn has the chance that it had before the draw, which who learns from clicks divides by.
//
// Everything follows from the request's id: the same request draws the same. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/bitmap.hpp"
#include "search/popular_list.hpp"
#include "search/recommendation.hpp"
#include "search/recommended_list.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

// Whether an answer of this request is one of the `rate` that explore.
[[nodiscard]] bool explores(const ExplorationOptions& options, std::string_view request_id);

// Articles to be drawn from: of the eligible ones the newest 200, and those that nobody ever bought or touched, but no article
// of a product that `shown` has, which is on the page anyway; one a product (the first by article id) where the list is collapsed.
[[nodiscard]] std::vector<catalog::RowIndex> exploration_pool(const ServingGeneration& generation, const PopularScope& scope,
                                                              std::span<const catalog::RowIndex> shown, bool collapse);

// One row of the pool at each position up to `last_position`, without repetition: each with the chance rate / pool size.
[[nodiscard]] std::vector<ExploredRow> draw(const ExplorationOptions& options, std::string_view request_id,
                                            std::vector<catalog::RowIndex> pool, std::size_t last_position);

}  // namespace scalestyle::search
