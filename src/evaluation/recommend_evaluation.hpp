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

  // MAP@12, nDCG@12, recall@12, hit rate@12.
  [[nodiscard]] static std::vector<Measure> default_measures();
  [[nodiscard]] core::Status validate() const;
};

// Everybody, or those with a history.
enum class BuyerGroup : std::uint8_t { kAll, kKnown };
inline constexpr std::size_t kBuyerGroupCount = 2;
[[nodiscard]] std::string_view to_string(BuyerGroup group);  // "all buyers", "buyers with a history"

struct GroupFigures {
  std::vector<Interval> means{};       // one a measure
  PairedComparison against_first{};    // by the first measure; of the first recommender itself: no difference
};

struct RecommenderFigures {
  std::string name;
  std::array<GroupFigures, kBuyerGroupCount> groups{};  // by BuyerGroup; kKnown is empty when nobody has a history
  std::size_t covered = 0;                // distinct articles in all lists
};

struct RecommendEvaluation {
  RecommendOptions options;
  std::array<std::size_t, kBuyerGroupCount> buyers{};  // by BuyerGroup
  std::size_t known_purchases = 0;
  std::size_t tested_purchases = 0;
  std::size_t articles = 0;  // that lists can be of, as the caller says: what coverage is a share of
  std::vector<RecommenderFigures> recommenders;
};

// `articles`: how many articles lists can be of. Errors: options, no recommender or two of one name, a recommender's
// first error with its name and the customer in front.
[[nodiscard]] core::Result<RecommendEvaluation> evaluate_recommenders(const HeldOutPurchases& purchases,
                                                                      std::span<const NamedRecommender> recommenders,
                                                                      std::size_t articles, const RecommendOptions& options);

// A table for people; one JSON object with stable keys for programs.
[[nodiscard]] std::string to_text(const RecommendEvaluation& evaluation);
[[nodiscard]] std::string to_json(const RecommendEvaluation& evaluation);

}  // namespace scalestyle::evaluation
