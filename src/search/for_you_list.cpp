// What one shopper is shown without asking.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "ranking/for_you.hpp"
#include "search/exploration.hpp"
#include "search/for_you_sources.hpp"
#include "search/progress.hpp"
#include "search/recommend_steps.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kNewest = 100;
constexpr std::size_t kMaxCandidates = 1'000;
constexpr double kScoreOfExplored = 1e-6;  // its place is not its score's

bool has_weight(const ranking::SourceScores& weights, ranking::Source source) { return weights[static_cast<std::size_t>(source)] > 0; }

std::span<const ranking::ScoredRow> rows_of(const NearRowsFinder::Found& found) {
  return found != nullptr ? std::span(found->rows) : std::span<const ranking::ScoredRow>();
}

ranking::ForYouOptions blend_options(const RecommendationOptions& options, const ForYouRequest& request, std::size_t pool_size) {
  ranking::ForYouOptions blend;
  blend.weights = options.for_you_weights;
  blend.item_half_life_days = options.item_half_life_days;
  blend.max_candidates = std::min(pool_size, kMaxCandidates);
  blend.own = {.show_bought = request.show_bought.value_or(options.own.show_bought),
               .show_seen = request.show_seen.value_or(options.own.show_seen)};
  return blend;
}

// The rows of its first products: as many as a page has items.
std::span<const catalog::RowIndex> head_of(const catalog::Catalog& articles, std::span<const catalog::RowIndex> rows, std::size_t items) {
  std::set<std::uint32_t> products;
  std::size_t count = 0;
  while (count < rows.size() && (products.size() < items || products.contains(articles.product_of(rows[count])))) {
    products.insert(articles.product_of(rows[count++]));
  }
  return rows.first(count);
}

void tell_outcome(ranking::Source source, StageOutcome outcome, Progress& progress) {
  for (SourceReport& report : progress.sources) {
    if (report.source == to_string(source) && outcome != StageOutcome::kOk) report.outcome = outcome;
  }
}

}  // namespace

core::Task<SearchOutcome> SearchService::run(const ForYouRequest& request, Progress& progress) {
  auto prepared = co_await prepare_list(request, ListKind::kPopular, ranking::RuleList::kForYou, progress);
  if (!prepared) co_return std::unexpected(progress.failure(std::move(prepared).error(), progress.failure_reason));
  const RecommendationOptions& options = options_.recommendation;
  const ServingGeneration& generation = *progress.generation;
  progress.is_blended = true;
  auto made = std::make_shared<RecommendedList>();
  const bool is_known = progress.shopper.features && progress.shopper.features->personalize;
  if (is_known) made->touched = touched_items(generation.catalog(), *progress.shopper.features, options.event_weights);

  NearWish wish;
  wish.texts = has_weight(options.for_you_weights, ranking::Source::kContent);
  wish.photos = has_weight(options.for_you_weights, ranking::Source::kPicture);
  wish.deadline = progress.inner_deadline.within(options.near_budget, progress.clock);
  if (!made->touched.empty()) wish.row = made->near_to = made->touched.front().row;
  NearFound near;
  auto looked = co_await find_near(wish, progress, near);
  if (!looked) co_return std::unexpected(progress.failure(std::move(looked).error()));

  const ranking::ForYouOptions blend = blend_options(options, request, options_.pool_size);
  const PopularScope scope = popular_scope(progress, blend.max_candidates);
  const auto items = subject_items(made->touched, options.event_weights, scope.now_ms);
  made->section = section_field(generation.catalog());
  std::vector<ranking::ScoredRow> sections;
  if (made->section && !items.empty()) sections = section_source(generation, *made->section, items, blend.item_half_life_days, scope);
  const auto newest = newest_source(generation, popular_scope(progress, kNewest));
  for (const ranking::ScoredRow& row : newest) made->newest.push_back(row.row);
  std::ranges::sort(made->newest);
  const PopularSource popular = popular_source(generation, scope);
  made->neighbours = generation.neighbours();
  std::vector<ranking::ScoredRow> live;
  if (use_.live_neighbours != nullptr) live = live_source(*use_.live_neighbours, generation.catalog(), made->touched);

  ranking::ForYouInputs inputs;
  inputs.articles = &generation.catalog();
  inputs.eligible = progress.eligible.get();
  inputs.items = items;
  inputs.neighbours = made->neighbours.get();
  inputs.live_neighbours = live;
  inputs.sections = sections;
  inputs.content = rows_of(near.texts);
  inputs.pictures = rows_of(near.photos);
  inputs.newest = newest;
  inputs.popular = popular.rows;
  blend_sources(inputs, blend, *made, progress);
  if (use_.ranker != nullptr) order_as_learned(items, *made, progress);
  tell_outcome(ranking::Source::kContent, near.texts_outcome, progress);
  tell_outcome(ranking::Source::kPicture, near.photos_outcome, progress);
  if (items.empty()) progress.fallback_source = popular.tier;
  explore(request, progress);
  progress.recommended = std::move(made);
  progress.report(Stage::kOrder, StageOutcome::kOk);
  co_return answer(request, progress);
}

// Of first pages only: what a cursor leads to follows what was shown there.
void SearchService::explore(const ForYouRequest& request, Progress& progress) const {
  const ExplorationOptions& options = options_.recommendation.exploration;
  if (request.offset > 0 || !request.cursor.empty() || !explores(options, request.request_id.value())) return;
  BaseList& list = progress.list;
  const auto shown = head_of(progress.generation->catalog(), list.rows, request.k);
  auto pool = exploration_pool(*progress.generation, popular_scope(progress, 0), shown, request.collapse);
  progress.explored = draw(options, request.request_id.value(), std::move(pool), request.k);
  const double score = list.scores.empty() ? kScoreOfExplored : std::min(list.scores.back(), kScoreOfExplored);
  for (const ExploredRow& explored : progress.explored) {
    if (std::ranges::find(list.rows, explored.row) != list.rows.end()) continue;
    list.rows.push_back(explored.row);
    list.scores.push_back(score);
    list.fused_scores.push_back(score);
    ++list.total;
  }
}

}  // namespace scalestyle::search
