#pragma once
// BehaviorBoost: bends a ranked list towards what this shopper just did and what everybody does now.
//
//   final = base · min(cap, recent · category · popularity)
//   recent      recent_click_factor when the shopper clicked, put in the cart or bought this very article of late; else 1
//   category    1 + category_weight · a/(a+1), a: the shopper's decayed affinity to the article's category
//   popularity  1 + Σ_w popularity_weights[w] · ln(1+s_w) / ln(1+max(M_w, popularity_floor)); s_w: the article's sum of
//               event weights in window w (1 h, 24 h, 7 d), M_w: the largest among the candidates
//
// Every factor is at least 1 and base scores are positive, so a boost never demotes; where nothing is known each factor
// is exactly 1 and the score keeps its bits. The floor keeps one lukewarm article among cold ones from getting the whole
// budget. Pure and allocation-free but for the result's own vectors: keep a BoostedList to use its memory again.
// Thread safety: BehaviorBoost is immutable after construction; each thread has its own BoostedList.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::ranking {

inline constexpr std::size_t kBoostWindows = 3;  // 1 h, 24 h, 7 d, in this order

// What acted most on a candidate.
enum class BoostReason : std::uint8_t { kNone, kRecentClick, kCategoryAffinity, kOnlinePopularity };
// "", "recent_click", "category_affinity", "online_popularity"
[[nodiscard]] std::string_view to_string(BoostReason reason);

struct BehaviorBoostOptions {
  double recent_click_factor = 1.5;                                     // ≥ 1
  double category_weight = 0.2;                                         // ≥ 0
  std::array<double, kBoostWindows> popularity_weights{0.20, 0.10, 0.05};  // ≥ 0
  double popularity_floor = 50;                                         // ≥ 0; least M_w
  double cap = 3;                                                       // ≥ 1; the defaults reach 2.43

  // kInvalidArgument with the setting as field: boost_recent_click, boost_category, boost_popularity_1h|24h|7d,
  // boost_popularity_floor, boost_cap.
  [[nodiscard]] core::Status validate() const;
};

// One entry a candidate in every span. rows and base_scores are required and of one size; any other span may be empty
// when nothing of its kind is known. The spans must stay as they are while the result is in use.
struct BoostCandidates {
  std::span<const catalog::RowIndex> rows{};
  std::span<const double> base_scores{};            // positive; calibrated to (0, 1]
  std::span<const std::uint8_t> recent_clicks{};    // 1 or 0
  std::span<const double> affinities{};             // decayed to now; what is not above 0 counts as 0
  // ln(1 + sum of weights). Logarithms, since they change with events but are read with every request.
  std::array<std::span<const double>, kBoostWindows> window_logs{};
};

struct BoostedList {
  std::vector<double> scores{};         // final, one a candidate
  std::vector<std::uint32_t> order{};   // candidates by (score descending, row ascending): a total order

  // One factor a log unit of each window: popularity_weights[w] / ln(1+max(M_w, floor)). Set by apply(), for explain().
  std::array<double, kBoostWindows> window_scales{};
};

// Why a candidate has its score. score == base · factor, bit for bit.
struct BoostParts {
  double recent_click = 1;
  double category_affinity = 1;
  double online_popularity = 1;
  double factor = 1;  // their product, capped
  BoostReason reason = BoostReason::kNone;  // the largest part above 1; of equal ones the first as listed above
};

class BehaviorBoost {
 public:
  // `options` must be valid.
  explicit BehaviorBoost(BehaviorBoostOptions options);

  [[nodiscard]] const BehaviorBoostOptions& options() const { return options_; }

  // Fills `result` anew. At most 2³² − 1 candidates.
  void apply(const BoostCandidates& candidates, BoostedList& result) const;

  // `result` is apply()'s of the same candidates; `candidate` indexes them.
  [[nodiscard]] BoostParts explain(const BoostCandidates& candidates, const BoostedList& result, std::size_t candidate) const;

 private:
  BehaviorBoostOptions options_;
};

// Candidates by (score descending, row ascending). Scores must not be NaN.
void order_by_score(std::span<const double> scores, std::span<const catalog::RowIndex> rows, std::vector<std::uint32_t>& order);

}  // namespace scalestyle::ranking
