#include "evaluation/ranker_day.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace scalestyle::evaluation {
namespace {

using std::chrono::days;

constexpr double kPurchaseWeight = 5;   // of an event, as serving counts it by default
constexpr std::size_t kNewest = 100;    // rows that serving's list of new articles has
constexpr std::int32_t kWeekDays = 7;

// The windows of popularity as they stand when the day begins.
std::vector<ranking::CandidatePopularity> popularity_before(const PurchaseModels& models, std::chrono::sys_days day) {
  std::vector<ranking::CandidatePopularity> all(models.articles().size());
  for (std::uint32_t row = 0; row < all.size(); ++row) all[row].decayed = kPurchaseWeight * models.popularity({row});
  const auto today = static_cast<std::int32_t>(day.time_since_epoch().count());
  for (const ranking::ItemPurchase& purchase : models.known()) {
    const std::int32_t age_days = today - purchase.day;
    if (age_days <= 1) all[purchase.item].day += kPurchaseWeight;
    if (age_days <= kWeekDays) all[purchase.item].week += kPurchaseWeight;
  }
  return all;
}

// The last rows, scores falling evenly, as search/for_you_sources.hpp has it.
std::vector<ranking::ScoredRow> newest_rows(std::size_t articles) {
  const std::size_t count = std::min(kNewest, articles);
  std::vector<ranking::ScoredRow> rows;
  for (std::size_t place = 0; place < count; ++place) {
    const double score = 1.0 - static_cast<double>(place) / static_cast<double>(count);
    rows.push_back({{static_cast<std::uint32_t>(articles - 1 - place)}, static_cast<float>(score)});
  }
  return rows;
}

void count_times(const catalog::Catalog& articles, std::span<const HistoryItem> history, std::vector<ranking::SubjectItem>& items) {
  std::unordered_map<std::uint32_t, std::uint32_t> times;
  for (const HistoryItem& one : history) {
    if (const auto row = articles.find(*one.article)) ++times[row->value];
  }
  for (ranking::SubjectItem& item : items) item.times = times[item.row.value];
}

}  // namespace

core::Result<RankerDay> RankerDay::make(const catalog::Purchases& purchases, std::shared_ptr<const catalog::Catalog> articles,
                                        std::chrono::sys_days day, const PurchaseModelOptions& models,
                                        const ranking::ForYouOptions& blend) {
  RankerDay made;
  CORE_TRY(auto split, HeldOutPurchases::split(purchases, day - days(1), day));
  made.purchases_ = std::make_unique<const HeldOutPurchases>(std::move(split));
  CORE_TRY(made.models_, PurchaseModels::make(*made.purchases_, std::move(articles), models));
  made.popularity_ = popularity_before(*made.models_, day);
  made.newest_ = newest_rows(made.articles().size());
  made.blend_ = blend;
  return made;
}

std::shared_ptr<const AskedList> RankerDay::ask(const Buyer& buyer) {
  if (!buyer.history.empty()) return make_list(buyer);
  if (strangers_ == nullptr) strangers_ = make_list(buyer);
  return strangers_;
}

std::shared_ptr<const AskedList> RankerDay::make_list(const Buyer& buyer) const {
  auto list = std::make_shared<AskedList>();
  list->items = models_->items_of(buyer.history);
  count_times(articles(), buyer.history, list->items);
  const auto sections = models_->sections_of(list->items);
  ranking::ForYouInputs inputs = models_->inputs_of(list->items, sections);
  inputs.eligible = &articles().available();
  inputs.newest = newest_;
  list->candidates = ranking::collect(inputs, blend_);
  for (const catalog::RowIndex row : list->candidates.rows) list->popularity.push_back(popularity_[row.value]);
  return list;
}

}  // namespace scalestyle::evaluation
