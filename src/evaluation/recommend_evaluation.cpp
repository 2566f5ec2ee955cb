#include "evaluation/recommend_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace scalestyle::evaluation {
namespace {

using catalog::ArticleId;

std::unexpected<core::Error> invalid(std::string message, std::string field = {}) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

core::Status check_names(std::span<const RecommendSplit> splits) {
  if (splits.empty() || splits.front().recommenders.empty()) return invalid("there is no recommender to evaluate");
  std::set<std::string_view> names;
  for (const NamedRecommender& recommender : splits.front().recommenders) {
    if (!names.insert(recommender.name).second) {
      return invalid(fmt::format("two recommenders are called \"{}\"", recommender.name));
    }
  }
  for (const RecommendSplit& split : splits) {
    if (!std::ranges::equal(split.recommenders, splits.front().recommenders, {}, &NamedRecommender::name,
                            &NamedRecommender::name)) {
      return invalid(fmt::format("split \"{}\" has other recommenders than \"{}\"", split.name, splits.front().name));
    }
  }
  return {};
}

core::Result<std::size_t> place_of(std::span<const NamedRecommender> recommenders, const std::string& name) {
  if (name.empty()) return 0;
  const auto found = std::ranges::find(recommenders, name, &NamedRecommender::name);
  if (found != recommenders.end()) return static_cast<std::size_t>(found - recommenders.begin());
  std::vector<std::string_view> names;
  for (const NamedRecommender& one : recommenders) names.push_back(one.name);
  return invalid(fmt::format("there is no recommender \"{}\" to compare with; there are: {}", name, fmt::join(names, "; ")),
                 "against");
}

// How rare articles are among the known purchases, in bits.
class Rarity {
 public:
  Rarity(const HeldOutPurchases& purchases, std::size_t articles) : total_(static_cast<double>(purchases.known().size() + articles)) {
    for (const catalog::Purchase& purchase : purchases.known()) ++counts_[purchases.articles()[purchase.article]];
  }
  [[nodiscard]] double of(std::span<const ArticleId> list) const {
    double sum = 0;
    for (const ArticleId& id : list) {
      const auto found = counts_.find(id);
      sum -= std::log2((found == counts_.end() ? 1.0 : static_cast<double>(found->second) + 1.0) / total_);
    }
    return sum / static_cast<double>(list.size());
  }

 private:
  double total_;
  std::unordered_map<ArticleId, std::size_t> counts_;
};

// values[measure][buyer], and what the lists held.
struct Measured {
  std::vector<std::vector<double>> values;
  std::unordered_set<ArticleId> covered;
  double novelty_sum = 0;
  std::size_t lists = 0;  // that have an article
};

core::Status measure(const RecommendSplit& split, const NamedRecommender& recommender, const Rarity& rarity,
                     const std::vector<Measure>& measures, Measured& measured) {
  const std::size_t depth = deepest(measures);
  for (const Buyer& buyer : split.purchases->buyers()) {
    auto list = recommender.recommend(buyer.customer, buyer.history, depth);
    if (!list) {
      list.error().message = fmt::format("{}: customer {}: {}", recommender.name, buyer.customer, list.error().message);
      return std::unexpected(std::move(list).error());
    }
    if (list->size() > depth) list->erase(list->begin() + static_cast<std::ptrdiff_t>(depth), list->end());
    for (std::size_t i = 0; i < measures.size(); ++i) {
      measured.values[i].push_back(measure_list(measures[i], *list, buyer.bought));
    }
    if (list->empty()) continue;
    measured.novelty_sum += rarity.of(*list);
    ++measured.lists;
    measured.covered.insert(list->begin(), list->end());
  }
  return {};
}

// Which buyers of all splits have a history, and where each split begins among them.
struct Buyers {
  std::vector<bool> known;
  std::vector<std::size_t> begins{0};

  explicit Buyers(std::span<const RecommendSplit> splits) {
    for (const RecommendSplit& split : splits) {
      for (const Buyer& buyer : split.purchases->buyers()) known.push_back(!buyer.history.empty());
      begins.push_back(known.size());
    }
  }
  [[nodiscard]] std::vector<double> of_group(const std::vector<double>& values, BuyerGroup group, std::size_t begin,
                                             std::size_t end) const {
    std::vector<double> chosen;
    for (std::size_t i = begin; i < end; ++i) {
      if (group == BuyerGroup::kAll || known[i] == (group == BuyerGroup::kKnown)) chosen.push_back(values[i]);
    }
    return chosen;
  }
  [[nodiscard]] std::vector<double> of_group(const std::vector<double>& values, BuyerGroup group) const {
    return of_group(values, group, 0, known.size());
  }
};

constexpr std::array kGroups{BuyerGroup::kAll, BuyerGroup::kKnown, BuyerGroup::kCold};

double mean_of(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

core::Result<RecommenderFigures> figures_of(std::string name, const Buyers& buyers, const Measured& measured,
                                            const std::vector<double>& against, const RecommendOptions& options) {
  RecommenderFigures figures{.name = std::move(name), .covered = measured.covered.size()};
  if (measured.lists > 0) figures.novelty_bits = measured.novelty_sum / static_cast<double>(measured.lists);
  for (const BuyerGroup group : kGroups) {
    GroupFigures& found = figures.groups[static_cast<std::size_t>(group)];
    const auto first = buyers.of_group(measured.values.front(), group);
    const std::size_t resamples = resamples_for(first.size(), options.resamples);
    for (const auto& values : measured.values) {
      found.means.push_back(bootstrap_mean(buyers.of_group(values, group), resamples, options.seed));
    }
    CORE_TRY(found.comparison, compare_paired(buyers.of_group(against, group), first, resamples, options.seed));
  }
  const std::size_t splits = buyers.begins.size() - 1;
  for (std::size_t split = 0; splits > 1 && split < splits; ++split) {
    auto& means = figures.by_split.emplace_back();
    for (const BuyerGroup group : kGroups) {
      means[static_cast<std::size_t>(group)] =
          mean_of(buyers.of_group(measured.values.front(), group, buyers.begins[split], buyers.begins[split + 1]));
    }
  }
  return figures;
}

}  // namespace

std::vector<ArticleId> popular_articles(const HeldOutPurchases& purchases, double half_life_days) {
  std::vector<double> weights(purchases.articles().size(), 0.0);
  for (const catalog::Purchase& purchase : purchases.known()) {
    const auto age_days = static_cast<double>((purchases.last_known() - purchase.day).count());
    weights[purchase.article] += half_life_days > 0 ? std::exp2(-age_days / half_life_days) : 1.0;
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) order.push_back(i);
  }
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return weights[a] != weights[b] ? weights[a] > weights[b] : purchases.articles()[a] < purchases.articles()[b];
  });
  std::vector<ArticleId> articles;
  for (const std::size_t i : order) articles.push_back(purchases.articles()[i]);
  return articles;
}

Recommender fixed_list(std::vector<ArticleId> articles) {
  auto shared = std::make_shared<const std::vector<ArticleId>>(std::move(articles));
  return [shared](std::string_view, std::span<const HistoryItem>, std::size_t depth) -> core::Result<std::vector<ArticleId>> {
    const auto count = static_cast<std::ptrdiff_t>(std::min(depth, shared->size()));
    return std::vector<ArticleId>(shared->begin(), shared->begin() + count);
  };
}

Recommender own_purchases_then(std::vector<ArticleId> rest) {
  auto shared = std::make_shared<const std::vector<ArticleId>>(std::move(rest));
  return [shared](std::string_view, std::span<const HistoryItem> history,
                  std::size_t depth) -> core::Result<std::vector<ArticleId>> {
    std::vector<HistoryItem> own(history.begin(), history.end());
    std::ranges::sort(own, [](const HistoryItem& a, const HistoryItem& b) {
      return a.day != b.day ? a.day > b.day : *a.article < *b.article;
    });
    std::vector<ArticleId> list;
    std::unordered_set<ArticleId> seen;
    const auto take = [&](const ArticleId& article) {
      if (list.size() < depth && seen.insert(article).second) list.push_back(article);
    };
    for (const HistoryItem& item : own) take(*item.article);
    for (std::size_t i = 0; i < shared->size() && list.size() < depth; ++i) take((*shared)[i]);
    return list;
  };
}

std::vector<Measure> RecommendOptions::default_measures() {
  return {{.kind = MeasureKind::kAveragePrecision, .depth = 12},
          {.kind = MeasureKind::kNdcg, .depth = 12},
          {.kind = MeasureKind::kRecall, .depth = 12},
          {.kind = MeasureKind::kHitRate, .depth = 12}};
}

core::Status RecommendOptions::validate() const {
  if (measures.empty() || measures.size() > kMaxMeasures) {
    return invalid(fmt::format("{} measures are not 1 to {}", measures.size(), kMaxMeasures), "measures");
  }
  for (const Measure& one : measures) {
    CORE_CHECK(parse_measure(key_of(one)));
    if (one.minimum_grade > 1) {
      return invalid(fmt::format("{}: what was bought has grade 1; leave the grade out", key_of(one)), "measures");
    }
  }
  if (resamples < 100 || resamples > 1'000'000) {
    return invalid(fmt::format("resamples {} is not in 100 … 1000000", resamples), "resamples");
  }
  return {};
}

std::string_view to_string(BuyerGroup group) {
  switch (group) {
    case BuyerGroup::kAll: return "all buyers";
    case BuyerGroup::kKnown: return "buyers with a history";
    case BuyerGroup::kCold: break;
  }
  return "buyers without a history";
}

core::Result<RecommendEvaluation> evaluate_recommenders(std::span<const RecommendSplit> splits, std::size_t articles,
                                                        const RecommendOptions& options) {
  CORE_CHECK(options.validate());
  CORE_CHECK(check_names(splits));
  const auto& recommenders = splits.front().recommenders;
  CORE_TRY(const std::size_t against, place_of(recommenders, options.against));
  RecommendEvaluation evaluation;
  evaluation.options = options;
  evaluation.articles = articles;
  std::vector<Measured> measured(recommenders.size());
  for (Measured& one : measured) one.values.resize(options.measures.size());
  for (const RecommendSplit& split : splits) {
    if (splits.size() > 1) evaluation.splits.push_back(split.name);
    evaluation.known_purchases += split.purchases->known().size();
    evaluation.tested_purchases += split.purchases->tested();
    const Rarity rarity(*split.purchases, articles);
    for (std::size_t i = 0; i < recommenders.size(); ++i) {
      CORE_CHECK(measure(split, split.recommenders[i], rarity, options.measures, measured[i]));
    }
  }
  const Buyers buyers(splits);
  const auto known = static_cast<std::size_t>(std::ranges::count(buyers.known, true));
  evaluation.buyers = {buyers.known.size(), known, buyers.known.size() - known};
  for (std::size_t i = 0; i < recommenders.size(); ++i) {
    CORE_TRY(auto figures, figures_of(recommenders[i].name, buyers, measured[i], measured[against].values.front(), options));
    evaluation.recommenders.push_back(std::move(figures));
  }
  return evaluation;
}

core::Result<RecommendEvaluation> evaluate_recommenders(const HeldOutPurchases& purchases,
                                                        std::span<const NamedRecommender> recommenders,
                                                        std::size_t articles, const RecommendOptions& options) {
  const RecommendSplit split{.name = {}, .purchases = &purchases, .recommenders = {recommenders.begin(), recommenders.end()}};
  return evaluate_recommenders(std::span(&split, 1), articles, options);
}

}  // namespace scalestyle::evaluation
