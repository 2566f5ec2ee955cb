// What completes an outfit with one article.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "catalog/article_id.hpp"
#include "ranking/look.hpp"
#include "recommend/popularity_board.hpp"
#include "search/for_you_sources.hpp"
#include "search/popular_list.hpp"
#include "search/progress.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

// Of a slot: enough that one in a good colour is among them.
constexpr std::size_t kPopularPerSlot = 20;

// The most popular eligible rows of a slot for the same people; by past purchases where no popularity is kept.
void add_popular(const ServingGeneration& generation, const ranking::LookInputs& inputs, ranking::SlotId slot, events::EpochMs now_ms,
                 std::vector<ranking::ScoredRow>& popular) {
  const catalog::Catalog& articles = generation.catalog();
  catalog::Bitmap rows(articles.size());
  std::size_t count = 0;
  for (const catalog::RowIndex row : inputs.slots->rows(slot)) {
    if (inputs.eligible != nullptr && !inputs.eligible->test(row)) continue;
    if (!inputs.slots->suit_same(inputs.article, row)) continue;
    rows.set(row);
    ++count;
  }
  if (count == 0) return;
  const PopularScope scope{.eligible = &rows, .eligible_count = count, .depth = kPopularPerSlot, .now_ms = now_ms};
  const auto& board = generation.popularity();
  const BaseList list = board != nullptr ? popular_of_all_time(*board, scope) : most_purchased(articles, scope);
  for (std::size_t i = 0; i < list.rows.size(); ++i) popular.push_back({list.rows[i], static_cast<float>(list.scores[i])});
}

std::size_t count_of(std::span<const ranking::LookItem> items, std::span<const ranking::LookSource> sources) {
  return static_cast<std::size_t>(
      std::ranges::count_if(items, [&](const auto& item) { return std::ranges::find(sources, item.source) != sources.end(); }));
}

}  // namespace

core::Task<SearchOutcome> SearchService::run(const LookRequest& request, Progress& progress) {
  const catalog::Catalog& articles = progress.generation->catalog();
  const auto id = catalog::ArticleId::parse(request.article_id);
  const auto row = id ? articles.find(*id) : std::nullopt;
  if (!row) {
    const auto missing = core::fail(core::ErrorCode::kNotFound, fmt::format("there is no article {}", request.article_id), "id");
    co_return std::unexpected(progress.failure(missing.error()));
  }
  const auto product = articles.rows_of_product(articles.product_of(*row));
  progress.left_out.assign(product.begin(), product.end());
  auto prepared = co_await prepare_list(request, ListKind::kFound, ranking::RuleList::kLook, progress);
  if (!prepared) co_return std::unexpected(progress.failure(std::move(prepared).error(), progress.failure_reason));
  make_look(request, *row, progress);
  SearchAnswer made = answer(request, progress);
  const ranking::OutfitSlots& slots = made.generation->slots();
  for (AnswerItem& item : made.items) item.slot = slots.name(slots.of(item.article.row()));
  co_return made;
}

void SearchService::make_look(const LookRequest& request, catalog::RowIndex row, Progress& progress) const {
  const ServingGeneration& generation = *progress.generation;
  ranking::LookInputs inputs;
  inputs.articles = &generation.catalog();
  inputs.slots = &generation.slots();
  inputs.hues = &generation.hues();
  inputs.eligible = progress.eligible.get();
  inputs.article = row;
  inputs.neighbours = generation.neighbours().get();
  std::vector<ranking::ScoredRow> live;
  if (use_.live_neighbours != nullptr) {
    const TouchedItem touched{.row = row};
    live = live_source(*use_.live_neighbours, generation.catalog(), std::span(&touched, 1));
  }
  inputs.live = live;
  ranking::LookOptions options;
  options.per_slot = request.per_slot;
  auto candidates = ranking::look_candidates(inputs, options);
  const bool has_evidence = !candidates.empty();
  std::vector<ranking::ScoredRow> popular;
  for (const ranking::SlotId slot : ranking::empty_slots(candidates, inputs)) {
    add_popular(generation, inputs, slot, progress.now_ms(), popular);
  }
  inputs.popular = popular;
  if (!popular.empty()) candidates = ranking::look_candidates(inputs, options);

  auto made = std::make_shared<MadeLook>();
  made->article = row;
  made->items = ranking::choose_look(candidates, inputs, options);
  for (const ranking::LookItem& item : made->items) {
    progress.list.rows.push_back(item.row);
    progress.list.scores.push_back(item.score);
  }
  progress.list.total = progress.list.rows.size();
  const auto report = [&](std::string_view name, bool is_asked, std::span<const ranking::LookSource> sources) {
    progress.sources.push_back({name, is_asked ? StageOutcome::kOk : StageOutcome::kSkipped, count_of(made->items, sources)});
  };
  using ranking::LookSource;
  report(to_string(LookSource::kBought), inputs.neighbours != nullptr, std::vector{LookSource::kBought, LookSource::kVariantBought});
  report(to_string(LookSource::kChosen), use_.live_neighbours != nullptr, std::vector{LookSource::kChosen});
  report(to_string(LookSource::kPopular), !popular.empty(), std::vector{LookSource::kPopular});
  progress.look = std::move(made);
  progress.report(Stage::kOrder, StageOutcome::kOk);
  if (has_evidence || progress.list.rows.empty()) return;
  progress.fallback_source = FallbackSource::kGlobalPopular;
  progress.report(Stage::kFallback, StageOutcome::kOk);
}

void SearchService::explain_look(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation) {
  if (progress.look == nullptr) return;
  const ranking::LookItem* const part = progress.look->item_of(row);
  if (part == nullptr) return;
  explanation.look = {to_string(part->source), static_cast<double>(part->together), static_cast<double>(part->colour)};
}

}  // namespace scalestyle::search
