// One article on its way through a search: the search itself is run, and looked into after each step.
#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "catalog/filters.hpp"
#include "search/eligible_search.hpp"
#include "search/list_page.hpp"
#include "search/list_rules.hpp"
#include "search/list_sort.hpp"
#include "search/ordered_list.hpp"
#include "search/progress.hpp"
#include "search/schedule_by.hpp"
#include "search/search_service.hpp"
#include "search/why_not.hpp"

namespace scalestyle::search {

namespace {

bool contains(std::span<const catalog::RowIndex> rows, catalog::RowIndex row) {
  return std::ranges::find(rows, row) != rows.end();
}

// A filter with one field or bound of another.
catalog::Filter one_field(const catalog::Filter& filter, catalog::FilterField field) {
  catalog::Filter one;
  one[field] = filter[field];
  return one;
}

// The parameters that do not let the row pass, which is available.
std::vector<std::string> filters_failed(const catalog::Catalog& articles, const catalog::Filter& filter, catalog::RowIndex row) {
  const auto passes = [&](const catalog::Filter& one) { return one.empty() || catalog::eligible(articles, one).test(row); };
  std::vector<std::string> failed;
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    if (!passes(one_field(filter, field))) failed.emplace_back(catalog::parameter_name(field));
  }
  if (!passes({.values = {}, .price_min = filter.price_min, .price_max = {}})) failed.emplace_back("price_min");
  if (!passes({.values = {}, .price_min = {}, .price_max = filter.price_max})) failed.emplace_back("price_max");
  return failed;
}

bool is_audience(const retrieval::UnderstoodPiece& piece) { return piece.kind == retrieval::PieceKind::kAudience; }

// What the query says that does not let the row pass. Of several audiences one is enough: they are asked together.
std::vector<std::string> pieces_failed(const ServingGeneration& generation, const retrieval::UnderstoodQuery& understood,
                                       catalog::RowIndex row) {
  std::vector<std::string> failed;
  for (const retrieval::UnderstoodPiece& piece : understood.pieces) {
    if (piece.effect == retrieval::PieceEffect::kPrefer) continue;
    const bool with_others = is_audience(piece) && piece.effect == retrieval::PieceEffect::kFilter;
    retrieval::UnderstoodQuery one;
    for (const retrieval::UnderstoodPiece& other : understood.pieces) {
      const bool is_alike = with_others && is_audience(other) && other.effect == piece.effect;
      if (&other == &piece || is_alike) one.pieces.push_back(other);
    }
    catalog::Bitmap rows(generation.catalog().size());
    rows.set(row);
    generation.understanding().restrict(one, generation.catalog(), rows);
    if (rows.none()) failed.push_back(piece.id);
  }
  return failed;
}

// It is left out itself of what is like it.
bool is_own_picture(const SearchRequest& request, const Progress& progress, catalog::RowIndex row) {
  return request.visual && request.visual->article && progress.generation->catalog().find(*request.visual->article) == row;
}

bool is_filtered_out(const Progress& progress, catalog::RowIndex row) {
  const bool is_hidden = progress.effects.is_hidden(row);  // rules take rows out of lists that are all eligible rows
  return progress.eligible != nullptr && !progress.eligible->test(row) && !is_hidden;
}

// The whole list in the order of its page, as items.
CutPage cut_whole(const ServingGeneration& generation, std::span<const catalog::RowIndex> rows, PageShape shape) {
  shape.offset = 0;
  shape.k = rows.size();
  return cut_page(generation, rows, shape);
}

// Where the row's item is among the items.
std::optional<std::size_t> index_of_item(const catalog::Catalog& articles, std::span<const catalog::RowIndex> rows,
                                         const CutPage& whole, catalog::RowIndex row, bool collapse) {
  const auto found = std::ranges::find_if(whole.places, [&](std::uint32_t place) {
    return collapse ? articles.product_of(rows[place]) == articles.product_of(row) : rows[place] == row;
  });
  if (found == whole.places.end()) return std::nullopt;
  return static_cast<std::size_t>(found - whole.places.begin());
}

// The rank that an answer would give to the row's item in a list of this order; nothing where the row is not in it.
std::optional<std::size_t> rank_in(const ServingGeneration& generation, std::span<const catalog::RowIndex> rows,
                                   catalog::RowIndex row, const PageShape& shape) {
  if (!contains(rows, row)) return std::nullopt;
  const auto index = index_of_item(generation.catalog(), rows, cut_whole(generation, rows, shape), row, shape.collapse);
  if (!index) return std::nullopt;
  return shape.shown.size() + *index + 1;
}

// A list's order without pins and limits of diversity.
PageShape plain(PageShape shape) {
  shape.pins = {};
  shape.diversity = {};
  return shape;
}

WhyNotLeg found_by(ranking::Leg leg, const LegRows& found, catalog::RowIndex row) {
  WhyNotLeg place{.leg = leg};
  const auto at = std::ranges::find(found.rows, row);
  if (at == found.rows.end()) return place;
  const auto index = static_cast<std::size_t>(at - found.rows.begin());
  place.recalled = true;
  place.rank = index + 1;
  place.score = static_cast<double>(found.scores[index]);
  return place;
}

std::shared_ptr<const catalog::Bitmap> only(catalog::RowIndex row, std::size_t rows) {
  catalog::Bitmap one(rows);
  one.set(row);
  return std::make_shared<const catalog::Bitmap>(std::move(one));
}

void set_rank(std::size_t rank, WhyNotLeg& leg) {
  leg.rank = rank;
  leg.rank_at_least.reset();
}

// Whether the article is among the hits: then its score is known, and its rank where they are the best of all.
bool take_hit(std::span<const ports::VectorHit> hits, std::string_view article_id, bool are_best, WhyNotLeg& leg) {
  const auto hit = std::ranges::find_if(hits, [&](const auto& one) { return one.article_id.text() == article_id; });
  if (hit == hits.end()) return false;
  if (are_best) set_rank(static_cast<std::size_t>(hit - hits.begin()) + 1, leg);
  leg.score = static_cast<double>(hit->score);
  return true;
}

struct LastOrder {
  const Progress& progress;
  std::span<const catalog::RowIndex> rows;
  const PageShape& shape;
};

// Where the page is in the list, and whether the row, its product or another variant of it comes there.
WhyNotPage place_on_page(const SearchRequest& request, catalog::RowIndex row, const LastOrder& last, WhyNot& why) {
  const catalog::Catalog& articles = last.progress.generation->catalog();
  const std::size_t shown = last.progress.shown.size();
  const std::uint32_t number = request.collapse ? articles.product_of(row) : row.value;
  WhyNotPage page{.before = shown + request.offset, .end = shown + request.offset + request.k};
  page.is_hidden = last.progress.effects.is_hidden(row);
  page.is_listed = contains(last.rows, row);
  page.is_shown_before = std::ranges::binary_search(last.progress.shown, number);
  const CutPage whole = cut_whole(*last.progress.generation, last.rows, last.shape);
  const auto index = index_of_item(articles, last.rows, whole, row, request.collapse);
  if (!index) return page;
  const catalog::RowIndex standing = last.rows[whole.places[*index]];
  if (page.is_listed) why.rank = shown + *index + 1;
  if (standing != row) why.facts.collapsed_into = articles.row(standing).id();
  const std::size_t offset = *index / request.k * request.k;
  if (standing == row && request.cursor.empty() && offset <= kMaxOffset) why.facts.page_offset = offset;
  return page;
}

WhyNot finished(WhyNot why, Progress& progress) {
  why.degradations = std::move(progress.degradations);
  why.stages = std::move(progress.stages);
  why.took = progress.elapsed();
  return why;
}

// Why no list can have the article; nothing where lists may.
std::optional<WhyNotCause> absence(const ServingGeneration& generation, std::optional<catalog::RowIndex> row) {
  if (!row) return WhyNotCause::kUnknownArticle;
  if (generation.catalog().is_removed(*row)) return WhyNotCause::kRemoved;
  if (!generation.available().test(*row)) return WhyNotCause::kUnavailable;
  return std::nullopt;
}

}  // namespace

core::Task<WhyNotOutcome> SearchService::why_not(WhyNotRequest request) {
  request.explain = true;  // neither kept lists nor those of others: how they came about is not known any more
  Progress progress(use_.clock);
  const auto ticket = door_.enter();
  progress.report(Stage::kAdmission, ticket ? StageOutcome::kOk : StageOutcome::kRefused);
  if (!ticket) co_return std::unexpected(refusal(progress));
  static_cast<void>(co_await know_picture(request));
  if (auto failure = prepare<SearchRequest>(request, progress)) co_return std::unexpected(std::move(*failure));
  auto id = catalog::ArticleId::parse(request.article_id);
  if (!id) co_return std::unexpected(progress.failure(std::move(id).error()));
  request.article_id = id->text();

  const auto row = progress.generation->catalog().find_place(request.article_id);
  if (const auto cause = absence(*progress.generation, row)) {
    WhyNot why;
    why.request_id = request.request_id;
    why.article_id = request.article_id;
    conclude(*cause, why);
    co_return finished(std::move(why), progress);
  }
  co_return co_await diagnose(request, *row, progress);
}

core::Task<WhyNotOutcome> SearchService::diagnose(const WhyNotRequest& request, catalog::RowIndex row, Progress& progress) {
  WhyNot why;
  why.request_id = request.request_id;
  why.article_id = request.article_id;
  if (auto begun = begin_search(request, progress); !begun) co_return std::unexpected(progress.failure(std::move(begun).error()));
  // A list of all that the query lets pass is made as deep as its page needs: here it is wanted whole.
  SearchRequest whole = request;
  whole.offset = progress.generation->catalog().size();
  auto found = co_await find_list(whole, progress);
  const bool had_worker = found || progress.filtered;
  if (!had_worker) co_return std::unexpected(progress.failure(std::move(found).error(), progress.failure_reason));
  why.facts.filters_failed = filters_failed(progress.generation->catalog(), request.filter, row);
  why.facts.pieces_failed = pieces_failed(*progress.generation, progress.reading.understood, row);
  if (is_own_picture(request, progress, row)) why.facts.filters_failed.emplace_back("article");
  const bool fails = !why.facts.filters_failed.empty() || !why.facts.pieces_failed.empty();
  if (fails || is_filtered_out(progress, row)) {
    conclude(WhyNotCause::kFiltered, why);
    co_return finished(std::move(why), progress);
  }
  if (!found) co_return std::unexpected(progress.failure(std::move(found).error(), progress.failure_reason));
  if (auto followed = co_await follow_list(request, row, progress, why); !followed) {
    co_return std::unexpected(progress.failure(std::move(followed).error()));
  }
  follow_to_page(request, row, progress, why);
  co_return finished(std::move(why), progress);
}

// As run() goes on with a list that was found.
core::Task<core::Status> SearchService::follow_list(const SearchRequest& request, catalog::RowIndex row, Progress& progress,
                                                    WhyNot& why) {
  const ServingGeneration& generation = *progress.generation;
  const PageShape shape = plain(shape_of(request, progress));
  WhyNotFacts& facts = why.facts;
  facts.pool = progress.list.rows.size();
  facts.is_named = contains(progress.named, row);
  facts.fused_rank = rank_in(generation, progress.list.rows, row, shape);
  if (const auto at = std::ranges::find(progress.list.rows, row); at != progress.list.rows.end()) {
    facts.fused_score = progress.list.scores[static_cast<std::size_t>(at - progress.list.rows.begin())];
  }
  static_cast<void>(co_await rerank_list(request, progress));
  if (progress.reranked.depth() > 0) facts.reranked_rank = rank_in(generation, progress.list.rows, row, shape);
  if (const auto* judged = progress.reranked.judgement(row)) facts.cross_encoder = {judged->score, judged->logit};
  const bool has_rules = progress.list.is_every_eligible_row;  // such a list is made by them, and in its order
  if (!has_rules) CORE_CO_CHECK(find_rules(request, ranking::RuleList::kSearch, request.query, progress));
  if (progress.pending != nullptr) static_cast<void>(co_await finish_read(progress));
  if (!has_rules) sort_list(generation, request.sort, progress.now_ms(), progress.list);
  if (progress.is_sorted) facts.sorted_rank = rank_in(generation, progress.list.rows, row, shape);

  // What the search itself does not need comes last: it has the time that is left, and is no stage of the search.
  if (request.legs.lexical) CORE_CO_CHECK(co_await ask_words(row, progress, why));
  if (request.legs.dense) CORE_CO_CHECK(co_await ask_meaning(row, progress, why));
  if (request.visual || request.legs.image) CORE_CO_CHECK(co_await ask_photos(request, row, progress, why));
  for (WhyNotLeg& leg : facts.legs) {
    leg.item_rank = rank_in(generation, progress.found_by(leg.leg).rows, row, shape);
  }
  progress.stage_began = progress.clock.steady_now();
  co_return core::Status();
}

core::Task<core::Status> SearchService::ask_words(catalog::RowIndex row, Progress& progress, WhyNot& why) const {
  WhyNotLeg leg = found_by(ranking::Leg::kLexical, progress.words, row);
  leg.searched = progress.plan.has_value() && !progress.reading.words.empty();
  if (leg.searched && !leg.recalled) {
    const retrieval::LexicalIndex& index = progress.generation->lexical();
    // What a named row has of the words, not what puts it first.
    const float score = why.facts.is_named ? index.explain(*progress.plan, row).score : index.score(*progress.plan, row);
    leg.score = static_cast<double>(score);
    leg.recalled = why.facts.is_named;
    if (!leg.recalled && *leg.score > 0) {
      leg.rank_at_least = progress.words.rows.size() + 1;
      const auto on_worker = co_await schedule_by(use_.pool, use_.timers, progress.inner_deadline);
      if (!on_worker && on_worker.error().code == core::ErrorCode::kCancelled) co_return on_worker;
      if (on_worker) {
        const auto all = index.search(*progress.plan, progress.eligible.get(), progress.generation->catalog().size());
        std::size_t rank = 0;
        for (const retrieval::LexicalHit& hit : all.hits) {
          if (!hit.is_named) ++rank;
          if (hit.row == row) set_rank(rank, leg);
        }
      }
    }
  }
  why.facts.legs.push_back(leg);
  co_return core::Status();
}

core::Task<core::Status> SearchService::ask_meaning(catalog::RowIndex row, Progress& progress, WhyNot& why) {
  WhyNotLeg leg = found_by(ranking::Leg::kDense, progress.meaning, row);
  leg.searched = !progress.meaning.rows.empty();
  if (leg.searched && !leg.recalled) {
    if (progress.meaning.is_cut) leg.rank_at_least = progress.meaning.rows.size() + 1;
    DenseQuery query;
    query.text = progress.embedded_text;
    query.generation = progress.generation;
    query.k = std::min(kMostVectorHits, progress.eligible_count);
    query.filter = progress.filter;
    query.eligible = progress.eligible;
    query.deadline = progress.inner_deadline;
    DenseOutcome deeper = co_await dense_.retrieve(query);
    if (deeper) {
      const bool has_it = take_hit(deeper->hits.hits, why.article_id, true, leg);
      if (!has_it && deeper->hits.hits.size() == query.k) {
        // The index gives no more at once: the article is asked for alone, which gives its score.
        leg.rank_at_least = query.k + 1;
        query.k = 1;
        query.eligible = only(row, progress.generation->catalog().size());
        deeper = co_await dense_.retrieve(std::move(query));
        if (deeper) take_hit(deeper->hits.hits, why.article_id, false, leg);
      }
    }
    const bool is_gone = !deeper && deeper.error().error.code == core::ErrorCode::kCancelled;
    if (is_gone) co_return std::unexpected(std::move(deeper.error().error));
  }
  why.facts.legs.push_back(leg);
  co_return core::Status();
}

// An article without a photo is in no answer of theirs.
core::Task<core::Status> SearchService::ask_photos(const SearchRequest& request, catalog::RowIndex row, Progress& progress,
                                                   WhyNot& why) {
  WhyNotLeg leg = found_by(ranking::Leg::kImage, progress.photos, row);
  leg.searched = progress.picture_vector != nullptr;
  if (leg.searched && !leg.recalled) {
    if (progress.photos.is_cut) leg.rank_at_least = progress.photos.rows.size() + 1;
    PictureQuery query = picture_query(request, progress);
    query.k = std::min(kMostVectorHits, progress.eligible_count);
    auto deeper = co_await pictures_->search_again(progress.picture_vector, query);
    if (deeper && !take_hit(deeper->hits, why.article_id, true, leg)) {
      if (deeper->hits.size() == query.k) {
        leg.rank_at_least = query.k + 1;
        query.k = 1;
        query.eligible = only(row, progress.generation->catalog().size());
        deeper = co_await pictures_->search_again(progress.picture_vector, std::move(query));
        if (deeper) take_hit(deeper->hits, why.article_id, false, leg);
      } else {
        leg.rank_at_least.reset();
      }
    }
    const bool is_gone = !deeper && deeper.error().code == core::ErrorCode::kCancelled;
    if (is_gone) co_return std::unexpected(std::move(deeper).error());
  }
  why.facts.legs.push_back(leg);
  co_return core::Status();
}

void SearchService::follow_to_page(const SearchRequest& request, catalog::RowIndex row, Progress& progress,
                                   WhyNot& why) const {
  const ServingGeneration& generation = *progress.generation;
  const catalog::Catalog& articles = generation.catalog();
  WhyNotFacts& facts = why.facts;
  SearchAnswer acted;
  const OrderedList ordered = bring_to_order(progress, acted);
  const BaseList& list = progress.list;
  PageShape shape = shape_of(request, progress);
  if (!progress.effects.empty()) {
    facts.ruled_rank = rank_in(generation, list.rows, row, plain(shape));
    facts.rules = rules_on(*progress.rules, progress.effects, row);
    if (!progress.is_sorted) facts.rule_factor = progress.effects.factor(row);
    for (auto& skipped : acted.rules.skipped_pins) {
      const bool is_its = skipped.target == why.article_id || skipped.target == articles.row(row).product_code();
      if (is_its) facts.skipped_pins.push_back(std::move(skipped));
    }
  }
  if (acted.personalized) {
    facts.personal_rank = rank_in(generation, rows_at(list, ordered_places(list, ordered.head)), row, plain(shape));
  }
  if (const auto at = std::ranges::find(list.rows, row); at != list.rows.end()) {
    const auto place = static_cast<std::size_t>(at - list.rows.begin());
    AnswerItem item{articles.row(row), list.scores[place]};
    personalizer_.credit(ordered.head, place, item);
    facts.score = item.score;
    facts.boost = item.boost;
  }

  const auto rows = rows_at(list, ordered.order);
  shape.pins = ordered.pinned.positions;
  const auto at = static_cast<std::size_t>(std::ranges::find(rows, row) - rows.begin());
  if (at < ordered.pinned.pins.size()) facts.pinned_by = progress.rules->rules().rules()[ordered.pinned.pins[at]->rule].id;
  if (!shape.pins.empty()) {
    PageShape pinned = shape;
    pinned.diversity = {};
    facts.pinned_rank = rank_in(generation, rows, row, pinned);
  }
  if (shape.diversity.active()) facts.diverse_rank = rank_in(generation, rows, row, shape);
  progress.report(Stage::kPage, StageOutcome::kOk);
  conclude(place_on_page(request, row, {progress, rows, shape}, why), why);
}

}  // namespace scalestyle::search
