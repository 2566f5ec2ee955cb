#pragma once
// Training of a learned ranker from purchases: what each day's buyers bought is to be ranked first among the candidates that were
// known before that day, for buyers with purchases before it. Validated in time: the day after the days it learns from ends
// the learning, the day after that judges it
// against the blend, once.
//
// Strangers teach nothing: they all share one list a day, which the blend goes on ordering.
// Candidates and features are made as serving makes them (ranking/for_you.hpp, ranking/ranker_features.hpp); a purchase is
// taken for
// an event of its day. One thread; the same purchases, catalogue, options and seeds give the same ranker.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/purchase_reader.hpp"
#include "core/result.hpp"
#include "evaluation/gradient_boosting.hpp"
#include "evaluation/metrics.hpp"
#include "evaluation/purchase_models.hpp"
#include "ranking/for_you.hpp"
#include "ranking/ranker.hpp"

namespace scalestyle::evaluation {

struct RankerTrainingOptions {
  std::chrono::sys_days first_day{};  // whose purchases are learned, up to last_day; something must be known before it
  std::chrono::sys_days last_day{};   // at most 366 days after first_day
  std::size_t negatives = ranking::kMaxLearned;  // of a list, at most: half the best of the blend, half drawn from the others; 2 … 300
  ranking::ForYouOptions blend{};     // that served until now: candidates, and what the ranker is compared with
  PurchaseModelOptions models{.popularity_half_life_days = 2};  // FeatureOptions' half-life of global popularity
  BoostingOptions boosting{};
  std::uint64_t seed = 1;             // of the negatives drawn and of the intervals
  std::size_t resamples = 10'000;     // fewer for many buyers: resamples_for()

  [[nodiscard]] std::chrono::sys_days stop_day() const { return last_day + std::chrono::days(1); }
  [[nodiscard]] std::chrono::sys_days judged_day() const { return last_day + std::chrono::days(2); }
  [[nodiscard]] core::Status validate() const;  // kInvalidArgument with the setting as field
};

// Buyers of the judged day: all of them, those with purchases before it, those without.
enum class RankedGroup : std::uint8_t { kAll, kKnown, kCold };
inline constexpr std::size_t kRankedGroupCount = 3;
[[nodiscard]] std::string_view to_string(RankedGroup group);  // "all", "known", "cold"

// One measure of both orders, and of learned minus blend for the same buyers.
struct ComparedMeasure {
  Interval blend{};
  Interval learned{};
  PairedComparison difference{};
};
struct ComparedGroup {
  std::size_t buyers = 0;
  ComparedMeasure map{};   // MAP@12
  ComparedMeasure ndcg{};  // nDCG@12
};

struct RankerReport {
  std::string id{};
  RankerTrainingOptions options{};
  std::size_t known_purchases = 0;  // before the judged day
  std::size_t lists = 0;            // that were learned from: those with a right candidate
  std::size_t rows = 0;
  std::size_t right = 0;            // rows that were bought
  std::size_t stop_lists = 0;
  std::size_t trees = 0;
  double stop_map = 0;
  double largest_difference = 0;    // LearnedTrees
  std::vector<double> gains{};      // one a feature
  std::array<ComparedGroup, kRankedGroupCount> groups{};
  ranking::RankerVerdict verdict{};
};

struct TrainedRanker {
  ranking::Ranker ranker{};
  RankerReport report{};
};

// Errors: options, those of learn_trees(), HeldOutPurchases::split() and PurchaseModels::make(); kInvalidArgument where no
// list has a
// right candidate.
[[nodiscard]] core::Result<TrainedRanker> train_ranker(const catalog::Purchases& purchases,
                                                       std::shared_ptr<const catalog::Catalog> articles,
                                                       const RankerTrainingOptions& options);

// For people; one JSON object with stable keys for programs (docs/formats/ranker.md).
[[nodiscard]] std::string to_text(const RankerReport& report);
[[nodiscard]] std::string to_json(const RankerReport& report);

}  // namespace scalestyle::evaluation
