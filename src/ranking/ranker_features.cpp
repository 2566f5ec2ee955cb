#include "ranking/ranker_features.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "ranking/popularity.hpp"

namespace scalestyle::ranking {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr std::array kSharedAttributes{catalog::Attribute::kSection, catalog::Attribute::kProductType, catalog::Attribute::kColour};

std::size_t place(RankerFeature feature) { return static_cast<std::size_t>(feature); }
std::size_t place(Source source) { return static_cast<std::size_t>(source); }

struct Own {
  float age_days = kMissing;
  float times = kMissing;
};
// The two newest rows of a product, so that "another variant" can be told for each.
struct ProductAges {
  catalog::RowIndex row{};
  float age_days = 0;
  float other_age_days = kMissing;  // of another row
};

// What all candidates of one subject share.
class Subject {
 public:
  explicit Subject(const RankerContext& context) : articles_(*context.articles), items_(context.items.size()) {
    double total = 0;
    double prices = 0;
    std::size_t priced = 0;
    for (const SubjectItem& item : context.items) {
      note(item);
      const double strength =
          static_cast<double>(item.weight) * std::exp2(-static_cast<double>(item.age_days) / context.item_half_life_days);
      total += strength;
      for (std::size_t i = 0; i < kSharedAttributes.size(); ++i) {
        shares_[i][articles_.codes(kSharedAttributes[i])[item.row.value]] += strength;
      }
      if (const double price = articles_.prices()[item.row.value]; price > 0) {
        prices += price;
        ++priced;
      }
    }
    if (priced > 0) mean_price_ = prices / static_cast<double>(priced);
    for (auto& shares : shares_) {
      for (auto& [code, share] : shares) share = total > 0 ? share / total : 0;
    }
  }

  void describe(catalog::RowIndex row, bool is_sold, std::span<float> features) const {
    const double price = articles_.prices()[row.value];
    const bool has_price = price > 0 && is_sold;
    features[place(RankerFeature::kPrice)] = has_price ? static_cast<float>(std::log1p(price)) : kMissing;
    features[place(RankerFeature::kPriceRatio)] =
        has_price && mean_price_ > 0 ? static_cast<float>(std::log(price / mean_price_)) : kMissing;
    const auto own = own_.find(row.value);
    features[place(RankerFeature::kOwnAge)] = own == own_.end() ? kMissing : own->second.age_days;
    features[place(RankerFeature::kOwnTimes)] = own == own_.end() ? kMissing : own->second.times;
    features[place(RankerFeature::kVariantAge)] = variant_age(row);
    constexpr std::array kShares{RankerFeature::kSectionShare, RankerFeature::kTypeShare, RankerFeature::kColourShare};
    for (std::size_t i = 0; i < kShares.size(); ++i) {
      const auto share = shares_[i].find(articles_.codes(kSharedAttributes[i])[row.value]);
      features[place(kShares[i])] = items_ == 0 ? kMissing : share == shares_[i].end() ? 0 : static_cast<float>(share->second);
    }
    features[place(RankerFeature::kItems)] = static_cast<float>(items_);
    features[place(RankerFeature::kItemsAge)] = newest_;
  }

 private:
  void note(const SubjectItem& item) {
    own_[item.row.value] = {item.age_days, static_cast<float>(item.times)};
    if (!(newest_ <= item.age_days)) newest_ = item.age_days;
    const auto [found, is_first] = products_.try_emplace(articles_.product_of(item.row), ProductAges{item.row, item.age_days});
    if (is_first) return;
    ProductAges& ages = found->second;
    if (item.age_days < ages.age_days) {
      ages = {item.row, item.age_days, ages.age_days};
    } else if (!(ages.other_age_days <= item.age_days)) {
      ages.other_age_days = item.age_days;
    }
  }
  float variant_age(catalog::RowIndex row) const {
    const auto found = products_.find(articles_.product_of(row));
    if (found == products_.end()) return kMissing;
    return found->second.row == row ? found->second.other_age_days : found->second.age_days;
  }

  const catalog::Catalog& articles_;
  std::size_t items_;
  std::unordered_map<std::uint32_t, Own> own_;
  std::unordered_map<std::uint32_t, ProductAges> products_;
  std::array<std::unordered_map<std::uint32_t, double>, kSharedAttributes.size()> shares_;  // by code
  double mean_price_ = 0;
  float newest_ = kMissing;
};

float relative(double popularity, double greatest) {
  return popularity > 0 ? static_cast<float>(popularity_score(popularity, greatest)) : 0;
}

float count_sources(const SourceScores& scores) {
  int count = 0;
  for (std::size_t source = 0; source < kSourceCount; ++source) {
    if (source == place(Source::kContent) || source == place(Source::kPicture)) continue;
    if (scores[source] > 0) ++count;
  }
  return static_cast<float>(count);
}

}  // namespace

const std::array<std::string_view, kRankerFeatureCount>& ranker_feature_names() {
  static_assert(static_cast<std::size_t>(RankerFeature::kItemsAge) + 1 == kRankerFeatureCount);
  static const std::array<std::string_view, kRankerFeatureCount> names = [] {
    constexpr std::array<std::string_view, kRankerFeatureCount - kSourceCount> kOthers{
        "sources",      "blend",   "popularity_day", "popularity_week", "popularity_decayed", "price",       "price_ratio",  "newness",
        "own_age_days", "own_times", "variant_age_days", "section_share", "type_share",       "colour_share", "items",      "items_age_days"};
    std::array<std::string_view, kRankerFeatureCount> all;
    for (std::size_t i = 0; i < kSourceCount; ++i) all[i] = to_string(static_cast<Source>(i));
    std::ranges::copy(kOthers, all.begin() + kSourceCount);
    return all;
  }();
  return names;
}

std::vector<float> ranker_features(const Candidates& candidates, const RankerContext& context, const SourceScores& weights) {
  assert(context.popularity.size() == candidates.rows.size());
  const Subject subject(context);
  const std::vector<double> blended = blend(candidates.scores, weights);
  CandidatePopularity greatest;
  for (const CandidatePopularity& one : context.popularity) {
    greatest.day = std::max(greatest.day, one.day);
    greatest.week = std::max(greatest.week, one.week);
    greatest.decayed = std::max(greatest.decayed, one.decayed);
  }
  const double last = std::max<double>(1, static_cast<double>(context.articles->size()) - 1);
  std::vector<float> all(candidates.rows.size() * kRankerFeatureCount);
  for (std::size_t i = 0; i < candidates.rows.size(); ++i) {
    const std::span<float> features = std::span(all).subspan(i * kRankerFeatureCount, kRankerFeatureCount);
    const CandidatePopularity& popularity = context.popularity[i];
    std::ranges::copy(candidates.scores[i], features.begin());
    features[place(RankerFeature::kSources)] = count_sources(candidates.scores[i]);
    features[place(RankerFeature::kBlend)] = static_cast<float>(blended[i]);
    features[place(RankerFeature::kPopularityDay)] = relative(popularity.day, greatest.day);
    features[place(RankerFeature::kPopularityWeek)] = relative(popularity.week, greatest.week);
    features[place(RankerFeature::kPopularityDecayed)] = relative(popularity.decayed, greatest.decayed);
    features[place(RankerFeature::kNewness)] = static_cast<float>(static_cast<double>(candidates.rows[i].value) / last);
    subject.describe(candidates.rows[i], popularity.decayed > 0, features);
  }
  return all;
}

}  // namespace scalestyle::ranking
