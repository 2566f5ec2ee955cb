// What is like one article: by its text, its photo, and what was bought with it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "catalog/article_id.hpp"
#include "ranking/for_you.hpp"
#include "search/for_you_sources.hpp"
#include "search/make_deep_enough.hpp"
#include "search/progress.hpp"
#include "search/recommend_steps.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

using ranking::Source;

constexpr std::size_t kMaxCandidates = 1'000;

std::span<const ranking::ScoredRow> rows_of(const NearRowsFinder::Found& found) {
  return found != nullptr ? std::span(found->rows) : std::span<const ranking::ScoredRow>();
}

// The weights of the sources that are asked for. All of these may be 0 as set: then they count alike.
ranking::SourceScores weights_of(const SimilarSources& by, const ranking::SourceScores& set) {
  ranking::SourceScores weights{};
  const auto take = [&](Source source, bool is_wanted) {
    const auto at = static_cast<std::size_t>(source);
    if (is_wanted) weights[at] = set[at];
  };
  take(Source::kContent, by.text);
  take(Source::kPicture, by.picture);
  take(Source::kNeighbour, by.bought);
  if (std::ranges::any_of(weights, [](float weight) { return weight > 0; })) return weights;
  const auto even = [&](Source source, bool is_wanted) { weights[static_cast<std::size_t>(source)] = is_wanted ? 1.0F : 0.0F; };
  even(Source::kContent, by.text);
  even(Source::kPicture, by.picture);
  even(Source::kNeighbour, by.bought);
  return weights;
}

std::vector<ranking::ScoredRow> bought_with(const ranking::ItemNeighbours* neighbours, catalog::RowIndex row) {
  std::vector<ranking::ScoredRow> rows;
  if (neighbours == nullptr || row.value >= neighbours->size()) return rows;
  for (const ranking::Neighbour& neighbour : neighbours->of(row.value)) rows.push_back({{neighbour.item}, neighbour.score});
  return rows;
}

std::vector<catalog::RowIndex> product_of(const catalog::Catalog& articles, catalog::RowIndex row) {
  const auto rows = articles.rows_of_product(articles.product_of(row));
  return {rows.begin(), rows.end()};
}

}  // namespace

core::Task<SearchOutcome> SearchService::run(const SimilarRequest& request, Progress& progress) {
  const catalog::Catalog& articles = progress.generation->catalog();
  const auto id = catalog::ArticleId::parse(request.article_id);
  const auto row = id ? articles.find(*id) : std::nullopt;
  if (!row) {
    const auto missing = core::fail(core::ErrorCode::kNotFound, fmt::format("there is no article {}", request.article_id), "id");
    co_return std::unexpected(progress.failure(missing.error()));
  }
  progress.left_out = request.variants ? std::vector{*row} : product_of(articles, *row);
  auto prepared = co_await prepare_list(request, ListKind::kFound, ranking::RuleList::kSimilar, progress);
  if (!prepared) co_return std::unexpected(progress.failure(std::move(prepared).error(), progress.failure_reason));

  auto made = std::make_shared<RecommendedList>();
  made->is_for_article = true;
  made->near_to = *row;
  made->touched.push_back({.row = *row});
  made->neighbours = progress.generation->neighbours();
  ranking::ForYouOptions blend;
  blend.weights = weights_of(request.by, options_.recommendation.similar_weights);
  blend.max_candidates = std::min(options_.pool_size, kMaxCandidates);
  const auto has = [&](Source source) { return blend.weights[static_cast<std::size_t>(source)] > 0; };

  NearWish wish{.row = *row, .texts = has(Source::kContent), .photos = has(Source::kPicture)};
  wish.within_eligible = !request.filter.empty() || progress.effects.hides();
  wish.deadline = progress.inner_deadline;
  NearFound near;
  auto looked = co_await find_near(wish, progress, near);
  if (!looked) co_return std::unexpected(progress.failure(std::move(looked).error()));

  std::vector<ranking::ScoredRow> bought;
  if (has(Source::kNeighbour)) {
    bought = bought_with(made->neighbours.get(), *row);
    if (use_.live_neighbours != nullptr) {
      const auto live = live_source(*use_.live_neighbours, articles, made->touched);
      bought.insert(bought.end(), live.begin(), live.end());
    }
  }
  ranking::ForYouInputs inputs;
  inputs.articles = &articles;
  inputs.eligible = progress.eligible.get();
  inputs.live_neighbours = bought;
  inputs.content = rows_of(near.texts);
  inputs.pictures = rows_of(near.photos);
  blend_sources(inputs, blend, *made, progress);
  for (SourceReport& report : progress.sources) {
    if (report.source == to_string(Source::kContent) && near.texts_outcome != StageOutcome::kOk) report.outcome = near.texts_outcome;
    if (report.source == to_string(Source::kPicture) && near.photos_outcome != StageOutcome::kOk) report.outcome = near.photos_outcome;
  }
  const bool is_cut = (near.texts != nullptr && near.texts->is_cut) || (near.photos != nullptr && near.photos->is_cut);
  if (!is_cut) progress.list.total_relation = TotalRelation::kEqual;
  progress.recommended = std::move(made);
  progress.report(Stage::kOrder, StageOutcome::kOk);
  const auto& board = progress.generation->popularity();
  if (progress.list.rows.empty() && near.has_failed && board != nullptr && progress.eligible_count > 0) {
    progress.recommended = nullptr;
    make_deep_enough(request, progress, [&, tiers = options_.fallback.tiers()](std::size_t depth) {
      PopularList popular = fallback_list(*board, popular_scope(progress, depth), tiers);
      progress.fallback_source = popular.source;
      return std::move(popular.list);
    });
    if (progress.list.rows.empty()) {
      const auto nothing = core::fail(core::ErrorCode::kUnavailable, "what is like the article could not be looked up; try again later");
      co_return std::unexpected(progress.failure(nothing.error(), most_severe(progress.degradations)));
    }
    progress.report(Stage::kFallback, StageOutcome::kOk);
  }
  co_return answer(request, progress);
}

}  // namespace scalestyle::search
