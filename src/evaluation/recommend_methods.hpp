#pragma once
// Recommenders made of known purchases: blends of the sources of ranking/for_you.hpp, by the very code that serves, and
// matrix factorisation as a peer.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "evaluation/implicit_als.hpp"
#include "evaluation/purchase_models.hpp"
#include "evaluation/recommend_evaluation.hpp"
#include "ranking/for_you.hpp"

namespace scalestyle::evaluation {

// The best of collect() and blend(), ties by row.
[[nodiscard]] std::vector<catalog::RowIndex> blended_rows(const PurchaseModels& models, std::span<const HistoryItem> history,
                                                          const ranking::ForYouOptions& options, std::size_t depth);

[[nodiscard]] Recommender blend_recommender(std::shared_ptr<const PurchaseModels> models, const ranking::ForYouOptions& options);

// Factors of the known purchases; strangers get popular articles. `show_own`: whether articles of the history are shown.
[[nodiscard]] core::Result<Recommender> als_recommender(std::shared_ptr<const PurchaseModels> models, const AlsOptions& options,
                                                        bool show_own);

struct MethodOptions {
  ranking::ForYouOptions blend{};
  bool has_attributes = true;  // the catalogue knows products and sections; else methods that need them are left out
  bool show_own = true;        // whether articles of the history are shown again; false for baskets
};

// What stands beside the blend, simple ones first, and the blend last: popularity of own sections; own purchases, also with
// their colours, then popularity; bought together, alone and after own purchases; the blend.
[[nodiscard]] std::vector<NamedRecommender> source_methods(const std::shared_ptr<const PurchaseModels>& models,
                                                           const MethodOptions& options);

}  // namespace scalestyle::evaluation
