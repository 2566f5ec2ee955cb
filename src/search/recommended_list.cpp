// What lists of several sources share: near articles, the blend, what an item owes to each source.
#include "search/recommended_list.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>

#include "search/leg_outcome.hpp"
#include "search/progress.hpp"
#include "search/recommend_steps.hpp"
#include "search/search_service.hpp"
#include "search/stage_outcome.hpp"

namespace scalestyle::search {

namespace {

// With less time left, only what is kept is taken: a look-up would end late, and be for nothing.
constexpr std::chrono::milliseconds kShort{8};

BaseList list_of(const ranking::Candidates& candidates, std::span<const double> scores, bool with_blend) {
  std::vector<std::uint32_t> order(candidates.rows.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  // What only sources without weight have is no candidate.
  std::erase_if(order, [&](std::uint32_t place) { return !(scores[place] > 0); });
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : candidates.rows[a] < candidates.rows[b];
  });
  BaseList list;
  list.rows.reserve(order.size());
  list.scores.reserve(order.size());
  for (const std::uint32_t place : order) {
    list.rows.push_back(candidates.rows[place]);
    list.scores.push_back(scores[place]);
  }
  if (with_blend) list.fused_scores = list.scores;
  list.total = list.rows.size();
  return list;
}

std::size_t count_of(const ranking::Candidates& candidates, std::size_t source) {
  return static_cast<std::size_t>(std::ranges::count_if(candidates.scores, [&](const auto& scores) { return scores[source] > 0; }));
}

}  // namespace

core::Task<core::Status> SearchService::find_near(NearWish wish, Progress& progress, NearFound& found) {
  CORE_CO_CHECK(co_await find_near_in(NearSpace::kTexts, wish, progress, found));
  co_return co_await find_near_in(NearSpace::kPhotos, wish, progress, found);
}

core::Task<core::Status> SearchService::find_near_in(NearSpace space, const NearWish& wish, Progress& progress, NearFound& found) {
  const bool is_of_photos = space == NearSpace::kPhotos;
  const Stage stage = is_of_photos ? Stage::kRetrieveImage : Stage::kRetrieve;
  const bool is_there = !is_of_photos || (looks_into_pictures() && progress.generation->picture_refusal().empty());
  StageOutcome& outcome = is_of_photos ? found.photos_outcome : found.texts_outcome;
  NearRowsFinder::Found& rows = is_of_photos ? found.photos : found.texts;
  if (wish.row && is_there && (is_of_photos ? wish.photos : wish.texts)) {
    NearQuery query{.space = space, .generation = progress.generation, .row = *wish.row};
    if (wish.within_eligible) {
      query.eligible = progress.eligible;
      query.filter = progress.filter;
    }
    query.deadline = wish.deadline;
    rows = near_.kept(query);
    const bool is_short = !wish.deadline.is_never() && wish.deadline.remaining(progress.clock) < kShort;
    if (rows != nullptr) {
      outcome = StageOutcome::kOk;
    } else if (!is_short) {
      auto looking = near_.find(std::move(query));
      core::Result<NearRowsFinder::Found> looked = co_await std::move(looking);
      if (looked) {
        rows = std::move(*looked);
        outcome = StageOutcome::kOk;
      } else if (looked.error().code != core::ErrorCode::kNotFound) {
        outcome = outcome_of(looked.error());
        progress.report(stage, outcome);
        if (outcome == StageOutcome::kCancelled) co_return std::unexpected(std::move(looked).error());
        found.has_failed = true;
        progress.degrade(*reason_of(DenseStage::kSearch, looked.error().code));
        co_return core::Status();
      }
    }
  }
  progress.report(stage, outcome);
  co_return core::Status();
}

void SearchService::blend_sources(const ranking::ForYouInputs& inputs, const ranking::ForYouOptions& blend, RecommendedList& made,
                                  Progress& progress) const {
  made.weights = blend.weights;
  made.candidates = ranking::collect(inputs, blend);
  const auto scores = ranking::blend(made.candidates.scores, blend.weights);
  progress.list = list_of(made.candidates, scores, true);
  const bool is_whole = progress.list.total >= progress.eligible_count;
  progress.list.total_relation = is_whole ? TotalRelation::kEqual : TotalRelation::kAtLeast;
  for (std::size_t i = 0; i < ranking::kSourceCount; ++i) {
    if (!(blend.weights[i] > 0)) continue;
    const std::size_t articles = count_of(made.candidates, i);
    const StageOutcome outcome = articles > 0 ? StageOutcome::kOk : StageOutcome::kSkipped;
    progress.sources.push_back({to_string(static_cast<ranking::Source>(i)), outcome, articles});
  }
}

void SearchService::explain_sources(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation) {
  if (progress.recommended == nullptr) return;
  const RecommendedList& list = *progress.recommended;
  const ranking::SourceScores* const scores = list.scores_of(row);
  if (scores == nullptr) return;
  for (std::size_t i = 0; i < scores->size(); ++i) {
    if (!((*scores)[i] > 0)) continue;
    explanation.sources.push_back({to_string(static_cast<ranking::Source>(i)), static_cast<double>((*scores)[i]),
                                   static_cast<double>(list.weights[i])});
  }
  if (list.learned.empty()) return;
  explanation.learned = {list.ranker->id, list.learned[static_cast<std::size_t>(scores - list.candidates.scores.data())]};
}

}  // namespace scalestyle::search
