#pragma once
// Personalizer: a page of a list, bent towards one shopper.
//
// The boost of ranking/behavior_boost.hpp acts on the best `depth` rows of the list; they are ordered anew and paged.
// Since a boost never demotes, the rows behind them stay where they are. Equal scores keep the order of the list. What
// is known of the shopper is decayed to `now_ms`; a recent item counts as clicked when its newest click, add-to-cart or
// purchase is at most recent_click_max_age old. Without features, clicks or popularity every score keeps its bits.
//
// Thread safety: any thread.

#include <chrono>
#include <cstddef>
#include <vector>

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

struct PageRequest {
  std::size_t offset = 0;
  std::size_t k = 0;
  std::size_t depth = 0;  // rows that the boost acts on
  events::EpochMs now_ms = 0;
};

class Personalizer {
 public:
  // `options` must be valid.
  explicit Personalizer(PersonalizationOptions options);

  // `list` has at least min(its total, max(offset + k, depth)) rows; they point into `generation`.
  [[nodiscard]] std::vector<AnswerItem> page(const ServingGeneration& generation, const BaseList& list,
                                             const events::SubjectFeatures& features, const PageRequest& wanted) const;

 private:
  PersonalizationOptions options_;
  ranking::BehaviorBoost boost_;
};

// The same page for everybody.
[[nodiscard]] std::vector<AnswerItem> plain_page(const ServingGeneration& generation, const BaseList& list, std::size_t offset,
                                                 std::size_t k);

}  // namespace scalestyle::search
