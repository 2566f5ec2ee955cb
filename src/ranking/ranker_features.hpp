#pragma once
// What a learned ranker knows of a candidate. Defined once: training and serving make their numbers here, so that training
// sees what
// serving saw. A change of meaning, order or number is a new kRankerFeaturesVersion; older models are then refused.
//
// Popularity counts live events (events of docs/formats/features.md: a purchase weighs 5) relative to the most popular
// candidate, so
// that it means the same in shops of any size. Pure; safe from any thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "ranking/for_you.hpp"

namespace scalestyle::ranking {

inline constexpr std::uint32_t kRankerFeaturesVersion = 1;

// The first kSourceCount features are the sources' scores, by Source.
enum class RankerFeature : std::uint8_t {
  kSources = kSourceCount,  // how many sources have it; similar_text and similar_picture do not count, since past purchases alone,
                            // which training is of, do not tell what they had
  kBlend,                   // blend() with the weights that the model was trained with
  kPopularityDay,           // popularity_score() of the last 24 hours among the candidates; 0: no event
  kPopularityWeek,          // the same of 7 days
  kPopularityDecayed,       // the same of the decayed popularity
  kPrice,                   // ln(1 + price); missing without a price, or where nobody is known to have bought or touched it
  kPriceRatio,              // ln of the price by the mean price of the subject's items; missing without either
  kNewness,                 // place of the row among all, 0 … 1: ids rise with time in most catalogues
  kOwnAge,                  // days since the subject's newest event with it; missing where there is none, as are the next two
  kOwnTimes,                // how often
  kVariantAge,              // days since the newest event with another variant of its product
  kSectionShare,            // share of its section among the subject's items, decayed and weighted; missing for strangers
  kTypeShare,               // the same of its product type
  kColourShare,             // the same of its colour
  kItems,                   // how many items the subject has
  kItemsAge,                // days since the newest of them; missing for strangers
};
inline constexpr std::size_t kRankerFeatureCount = 24;
// "own", …, "popular" for the sources' scores, "sources", "blend", "popularity_day" … for the others.
[[nodiscard]] const std::array<std::string_view, kRankerFeatureCount>& ranker_feature_names();

// What the board of popularity says of one candidate: weighted sums of events, ≥ 0.
struct CandidatePopularity {
  double day = 0;
  double week = 0;
  double decayed = 0;
};

struct RankerContext {
  const catalog::Catalog* articles = nullptr;             // not null
  std::span<const SubjectItem> items{};                   // those of ForYouInputs
  std::span<const CandidatePopularity> popularity{};      // one a candidate
  double item_half_life_days = 3;                         // ForYouOptions::item_half_life_days
};

// kRankerFeatureCount values a candidate, in the candidates' order. NaN is a missing value. `context.popularity` has one entry a
// candidate.
[[nodiscard]] std::vector<float> ranker_features(const Candidates& candidates, const RankerContext& context, const SourceScores& weights);

}  // namespace scalestyle::ranking
