#include "evaluation/recommend_methods.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

namespace scalestyle::evaluation {
namespace {

using ranking::Source;

// Sources that come one after the other: what an earlier one has stands before all that only later ones have.
constexpr float kFirst = 1e5F;
constexpr float kSecond = 1e2F;
constexpr float kThird = 1e-3F;  // also beside scores that are no more than a thousandth of the best

struct Weight {
  Source source;
  float weight;
};

struct SourceMethod {
  std::string_view name;
  std::vector<Weight> weights;
  bool needs_attributes;
  bool shows_own;
};

std::vector<SourceMethod> known_methods() {
  return {{"popularity of own sections", {{Source::kSection, kSecond}, {Source::kPopular, kThird}}, true, true},
          {"own purchases, popularity", {{Source::kOwn, kFirst}, {Source::kPopular, kThird}}, false, true},
          {"own purchases, colours, popularity",
           {{Source::kOwn, kFirst}, {Source::kVariant, kSecond}, {Source::kPopular, kThird}}, true, true},
          {"colours, popularity", {{Source::kVariant, kSecond}, {Source::kPopular, kThird}}, true, false},
          {"bought together", {{Source::kNeighbour, kSecond}, {Source::kPopular, kThird}}, false, false},
          {"bought together and colours",
           {{Source::kNeighbour, kSecond}, {Source::kVariant, kSecond}, {Source::kPopular, kThird}}, true, false},
          {"own purchases, bought together",
           {{Source::kOwn, kFirst}, {Source::kNeighbour, kSecond}, {Source::kPopular, kThird}}, false, true}};
}

// Rows of scores above 0.
std::vector<catalog::RowIndex> best_rows(std::span<const catalog::RowIndex> rows, std::span<const double> scores, std::size_t depth) {
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(depth, order.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : rows[a] < rows[b];
  });
  std::vector<catalog::RowIndex> best;
  for (auto at = order.begin(); at != end && scores[*at] > 0; ++at) best.push_back(rows[*at]);
  return best;
}

bool is_own(std::span<const ranking::SubjectItem> items, catalog::RowIndex row) {
  return std::ranges::find(items, row, &ranking::SubjectItem::row) != items.end();
}

// The factors know only articles that were bought.
struct AlsModel {
  std::vector<catalog::RowIndex> rows;  // of the factors' items, rising
  ImplicitAls als;
};

core::Result<AlsModel> fit_als(const PurchaseModels& models, const AlsOptions& options) {
  std::vector<catalog::RowIndex> rows;
  for (const ranking::ItemPurchase& purchase : models.known()) rows.push_back({purchase.item});
  std::ranges::sort(rows);
  const auto repeated = std::ranges::unique(rows);
  rows.erase(repeated.begin(), repeated.end());
  std::vector<BoughtItem> bought;
  for (const ranking::ItemPurchase& purchase : models.known()) {
    const auto place = std::ranges::lower_bound(rows, catalog::RowIndex{purchase.item}) - rows.begin();
    bought.push_back({purchase.customer, static_cast<std::uint32_t>(place)});
  }
  CORE_TRY(auto als, ImplicitAls::fit(std::move(bought), models.customers(), rows.size(), options));
  return AlsModel{std::move(rows), std::move(als)};
}

std::vector<catalog::RowIndex> als_rows(const PurchaseModels& models, const AlsModel& model, std::span<const HistoryItem> history,
                                        bool show_own, std::size_t depth) {
  const auto items = models.items_of(history);
  std::vector<std::uint32_t> known;
  for (const ranking::SubjectItem& item : items) {
    const auto found = std::ranges::lower_bound(model.rows, item.row);
    if (found != model.rows.end() && *found == item.row) known.push_back(static_cast<std::uint32_t>(found - model.rows.begin()));
  }
  std::ranges::sort(known);  // sums of floats depend on their order
  std::vector<catalog::RowIndex> list;
  const auto take = [&](catalog::RowIndex row) {
    if (list.size() < depth && (show_own || !is_own(items, row)) && std::ranges::find(list, row) == list.end()) list.push_back(row);
  };
  if (!known.empty()) {
    const std::vector<float> liked = model.als.scores(known);
    const std::vector<double> scores(liked.begin(), liked.end());
    for (const catalog::RowIndex row : best_rows(model.rows, scores, depth + items.size())) take(row);
  }
  for (const ranking::ScoredRow& one : models.popular()) take(one.row);
  return list;
}

}  // namespace

std::vector<catalog::RowIndex> blended_rows(const PurchaseModels& models, std::span<const HistoryItem> history,
                                            const ranking::ForYouOptions& options, std::size_t depth) {
  const auto items = models.items_of(history);
  const auto sections = models.sections_of(items);
  const auto candidates = ranking::collect(models.inputs_of(items, sections), options);
  return best_rows(candidates.rows, ranking::blend(candidates.scores, options.weights), depth);
}

Recommender blend_recommender(std::shared_ptr<const PurchaseModels> models, const ranking::ForYouOptions& options) {
  return [models = std::move(models), options](std::string_view, std::span<const HistoryItem> history,
                                               std::size_t depth) -> core::Result<std::vector<catalog::ArticleId>> {
    CORE_CHECK(options.validate());
    return models->ids_of(blended_rows(*models, history, options, depth));
  };
}

core::Result<Recommender> als_recommender(std::shared_ptr<const PurchaseModels> models, const AlsOptions& options, bool show_own) {
  CORE_TRY(auto fitted, fit_als(*models, options));
  auto model = std::make_shared<const AlsModel>(std::move(fitted));
  return Recommender([models = std::move(models), model = std::move(model), show_own](
                         std::string_view, std::span<const HistoryItem> history,
                         std::size_t depth) -> core::Result<std::vector<catalog::ArticleId>> {
    return models->ids_of(als_rows(*models, *model, history, show_own, depth));
  });
}

std::vector<NamedRecommender> source_methods(const std::shared_ptr<const PurchaseModels>& models, const MethodOptions& options) {
  std::vector<NamedRecommender> recommenders;
  for (const SourceMethod& method : known_methods()) {
    if (method.needs_attributes && !options.has_attributes) continue;
    const bool is_of_own = std::ranges::find(method.weights, Source::kOwn, &Weight::source) != method.weights.end();
    if (is_of_own && !options.show_own) continue;
    ranking::ForYouOptions one = options.blend;
    one.weights = {};
    for (const Weight& weight : method.weights) one.weights[static_cast<std::size_t>(weight.source)] = weight.weight;
    if (!method.shows_own || !options.show_own) one.own = {.show_bought = false, .show_seen = false};
    recommenders.push_back({std::string(method.name), blend_recommender(models, one)});
  }
  if (options.has_attributes) {
    ranking::ForYouOptions blend = options.blend;
    if (!options.show_own) blend.own = {.show_bought = false, .show_seen = false};
    recommenders.push_back({"blend", blend_recommender(models, blend)});
  }
  return recommenders;
}

}  // namespace scalestyle::evaluation
