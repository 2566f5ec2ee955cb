#pragma once
// Personalizer: the order of a list, bent towards one shopper.
//
// The boost of ranking/behavior_boost.hpp acts on the best `depth` rows of the list, all variants; they are ordered anew.
// Since a boost never demotes, the rows behind them stay where they are. Equal scores keep the order of the list. What
// is known of the shopper is decayed to `now_ms`; a recent item counts as clicked when its newest click, add-to-cart or
// purchase is at most recent_click_max_age old. Without features, clicks or popularity every score keeps its bits.
//
// Thread safety: any thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/result.hpp"
#include "events/features.hpp"
#include "ranking/behavior_boost.hpp"
#include "search/answer.hpp"
#include "search/base_list.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

struct PersonalizationOptions {
  ranking::BehaviorBoostOptions boost{};
  double affinity_half_life_seconds = events::FeatureOptions().affinity_half_life_seconds;
  std::chrono::seconds recent_click_max_age = std::chrono::days(7);  // 1 s … 365 d
  std::chrono::milliseconds snapshot_budget{20};                     // for reading the features; 1 … 1,000
  std::chrono::milliseconds after_budget{50};                        // for the wait for `after`; 0 … 1,000

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

// The head of a list in the shopper's order. Points into memory of the calling thread that its next bend() uses again.
struct BentHead {
  std::span<const std::uint32_t> order{};  // places of the list, best first
  std::span<const double> scores{};        // of the places, in the order of the list
  ranking::BoostCandidates candidates{};
  const ranking::BoostedList* boosted = nullptr;
};

struct BendScope {
  std::size_t depth = 0;  // rows that the boost acts on
  events::EpochMs now_ms = 0;
};

class Personalizer {
 public:
  // `options` must be valid.
  explicit Personalizer(PersonalizationOptions options);

  // The best `depth` rows of the list, or all; the list is of `generation`.
  [[nodiscard]] BentHead bend(const ServingGeneration& generation, const BaseList& list,
                              const events::SubjectFeatures& features, const BendScope& scope) const;

  // What the item at `place` of the list owes to the shopper: sets score, boost, behavior_score and boosted_by.
  void credit(const BentHead& head, std::size_t place, AnswerItem& item) const;

 private:
  PersonalizationOptions options_;
  ranking::BehaviorBoost boost_;
};

}  // namespace scalestyle::search
