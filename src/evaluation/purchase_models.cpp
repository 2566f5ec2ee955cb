#include "evaluation/purchase_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace scalestyle::evaluation {
namespace {

constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMaxItems = 100;
constexpr float kPurchaseWeight = 5;  // what events of purchases weigh where nothing else is set

std::unexpected<core::Error> invalid(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

bool is_half_life(double days) { return days > 0 && days <= 36'500; }

bool is_better(const ranking::ScoredRow& a, const ranking::ScoredRow& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

}  // namespace

core::Status PurchaseModelOptions::validate() const {
  CORE_CHECK(neighbours.validate());
  for (const auto& [days, name] : {std::pair(popularity_half_life_days, "popularity_half_life_days"),
                                   std::pair(section_half_life_days, "section_half_life_days")}) {
    if (!is_half_life(days)) return invalid(fmt::format("{} {} is not above 0 and at most 36500", name, days), name);
  }
  for (const auto& [count, name] : {std::pair(popular_rows, "popular_rows"), std::pair(sections, "sections"),
                                    std::pair(rows_per_section, "rows_per_section")}) {
    if (count < 1 || count > 100'000) return invalid(fmt::format("{} {} is not in 1 … 100000", name, count), name);
  }
  return {};
}

core::Result<catalog::Catalog> catalog_of_purchases(const HeldOutPurchases& purchases) {
  catalog::CatalogBuilder builder;
  for (const catalog::ArticleId& id : purchases.articles()) {
    catalog::Article article{.id = id};
    article.product_code = id.text();
    CORE_CHECK(builder.add(article));
  }
  return std::move(builder).build();
}

core::Result<std::shared_ptr<const PurchaseModels>> PurchaseModels::make(const HeldOutPurchases& purchases,
                                                                         std::shared_ptr<const catalog::Catalog> articles,
                                                                         const PurchaseModelOptions& options) {
  CORE_CHECK(options.validate());
  auto models = std::shared_ptr<PurchaseModels>(new PurchaseModels());  // NOLINT: the constructor is private
  models->options_ = options;
  models->articles_ = std::move(articles);
  models->first_article_ = purchases.articles().data();
  models->today_ = purchases.last_known() + std::chrono::days(1);
  models->customers_ = purchases.customers();
  for (const catalog::ArticleId& id : purchases.articles()) {
    const auto row = models->articles_->find(id);
    models->row_of_.push_back(row ? row->value : kNoRow);
  }
  models->popularity_.resize(models->articles_->size(), 0.0);
  for (const catalog::Purchase& purchase : purchases.known()) {
    const std::uint32_t row = models->row_of_[purchase.article];
    if (row == kNoRow) continue;
    models->known_.push_back({purchase.customer, row, static_cast<std::int32_t>(purchase.day.time_since_epoch().count())});
    const auto age_days = static_cast<double>((purchases.last_known() - purchase.day).count());
    models->popularity_[row] += std::exp2(-age_days / options.popularity_half_life_days);
  }
  if (models->known_.empty()) return invalid("the catalogue has none of the articles that were bought", "articles");
  models->rank_sections();
  CORE_TRY(models->neighbours_, ranking::build_item_neighbours(models->known_, models->articles_->size(), options.neighbours));
  return std::shared_ptr<const PurchaseModels>(std::move(models));
}

void PurchaseModels::rank_sections() {
  std::vector<ranking::ScoredRow> all;
  for (std::uint32_t row = 0; row < popularity_.size(); ++row) {
    if (const auto score = static_cast<float>(popularity_[row]); score > 0) all.push_back({{row}, score});
  }
  std::ranges::sort(all, is_better);
  popular_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(options_.popular_rows, all.size())));
  const auto codes = articles_->codes(options_.section);
  of_section_.resize(articles_->value_count(options_.section));
  for (const ranking::ScoredRow& one : all) {
    auto& rows = of_section_[codes[one.row.value]];
    if (rows.size() < options_.rows_per_section) rows.push_back(one);
  }
}

std::vector<ranking::SubjectItem> PurchaseModels::items_of(std::span<const HistoryItem> history) const {
  std::map<std::uint32_t, std::chrono::sys_days> newest;
  std::chrono::sys_days last{};
  for (const HistoryItem& one : history) {
    const std::uint32_t row = row_of_[static_cast<std::size_t>(one.article - first_article_)];
    if (row == kNoRow) continue;
    auto& day = newest.try_emplace(row, one.day).first->second;
    day = std::max(day, one.day);
    last = std::max(last, one.day);
  }
  const auto today = options_.ages_from_newest ? last + std::chrono::days(1) : today_;
  std::vector<ranking::SubjectItem> items;
  for (const auto& [row, day] : newest) {
    items.push_back({.row = {row}, .age_days = static_cast<float>((today - day).count()), .weight = kPurchaseWeight,
                     .bought = true});
  }
  std::ranges::stable_sort(items, {}, &ranking::SubjectItem::age_days);
  if (items.size() > kMaxItems) items.erase(items.begin() + kMaxItems, items.end());
  return items;
}

std::vector<ranking::ScoredRow> PurchaseModels::sections_of(std::span<const ranking::SubjectItem> items) const {
  const auto codes = articles_->codes(options_.section);
  std::map<std::uint32_t, double> weights;
  double sum = 0;
  for (const ranking::SubjectItem& item : items) {
    const std::uint32_t code = codes[item.row.value];
    if (articles_->value_of(options_.section, code).empty()) continue;  // of no known section
    const double weight = std::exp2(-static_cast<double>(item.age_days) / options_.section_half_life_days);
    weights[code] += weight;
    sum += weight;
  }
  std::vector<std::pair<std::uint32_t, double>> heaviest(weights.begin(), weights.end());
  std::ranges::stable_sort(heaviest, std::greater{}, &std::pair<std::uint32_t, double>::second);
  if (heaviest.size() > options_.sections) heaviest.resize(options_.sections);
  std::vector<ranking::ScoredRow> rows;
  for (const auto& [code, weight] : heaviest) {
    for (ranking::ScoredRow one : of_section_[code]) {
      one.score *= static_cast<float>(weight / sum);
      if (one.score > 0) rows.push_back(one);
    }
  }
  std::ranges::sort(rows, is_better);
  return rows;
}

ranking::ForYouInputs PurchaseModels::inputs_of(std::span<const ranking::SubjectItem> items,
                                                std::span<const ranking::ScoredRow> sections) const {
  ranking::ForYouInputs inputs;
  inputs.articles = articles_.get();
  inputs.items = items;
  inputs.neighbours = &neighbours_;
  inputs.sections = sections;
  inputs.popular = popular_;
  return inputs;
}

std::vector<catalog::ArticleId> PurchaseModels::ids_of(std::span<const catalog::RowIndex> rows) const {
  std::vector<catalog::ArticleId> ids;
  ids.reserve(rows.size());
  for (const catalog::RowIndex row : rows) {
    if (auto id = catalog::ArticleId::parse(articles_->row(row).id())) ids.push_back(std::move(*id));
  }
  return ids;
}

}  // namespace scalestyle::evaluation
