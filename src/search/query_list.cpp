// The list that a query finds, and what is shown in its place when it cannot be looked up.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <span>
#include <utility>

#include "search/list_sort.hpp"
#include "search/make_deep_enough.hpp"
#include "search/progress.hpp"
#include "search/query_reading.hpp"
#include "search/query_text.hpp"
#include "search/reranker.hpp"
#include "search/search_service.hpp"
#include "search/stage_outcome.hpp"
#include "search/synonym_file.hpp"
#include "search/leg_outcome.hpp"
#include "search/visual_request.hpp"

namespace scalestyle::search {

namespace {

bool is_preference(const retrieval::UnderstoodPiece& piece) { return piece.effect == retrieval::PieceEffect::kPrefer; }

// The beginning of a list as a pool of its own, for a column to sort.
BaseList pool_of(BaseList list) {
  if (!list.is_whole()) list.total_relation = TotalRelation::kAtLeast;
  list.total = list.rows.size();
  list.is_every_eligible_row = list.is_every_eligible_row && list.total_relation == TotalRelation::kEqual;
  return list;
}

// A request with more time than usual gives in proportion more to finding by meaning.
core::Deadline in_retrieval_budget(core::Deadline deadline, std::chrono::milliseconds budget, const core::Clock& clock) {
  const std::chrono::duration<double> left = std::min<std::chrono::nanoseconds>(deadline.remaining(clock), kMaxDeadline);
  const double share = std::max(1.0, left / std::chrono::duration<double>(kDefaultDeadline));
  return deadline.within(std::chrono::duration_cast<std::chrono::nanoseconds>(budget * share), clock);
}

}  // namespace

core::Status SearchService::begin_search(const SearchRequest& request, Progress& progress) {
  progress.is_sorted = request.sort != SearchSort::kRelevance;
  progress.reason_origin = ReasonOrigin::kFound;
  progress.reason_picture = reason_picture(request.visual);
  if (request.sort == SearchSort::kPopularity && progress.generation->popularity() == nullptr) {
    return core::fail(core::ErrorCode::kUnavailable, "this server keeps no popularity of articles", "sort");
  }
  CORE_CHECK(check_pictures(request, progress));
  begin_read(request, progress.is_sorted ? ListKind::kSorted : ListKind::kFound, progress);
  return {};
}

core::Task<SearchOutcome> SearchService::run(const SearchRequest& request, Progress& progress) {
  if (auto begun = begin_search(request, progress); !begun) co_return std::unexpected(progress.failure(std::move(begun).error()));
  auto found = co_await find_list(request, progress);
  if (!found && (progress.is_request_fault || !fall_back(request, progress))) {
    co_return std::unexpected(progress.failure(std::move(found).error(), progress.failure_reason));
  }
  if (found) {
    static_cast<void>(co_await rerank_list(request, progress));
    if (!progress.list.is_every_eligible_row) {
      if (auto ruled = find_rules(request, ranking::RuleList::kSearch, request.query, progress); !ruled) {
        co_return std::unexpected(progress.failure(std::move(ruled).error()));
      }
    }
  }
  if (progress.pending != nullptr) static_cast<void>(co_await finish_read(progress));
  // A list of all eligible rows is made in its order, but what stands in for a list is by popularity.
  const bool in_order = progress.list.is_every_eligible_row && !progress.fallback_source;
  if (!in_order) sort_list(*progress.generation, request.sort, progress.now_ms(), progress.list);
  co_return answer(request, progress);
}

core::Task<core::Status> SearchService::find_by_query(const SearchRequest& request, Progress& progress) {
  CORE_CO_CHECK(read(request, progress));
  progress.report(Stage::kUnderstand, request.understanding.understand ? StageOutcome::kOk : StageOutcome::kSkipped);
  set_eligible_for(request, progress);
  progress.report(Stage::kFilter, progress.eligible == nullptr ? StageOutcome::kSkipped : StageOutcome::kOk);
  if (progress.eligible_count == 0) co_return core::Status();
  const bool looks_for_query = !request.visual || request.visual->mode == VisualMode::kTextToImage;
  if (looks_for_query && progress.reading.words.empty()) co_return list_eligible(request, progress);
  CORE_CO_CHECK(co_await find_by_legs(request, progress));
  order(request, progress);
  co_return core::Status();
}

// A leg that is not looked into, as one that failed: the others stand in for it, and the answer says so.
SearchService::LegOutcome SearchService::left_out(Stage stage, Progress& progress) {
  progress.report(stage, StageOutcome::kRefused);
  return {core::fail(core::ErrorCode::kUnavailable, "left out, since the server is under pressure; try again later"),
          DegradationReason::kInferenceUnavailable};
}

core::Task<core::Status> SearchService::find_by_legs(const SearchRequest& request, Progress& progress) {
  const bool has_text = has_text_side(request) && !progress.reading.words.empty();
  if (has_text && request.legs.lexical) find_by_words(progress);
  const bool names_alone = progress.names_alone();
  const bool looks_at_photos = request.visual || (request.legs.image && !names_alone);
  const bool leaves_out_photos = progress.left_out_steps >= BrownoutStep::kNoPictures;
  if (looks_at_photos && !leaves_out_photos) progress.picture = pictures_->begin(picture_query(request, progress));
  LegOutcome text;
  if (has_text && request.legs.dense && !names_alone && progress.left_out_steps >= BrownoutStep::kNoMeaning) {
    text = left_out(Stage::kEmbed, progress);
  } else if (has_text && request.legs.dense && !names_alone) {
    text.status = co_await find_by_meaning(request, progress);
    text.reason = std::exchange(progress.failure_reason, std::nullopt);
  }
  LegOutcome photos;
  if (looks_at_photos && leaves_out_photos) {
    photos = left_out(Stage::kEmbedImage, progress);
  } else if (progress.picture != nullptr) {
    photos.status = co_await find_photos(progress);
    photos.reason = std::exchange(progress.failure_reason, std::nullopt);
  }
  co_return settle_legs(request, text, photos, progress);
}

// The words are planned twice where some of them are no words to look for: to know what was mistyped, and without them.
core::Status SearchService::read(const SearchRequest& request, Progress& progress) const {
  if (progress.query.empty()) return {};
  const retrieval::LexicalIndex& index = progress.generation->lexical();
  const auto synonyms = use_.synonyms != nullptr ? use_.synonyms->current() : nullptr;
  if (request.legs.lexical) {
    CORE_TRY(progress.plan, index.plan(progress.query, synonyms.get(), options_.lexical));
    progress.word_notes = progress.plan->notes;
  }
  progress.reading = read_query(progress.generation->understanding(),
                                {progress.query, request.understanding, request.filter, progress.word_notes});
  if (!progress.plan || progress.reading.words == progress.query) return {};
  CORE_TRY(progress.plan, index.plan(progress.reading.words, synonyms.get(), options_.lexical));
  std::erase_if(progress.word_notes, [](const auto& note) { return note.kind != retrieval::MatchKind::kCorrection; });
  for (const retrieval::QueryNote& note : progress.plan->notes) {
    if (std::ranges::find(progress.word_notes, note) == progress.word_notes.end()) progress.word_notes.push_back(note);
  }
  return {};
}

// For lists that are not made by the query now: without the words, so without what was mistyped.
void SearchService::read_alone(const SearchRequest& request, Progress& progress) const {
  if (!progress.query.empty()) {
    progress.reading = read_query(progress.generation->understanding(), {progress.query, request.understanding, request.filter, {}});
  }
  set_eligible_for(request, progress);
}

void SearchService::set_eligible_for(const SearchRequest& request, Progress& progress) const {
  restrict_eligible(request, progress);
  if (request.visual) leave_out_article(request, progress);
  progress.reason_query = reason_query(progress.reading);
  // The photos' space knows itself what red is: there nothing else prefers.
  if (!has_text_side(request)) std::erase_if(progress.reading.understood.pieces, is_preference);
  progress.understood = understood_pieces(progress.reading);
  // Said where such a query is answered by all of those.
  if (request.visual && request.visual->mode != VisualMode::kTextToImage) {
    std::erase_if(progress.understood, [](const Understood& piece) { return piece.id == "no_words_left"; });
  }
  std::ranges::move(understood_words(progress.word_notes), std::back_inserter(progress.understood));
}

void SearchService::restrict_eligible(const SearchRequest& request, Progress& progress) {
  set_eligible(request, progress);
  QueryReading& reading = progress.reading;
  if (progress.eligible_count == 0 || !reading.understood.restricts()) return;
  const std::size_t articles = progress.generation->catalog().size();
  catalog::Bitmap rows = progress.eligible != nullptr ? *progress.eligible : catalog::Bitmap(articles, true);
  restrict_rows(progress.generation->understanding(), progress.generation->catalog(), reading, rows);
  progress.eligible_count = rows.count();
  progress.eligible = std::make_shared<const catalog::Bitmap>(std::move(rows));
  catalog::Filter typed = typed_filter(request.filter, reading.understood);
  progress.filter = typed.empty() ? nullptr : std::make_shared<const catalog::Filter>(std::move(typed));
}

// The query only says what articles must be.
core::Status SearchService::list_eligible(const SearchRequest& request, Progress& progress) const {
  for (const Stage leg : {Stage::kLexical, Stage::kEmbed}) progress.report(leg, StageOutcome::kSkipped);
  CORE_CHECK(find_rules(request, ranking::RuleList::kSearch, request.query, progress));
  hide_eligible(progress);
  const auto& board = progress.generation->popularity();
  const auto column = browse_sort(request.sort);
  make_deep_enough(request, progress, [&](std::size_t depth) {
    const PopularScope scope = popular_scope(progress, depth);
    if (column) return list_by_place(progress.generation->orders().first(*column, scope.eligible, depth), scope.eligible_count);
    return board != nullptr ? popular_of_all_time(*board, scope) : most_purchased(progress.generation->catalog(), scope);
  });
  progress.report(Stage::kOrder, StageOutcome::kOk);
  return {};
}

void SearchService::find_by_words(Progress& progress) const {
  const retrieval::LexicalIndex& index = progress.generation->lexical();
  const retrieval::LexicalResult found = index.search(*progress.plan, progress.eligible.get(), options_.pool_size);
  LegRows& words = progress.words;
  for (const retrieval::LexicalHit& hit : found.hits) {
    if (hit.is_named) {
      progress.named.push_back(hit.row);
      continue;
    }
    words.rows.push_back(hit.row);
    words.scores.push_back(hit.score);
  }
  words.is_cut = found.hits.size() >= options_.pool_size;
  progress.report(Stage::kLexical, StageOutcome::kOk);
}

core::Task<core::Status> SearchService::find_by_meaning(const SearchRequest& request, Progress& progress) {
  if (const std::string& refusal = progress.generation->dense_refusal(); !refusal.empty()) {
    progress.report(Stage::kEmbed, StageOutcome::kRefused);
    progress.failure_reason = DegradationReason::kRetrievalUnavailable;
    co_return core::fail(core::ErrorCode::kFailedPrecondition, refusal);
  }
  DenseQuery query;
  query.text = options_.query_prefix + progress.reading.meaning;
  progress.embedded_text = query.text;
  query.generation = progress.generation;
  query.k = options_.pool_size;
  query.filter = progress.filter;
  query.eligible = progress.eligible;
  query.context = progress.context;
  const bool has_other_answer = progress.plan || progress.picture != nullptr || progress.generation->popularity() != nullptr;
  query.deadline = has_other_answer ? progress.inner_deadline : request.deadline;
  const bool words_stand_in = !progress.words.rows.empty() && options_.fallback.allow(FallbackStep::kWords);
  if (words_stand_in) query.deadline = in_retrieval_budget(query.deadline, options_.retrieval_budget, progress.clock);
  DenseOutcome outcome = co_await dense_.retrieve(std::move(query));
  if (!outcome) {
    DenseFailure& failure = outcome.error();
    const bool embedding = failure.stage == DenseStage::kEmbed;
    std::optional<StageReport> search;
    if (!embedding) search = {Stage::kRetrieve, outcome_of(failure.error), failure.search};
    progress.report_pair({Stage::kEmbed, embedding ? outcome_of(failure.error) : StageOutcome::kOk, failure.embed}, search);
    progress.failure_reason = reason_of(failure.stage, failure.error.code);
    co_return std::unexpected(std::move(failure.error));
  }
  progress.report_pair({Stage::kEmbed, StageOutcome::kOk, outcome->embed}, StageReport{Stage::kRetrieve, StageOutcome::kOk, outcome->search});
  auto taken = take_hits(outcome->hits, progress);
  if (!taken) {
    progress.failure_reason = DegradationReason::kRetrievalUnavailable;
    co_return std::unexpected(std::move(taken).error());
  }
  progress.meaning = std::move(*taken);
  progress.meaning.is_cut = progress.eligible_count > progress.meaning.rows.size();
  co_return core::Status();
}

core::Result<LegRows> SearchService::take_hits(const ports::VectorHits& hits, const Progress& progress) {
  const catalog::Catalog& articles = progress.generation->catalog();
  LegRows found;
  found.rows.reserve(hits.hits.size());
  found.scores.reserve(hits.hits.size());
  for (const ports::VectorHit& hit : hits.hits) {
    if (!std::isfinite(hit.score)) {
      return core::fail(core::ErrorCode::kDataLoss,
                        fmt::format("the vector index gave article {} a score that is not a number", hit.article_id.text()));
    }
    const auto row = articles.find(hit.article_id);
    const bool shown = row && (progress.eligible == nullptr || progress.eligible->test(*row));
    if (shown) {
      found.rows.push_back(*row);
      found.scores.push_back(hit.score);
    } else if (hits.exact) {
      return core::fail(core::ErrorCode::kDataLoss,
                        fmt::format("the vector index gave article {}, which is not in the eligible set of generation {}",
                                    hit.article_id.text(), progress.generation->info().id.value()));
    }
  }
  if (!std::ranges::is_sorted(found.scores, std::greater<>())) {
    return core::fail(core::ErrorCode::kDataLoss, "the vector index gave hits that are not in the order of their scores");
  }
  return found;
}

void SearchService::order(const SearchRequest& request, Progress& progress) const {
  if (has_text_side(request)) {
    fuse_legs(request, progress);
    // Beside a picture, a query that only names articles is no text to judge others by.
    if (!request.visual || !progress.names_alone()) progress.judged_by = progress.reading.meaning;
  }
  if (request.visual) blend_sides(request, progress);
  BaseList& list = progress.list;
  list.total = list.rows.size();
  const bool is_cut = progress.words.is_cut || progress.meaning.is_cut || progress.photos.is_cut;
  list.total_relation = is_cut && list.total != progress.eligible_count ? TotalRelation::kAtLeast : TotalRelation::kEqual;
  progress.report(Stage::kOrder, StageOutcome::kOk);
}

void SearchService::fuse_legs(const SearchRequest& request, Progress& progress) const {
  using ranking::Leg;
  // A row that no word matches has 0; the worst row of a leg by vectors is as far away as those that it left out.
  std::vector legs{
      ranking::LegResult{.leg = Leg::kLexical, .rows = progress.words.rows, .scores = progress.words.scores, .floor = 0},
      ranking::LegResult{.leg = Leg::kDense, .rows = progress.meaning.rows, .scores = progress.meaning.scores}};
  if (!request.visual) legs.push_back({.leg = Leg::kImage, .rows = progress.photos.rows, .scores = progress.photos.scores});
  ranking::FusionRequest wish{.legs = legs, .named_rows = progress.named, .with_ranks = request.explain};
  if (progress.reading.understood.prefers()) {
    wish.preference_strength = static_cast<double>(retrieval::QueryUnderstanding::strength(progress.reading.understood));
    wish.prefer = [&progress](std::span<const catalog::RowIndex> rows, std::span<float> preferences) {
      progress.generation->understanding().prefer(progress.reading.understood, rows, preferences);
    };
  }
  ranking::FusedList fused = ranking::fuse(wish, options_.fusion);
  BaseList& list = progress.list;
  list.rows = std::move(fused.rows);
  list.scores = std::move(fused.scores);
  list.leg_ranks = std::move(fused.ranks);
  list.preferences = std::move(fused.preferences);
}

void SearchService::explain(const Progress& progress, SearchAnswer& answer) const {
  const BaseList& list = progress.list;
  for (AnswerItem& item : answer.items) {
    auto explanation = std::make_shared<ItemExplanation>();
    const catalog::RowIndex row = item.article.row();
    const auto place = static_cast<std::size_t>(std::ranges::find(list.rows, row) - list.rows.begin());
    explanation->base_score = list.scores[place];
    explanation->fused_score = list.fused_scores.empty() ? explanation->base_score : list.fused_scores[place];
    if (const auto* judged = progress.reranked.judgement(row)) explanation->cross_encoder = {judged->score, judged->logit};
    explain_rules(progress, row, *explanation);
    explain_sources(progress, row, *explanation);
    explain_look(progress, row, *explanation);
    explain_rising(progress, row, *explanation);
    explanation->is_named = std::ranges::find(progress.named, row) != progress.named.end();
    for (const ranking::Leg leg : ranking::kLegs) {
      const std::size_t rank = place < list.leg_ranks.size() ? list.leg_ranks[place][static_cast<std::size_t>(leg)] : 0;
      if (rank == 0) continue;
      explanation->legs.push_back({leg, rank, static_cast<double>(progress.found_by(leg).scores[rank - 1])});
    }
    if (place < list.preferences.size()) explanation->preference = list.preferences[place];
    for (const retrieval::UnderstoodPiece& piece : progress.reading.understood.pieces) {
      if (piece.effect == retrieval::PieceEffect::kExclude) continue;
      const float credit = progress.generation->understanding().credit(piece, row);
      if (credit > 0) explanation->met.push_back({piece.id, credit});
    }
    if (progress.plan && !progress.fallback_source) {
      explanation->terms = progress.generation->lexical().explain(*progress.plan, row).terms;
    }
    item.explanation = std::move(explanation);
  }
}

// Runs wherever the failure was noticed, which is the timers' thread for what is late: no worker may be free. It costs
// a few hundred microseconds, one pass over a column for each tier.
bool SearchService::fall_back(const SearchRequest& request, Progress& progress) const {
  const auto reason = progress.failure_reason;
  // Without a reason the caller is gone; a limit that was reached is not made better by more work.
  if (!reason || *reason == DegradationReason::kDownstreamCapacityRejected) return false;
  if (!progress.filtered) read_alone(request, progress);
  if (!find_rules(request, ranking::RuleList::kSearch, request.query, progress)) return false;
  const bool keeps_lists = !progress.list_key.empty() && options_.fallback.allow(FallbackStep::kCached);
  if (const auto older = keeps_lists ? lists_.last_good(progress.list_key) : nullptr) {
    progress.list = carried_over(*older, progress.generation->catalog(), progress.eligible.get());
    if (!progress.list.rows.empty()) {
      progress.understood = older->understood;
      progress.fallback_source = FallbackSource::kCached;
      progress.degradations.insert(progress.degradations.end(), {*reason, DegradationReason::kStaleDataAllowed});
      progress.report(Stage::kFallback, StageOutcome::kOk);
      return true;
    }
  }
  const auto& board = progress.generation->popularity();
  if (board == nullptr) return false;
  hide_eligible(progress);
  if (progress.eligible_count > 0) {
    const auto make = [&, tiers = options_.fallback.tiers()](std::size_t depth) {
      PopularList popular = fallback_list(*board, popular_scope(progress, depth), tiers);
      progress.fallback_source = popular.source;
      return std::move(popular.list);
    };
    if (progress.is_sorted) {
      progress.list = pool_of(make(options_.pool_size));
    } else {
      make_deep_enough(request, progress, make);
    }
    if (progress.list.rows.empty()) return false;
    progress.degradations.push_back(*reason);
    if (keeps_lists) progress.degradations.push_back(DegradationReason::kCacheMiss);
  }
  progress.report(Stage::kFallback, StageOutcome::kOk);
  return true;
}

}  // namespace scalestyle::search
