#pragma once
// The weights of the blend and the half-life of the subject's items, by cross-validation in time: what orders the following
// days' purchases best. Few numbers, a coordinate search over them; nothing is random.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "evaluation/held_out_purchases.hpp"
#include "evaluation/purchase_models.hpp"
#include "ranking/for_you.hpp"

namespace scalestyle::evaluation {

struct TuningSplit {
  const HeldOutPurchases* purchases = nullptr;  // not null
  std::shared_ptr<const PurchaseModels> models; // of the same purchases; not null
};

struct TuningOptions {
  ranking::ForYouOptions start{};  // a weight of 0 stays 0: its source brings nothing here
  std::vector<double> half_lives_days{1.5, 3, 6, 12};
  std::vector<double> factors{0.25, 0.5, 0.71, 1.41, 2, 4};  // a weight is tried at so many times what it is
  std::size_t rounds = 4;          // at most; a round that changes nothing ends the search
  std::size_t depth = 12;          // of MAP

  [[nodiscard]] core::Status validate() const;  // kInvalidArgument with the setting as field
};

struct TuningStep {
  std::string what;  // "item_half_life_days 6", "variant 0.35"
  double map = 0;    // over the buyers of all splits who have a history
};

struct TunedBlend {
  ranking::ForYouOptions best{};  // weights scaled so that the greatest is 1
  double start_map = 0;
  double map = 0;
  std::size_t buyers = 0;         // with a history
  std::size_t tried = 0;          // settings that were judged
  std::vector<TuningStep> steps;  // what made it better, in order
};

// Only buyers with a history are judged: who has none gets popular articles, whatever the weights are. About 40 kB of memory a
// buyer. Errors: options; kInvalidArgument when there is no such buyer.
[[nodiscard]] core::Result<TunedBlend> tune_blend(std::span<const TuningSplit> splits, const TuningOptions& options);

[[nodiscard]] std::string to_text(const TunedBlend& tuned);

}  // namespace scalestyle::evaluation
