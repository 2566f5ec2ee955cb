#include "evaluation/recommend_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <unordered_set>
#include <utility>

namespace scalestyle::evaluation {
namespace {

using catalog::ArticleId;

std::unexpected<core::Error> invalid(std::string message, std::string field = {}) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

core::Status check_names(std::span<const NamedRecommender> recommenders) {
  if (recommenders.empty()) return invalid("there is no recommender to evaluate");
  std::set<std::string_view> names;
  for (const NamedRecommender& recommender : recommenders) {
    if (!names.insert(recommender.name).second) return invalid(fmt::format("two recommenders are called \"{}\"", recommender.name));
  }
  return {};
}

// values[measure][buyer], and what the lists held.
struct Measured {
  std::vector<std::vector<double>> values;
  std::unordered_set<ArticleId> covered;
};

core::Result<Measured> measure(const HeldOutPurchases& purchases, const NamedRecommender& recommender,
                               const std::vector<Measure>& measures) {
  Measured measured;
  measured.values.resize(measures.size());
  const std::size_t depth = deepest(measures);
  for (const Buyer& buyer : purchases.buyers()) {
    auto list = recommender.recommend(buyer.customer, buyer.history, depth);
    if (!list) {
      list.error().message = fmt::format("{}: customer {}: {}", recommender.name, buyer.customer, list.error().message);
      return std::unexpected(std::move(list).error());
    }
    if (list->size() > depth) list->erase(list->begin() + static_cast<std::ptrdiff_t>(depth), list->end());
    for (std::size_t i = 0; i < measures.size(); ++i) {
      measured.values[i].push_back(measure_list(measures[i], *list, buyer.bought));
    }
    measured.covered.insert(list->begin(), list->end());
  }
  return measured;
}

std::vector<double> of_group(const HeldOutPurchases& purchases, const std::vector<double>& values, BuyerGroup group) {
  if (group == BuyerGroup::kAll) return values;
  std::vector<double> chosen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!purchases.buyers()[i].history.empty()) chosen.push_back(values[i]);
  }
  return chosen;
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
  return [shared](std::string_view, std::span<const HistoryItem> history, std::size_t depth) -> core::Result<std::vector<ArticleId>> {
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
  return group == BuyerGroup::kAll ? "all buyers" : "buyers with a history";
}

core::Result<RecommendEvaluation> evaluate_recommenders(const HeldOutPurchases& purchases,
                                                        std::span<const NamedRecommender> recommenders,
                                                        std::size_t articles, const RecommendOptions& options) {
  CORE_CHECK(options.validate());
  CORE_CHECK(check_names(recommenders));
  RecommendEvaluation evaluation;
  evaluation.options = options;
  evaluation.articles = articles;
  evaluation.known_purchases = purchases.known().size();
  evaluation.tested_purchases = purchases.tested();
  std::vector<std::vector<double>> first;
  for (const NamedRecommender& recommender : recommenders) {
    CORE_TRY(const Measured measured, measure(purchases, recommender, options.measures));
    if (first.empty()) first = measured.values;
    RecommenderFigures figures{.name = recommender.name, .covered = measured.covered.size()};
    for (const BuyerGroup group : {BuyerGroup::kAll, BuyerGroup::kKnown}) {
      const auto place = static_cast<std::size_t>(group);
      const std::size_t buyers = of_group(purchases, measured.values.front(), group).size();
      const std::size_t resamples = resamples_for(buyers, options.resamples);
      evaluation.buyers[place] = buyers;
      for (const auto& values : measured.values) {
        figures.groups[place].means.push_back(bootstrap_mean(of_group(purchases, values, group), resamples, options.seed));
      }
      CORE_TRY(figures.groups[place].against_first,
               compare_paired(of_group(purchases, first.front(), group),
                              of_group(purchases, measured.values.front(), group), resamples, options.seed));
    }
    evaluation.recommenders.push_back(std::move(figures));
  }
  return evaluation;
}

}  // namespace scalestyle::evaluation
