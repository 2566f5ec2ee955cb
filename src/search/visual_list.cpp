// Photos of articles as a leg or a side of a search, or as the whole of it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "ranking/side_blend.hpp"
#include "search/leg_outcome.hpp"
#include "search/picture_retriever.hpp"
#include "search/progress.hpp"
#include "search/schedule_by.hpp"
#include "search/search_service.hpp"
#include "search/stage_outcome.hpp"
#include "search/visual_request.hpp"

namespace scalestyle::search {

namespace {

// What no other leg may stand in for: the caller is gone, or a limit was reached.
bool is_final(std::optional<DegradationReason> reason) {
  return !reason || *reason == DegradationReason::kDownstreamCapacityRejected;
}

bool is_hybrid(const SearchRequest& request) { return request.visual && request.visual->mode == VisualMode::kHybrid; }

// The ranks of a blended list in the legs of its text's side, and in the photos.
std::vector<std::array<std::uint32_t, ranking::kLegCount>> blended_ranks(
    const ranking::BlendedList& blended, std::span<const std::array<std::uint32_t, ranking::kLegCount>> text) {
  std::vector<std::array<std::uint32_t, ranking::kLegCount>> ranks(blended.rows.size());
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (blended.text_places[i] != ranking::BlendedList::kNowhere) ranks[i] = text[blended.text_places[i]];
    const std::uint32_t photo = blended.image_places[i];
    if (photo != ranking::BlendedList::kNowhere) ranks[i][static_cast<std::size_t>(ranking::Leg::kImage)] = photo + 1;
  }
  return ranks;
}

// A list of one side: its scores scaled, as blend() scales them.
double scaled_score(const RankedList& ranked, std::span<const double> scaled, std::size_t place) {
  return place < ranked.pinned ? 1.0 : scaled[place - ranked.pinned];
}

}  // namespace

std::optional<VectorCache::Statistics> SearchService::picture_cache_stats() const {
  if (pictures_ == nullptr) return std::nullopt;
  return pictures_->cache_statistics();
}

// On a worker; where none was free in time, here: a picture within its limits takes some milliseconds at most.
core::Task<core::Status> SearchService::know_picture(SearchRequest& request) const {
  if (!request.visual) co_return core::Status();
  request.visual->image_hash.clear();
  if (request.visual->image == nullptr || pictures_ == nullptr) co_return core::Status();
  static_cast<void>(co_await schedule_by(use_.pool, use_.timers, leave_reserve(request.deadline, use_.clock)));
  request.visual->image_hash = core::sha256_hex(*request.visual->image);
  co_return core::Status();
}

core::Status SearchService::check_pictures(const SearchRequest& request, const Progress& progress) const {
  if (!request.visual && !request.legs.image) return {};
  if (pictures_ == nullptr) {
    return core::fail(core::ErrorCode::kUnavailable, "this server does not look into pictures: start it with vision_enabled=true",
                      request.visual ? "mode" : "legs");
  }
  const bool has_article = request.visual && request.visual->article;
  if (has_article && !progress.generation->catalog().find(*request.visual->article)) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("there is no article {}", request.visual->article->text()), "article");
  }
  return {};
}

PictureQuery SearchService::picture_query(const SearchRequest& request, const Progress& progress) const {
  PictureQuery query;
  query.context = progress.context;
  query.text = progress.reading.meaning;
  if (!request.visual) {
    query.text_weight = 1;
  } else {
    const VisualQuery& visual = *request.visual;
    const bool has_text = visual.mode == VisualMode::kTextToImage || visual.mode == VisualMode::kMultimodal;
    // A query that only says what articles must be moves nothing.
    if (has_text && !query.text.empty()) query.text_weight = visual.mode == VisualMode::kMultimodal ? visual.text_weight : 1;
    if (visual.mode != VisualMode::kTextToImage) {
      query.image_weight = visual.mode == VisualMode::kMultimodal ? visual.image_weight : 1;
    }
    query.image = visual.image;
    query.image_hash = visual.image_hash;
    query.article = visual.article;
    query.less_like = visual.less_like;
  }
  query.generation = progress.generation;
  query.k = options_.pool_size;
  query.filter = progress.filter;
  query.eligible = progress.eligible;
  query.deadline = progress.inner_deadline;  // something else may be shown
  return query;
}

// It would be the first of all that are like it.
void SearchService::leave_out_article(const SearchRequest& request, Progress& progress) {
  if (!request.visual->article) return;
  const catalog::Catalog& articles = progress.generation->catalog();
  const auto row = articles.find(*request.visual->article);
  if (!row || (progress.eligible != nullptr && !progress.eligible->test(*row))) return;
  catalog::Bitmap others = progress.eligible != nullptr ? *progress.eligible : catalog::Bitmap(articles.size(), true);
  others.reset(*row);
  progress.eligible_count = others.count();
  progress.eligible = std::make_shared<const catalog::Bitmap>(std::move(others));
}

core::Task<core::Status> SearchService::find_photos(Progress& progress) {
  PictureRetriever::PendingRetrieval pending = std::move(progress.picture);
  progress.picture = nullptr;
  PictureOutcome outcome = co_await pictures_->finish(std::move(pending));
  if (!outcome) {
    PictureFailure& failure = outcome.error();
    const bool embedding = failure.stage == DenseStage::kEmbed;
    std::optional<StageReport> search;
    if (!embedding) search = {Stage::kRetrieveImage, outcome_of(failure.error), failure.search};
    progress.report_pair({Stage::kEmbedImage, embedding ? outcome_of(failure.error) : StageOutcome::kOk, failure.embed}, search,
                         failure.ended);
    progress.is_request_fault = failure.is_request_fault;
    const bool refused = failure.error.code == core::ErrorCode::kFailedPrecondition;
    if (!failure.is_request_fault) {
      progress.failure_reason = refused ? DegradationReason::kRetrievalUnavailable : reason_of(failure.stage, failure.error.code);
    }
    co_return std::unexpected(std::move(failure.error));
  }
  progress.report_pair({Stage::kEmbedImage, StageOutcome::kOk, outcome->embed},
                       StageReport{Stage::kRetrieveImage, StageOutcome::kOk, outcome->search}, outcome->ended);
  progress.picture_vector = std::move(outcome->vector);
  auto taken = take_hits(outcome->hits, progress);
  if (!taken) {
    progress.failure_reason = DegradationReason::kRetrievalUnavailable;
    co_return std::unexpected(std::move(taken).error());
  }
  progress.photos = std::move(*taken);
  // Eligible rows without a photo are not there at all.
  progress.photos.is_cut = outcome->hits.hits.size() >= options_.pool_size;
  co_return core::Status();
}

// Which of the legs that failed the others may stand in for.
core::Status SearchService::settle_legs(const SearchRequest& request, const LegOutcome& text, const LegOutcome& photos,
                                        Progress& progress) const {
  if (progress.is_request_fault) return photos.status;
  for (const LegOutcome* leg : {&text, &photos}) {
    if (leg->status || !is_final(leg->reason)) continue;
    progress.failure_reason = leg->reason;
    return leg->status;
  }
  // Words alone are no answer where they may not stand in for meaning.
  if (!text.status && !options_.fallback.allow(FallbackStep::kWords)) {
    progress.words = {};
    progress.named.clear();
  }
  const bool other_side = options_.fallback.allow(FallbackStep::kOtherSide);
  const bool words_found = !progress.words.rows.empty() || !progress.named.empty();
  const bool text_found = words_found || !progress.meaning.rows.empty();
  const bool photos_found = !progress.photos.rows.empty();
  for (const LegOutcome* leg : {&text, &photos}) {
    if (leg->status) continue;
    const bool others_found = leg == &photos ? other_side && text_found : words_found || (other_side && photos_found);
    if (!others_found) {
      progress.failure_reason = leg->reason;
      return leg->status;
    }
    if (*leg->reason == DegradationReason::kInferenceTimeout) progress.ran_out_of_time = true;
    const bool is_side_lost = is_hybrid(request) && (leg == &photos || !words_found);
    if (!is_side_lost) {
      progress.degrade(*leg->reason);
    } else {
      progress.degrade(leg == &photos ? DegradationReason::kHybridImagePathFailedTextOnly
                                      : DegradationReason::kHybridTextPathFailedImageOnly);
    }
  }
  return {};
}

// progress.list is what the text found, or empty.
void SearchService::blend_sides(const SearchRequest& request, Progress& progress) {
  BaseList& list = progress.list;
  const std::vector<double> cosines(progress.photos.scores.begin(), progress.photos.scores.end());
  const ranking::Side text{.rows = list.rows, .scores = list.scores, .weight = request.visual->text_weight,
                           .pinned = progress.named.size()};
  const ranking::Side photos{.rows = progress.photos.rows, .scores = cosines, .weight = request.visual->image_weight};
  ranking::BlendedList blended = ranking::blend(text, photos);
  if (request.explain) list.leg_ranks = blended_ranks(blended, list.leg_ranks);
  if (!list.preferences.empty()) {
    list.preferences.assign(blended.rows.size(), 0);
    progress.generation->understanding().prefer(progress.reading.understood, blended.rows, list.preferences);
  }
  list.rows = std::move(blended.rows);
  list.scores = std::move(blended.scores);
  const bool has_both = is_hybrid(request) && !progress.has_lost(DegradationReason::kHybridTextPathFailedImageOnly) &&
                        !progress.has_lost(DegradationReason::kHybridImagePathFailedTextOnly);
  if (has_both) progress.sides = std::move(blended.sides);
}

// As far as the list is known as it was before anything bent it.
void SearchService::add_side_scores(const Progress& progress, std::vector<AnswerItem>& items) {
  const bool has_text = progress.sides_of.text && !progress.has_lost(DegradationReason::kHybridTextPathFailedImageOnly);
  const bool has_image = progress.sides_of.image && !progress.has_lost(DegradationReason::kHybridImagePathFailedTextOnly);
  if ((!has_text && !has_image) || progress.ranked == nullptr) return;
  const RankedList& ranked = *progress.ranked;
  const std::span<const double> scores(ranked.list.scores);
  const bool has_both = !ranked.sides.empty();
  const auto scaled = has_both ? std::vector<double>() : ranking::scale_to_one(scores.subspan(ranked.pinned));
  for (AnswerItem& item : items) {
    const auto found = std::ranges::find(ranked.list.rows, item.article.row());
    if (found == ranked.list.rows.end()) continue;  // a rule put it there
    const auto place = static_cast<std::size_t>(found - ranked.list.rows.begin());
    if (has_text) item.text_score = has_both ? ranked.sides[place].text : scaled_score(ranked, scaled, place);
    if (has_image) item.image_score = has_both ? ranked.sides[place].image : scaled_score(ranked, scaled, place);
  }
}

}  // namespace scalestyle::search
