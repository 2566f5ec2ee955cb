#pragma once
// How well ranked lists foresee what customers bought afterwards. A recommender is any function from what is known of a
// customer to articles; lists that are the same for everybody are one too.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evaluation/held_out_purchases.hpp"
#include "evaluation/measure.hpp"
#include "evaluation/metrics.hpp"

namespace scalestyle::evaluation {

// The best `depth` articles for a customer of this history, or fewer. Called from one thread.
using Recommender = std::function<core::Result<std::vector<catalog::ArticleId>>(std::string_view customer,
                                                                               std::span<const HistoryItem> history,
                                                                               std::size_t depth)>;

struct NamedRecommender {
  std::string name;
  Recommender recommend;
};

// ---- Baselines, computed from the known purchases alone ----

// Articles by purchases, most first, ties by article id. A purchase counts 1, or with a half-life, half as much for each
// half-life between it and the last known day.
[[nodiscard]] std::vector<catalog::ArticleId> popular_articles(const HeldOutPurchases& purchases, double half_life_days = 0);

// The same list for everybody.
[[nodiscard]] Recommender fixed_list(std::vector<catalog::ArticleId> articles);

// What the customer bought, last bought first, ties by article id; then `rest`.
[[nodiscard]] Recommender own_purchases_then(std::vector<catalog::ArticleId> rest);

// ---- Evaluation ----

struct RecommendOptions {
  std::vector<Measure> measures = default_measures();
  std::size_t resamples = 10'000;  // fewer for many buyers: resamples_for()
  std::uint64_t seed = 20200923;
  std::string against{};  // the recommender that all are compared with, by its name; empty: the first one

  // MAP@12, nDCG@12, recall@12, hit rate@12.
  [[nodiscard]] static std::vector<Measure> default_measures();
  [[nodiscard]] core::Status validate() const;
};

// Everybody, those with a history, those without.
enum class BuyerGroup : std::uint8_t { kAll, kKnown, kCold };
inline constexpr std::size_t kBuyerGroupCount = 3;
// "all buyers", "buyers with a history", "buyers without a history"
[[nodiscard]] std::string_view to_string(BuyerGroup group);

struct GroupFigures {
  std::vector<Interval> means{};       // one a measure
  PairedComparison comparison{};       // with RecommendOptions::against, by the first measure; of that one itself: no difference
};

struct RecommenderFigures {
  std::string name;
  std::array<GroupFigures, kBuyerGroupCount> groups{};  // by BuyerGroup; of a group that has no buyer all is 0
  std::size_t covered = 0;                // distinct articles in all lists
  // Mean of −log2 of the shown articles' shares of all known purchases, in bits: the mean of each list, then of the lists. Every
  // article counts as bought once more than it was.
  double novelty_bits = 0;
  std::vector<std::array<double, kBuyerGroupCount>> by_split{};  // means of the first measure, when there are several splits
};

struct RecommendEvaluation {
  RecommendOptions options;
  std::array<std::size_t, kBuyerGroupCount> buyers{};  // by BuyerGroup; one of several splits counts in each
  std::size_t known_purchases = 0;   // of several splits: of all together
  std::size_t tested_purchases = 0;
  std::size_t articles = 0;  // that lists can be of, as the caller says: what coverage is a share of
  std::vector<std::string> splits;   // their names, when there are several
  std::vector<RecommenderFigures> recommenders;
};

// Purchases and the recommenders that know no more of them than is known.
struct RecommendSplit {
  std::string name;  // such as the day that is judged
  const HeldOutPurchases* purchases = nullptr;  // not null
  std::vector<NamedRecommender> recommenders;   // of the same names in the same order in every split
};

// Buyers of all splits together. `articles`: how many articles lists can be of. Errors: options, no split, no recommender, two of
// one name or other names in another split, `against` not among them; a recommender's first error with its name and the
// customer in front.
[[nodiscard]] core::Result<RecommendEvaluation> evaluate_recommenders(std::span<const RecommendSplit> splits,
                                                                      std::size_t articles,
                                                                      const RecommendOptions& options);
// Of one split.
[[nodiscard]] core::Result<RecommendEvaluation> evaluate_recommenders(const HeldOutPurchases& purchases,
                                                                      std::span<const NamedRecommender> recommenders,
                                                                      std::size_t articles, const RecommendOptions& options);

// A table for people; one JSON object with stable keys for programs.
[[nodiscard]] std::string to_text(const RecommendEvaluation& evaluation);
[[nodiscard]] std::string to_json(const RecommendEvaluation& evaluation);

}  // namespace scalestyle::evaluation
