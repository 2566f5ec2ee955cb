// From the list that a request found to the page it gets.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "catalog/filters.hpp"
#include "search/list_page.hpp"
#include "search/list_rules.hpp"
#include "search/ordered_list.hpp"
#include "search/progress.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

// What the numbers in a cursor belong to: changes of articles may number rows and products anew within a generation.
std::string numbering_of(const ServingGeneration& generation) {
  return fmt::format("{} {:016x}", generation.info().id.value(), generation.catalog().numbering());
}

std::vector<AnswerItem> items_of(const Progress& progress, const OrderedList& ordered, const Personalizer& personalizer, const CutPage& page) {
  const catalog::Catalog& articles = progress.generation->catalog();
  std::vector<AnswerItem> items;
  items.reserve(page.places.size() - page.first);
  for (std::size_t i = page.first; i < page.places.size(); ++i) {
    const std::size_t at = page.places[i];
    const std::size_t place = ordered.order[at];
    AnswerItem item{articles.row(progress.list.rows[place]), progress.list.scores[place], {}, progress.shown.size() + i + 1};
    personalizer.credit(ordered.head, place, item);
    if (at < ordered.pinned.pins.size()) {
      if (const ranking::PlacedPin* const pin = ordered.pinned.pins[at]; pin != nullptr) {
        item.pinned_by = progress.rules->rules().rules()[pin->rule].id;
      } else {
        item.exploration = std::ranges::find(progress.explored, item.article.row(), &ExploredRow::row)->probability;
      }
    }
    items.push_back(std::move(item));
  }
  return items;
}

std::size_t count_items(const Progress& progress, bool collapse, const CutPage& page) {
  if (progress.list.is_whole()) return page.items;
  const auto rows = shown_rows(*progress.generation, progress.list, progress.eligible.get());
  const std::size_t items = collapse ? progress.generation->products().count(rows) : rows.count();
  // The set may be newer than the rows, where it is of what happens now.
  return std::max(items, page.items);
}

bool is_filtered(const catalog::Filter& filter, std::size_t facet) {
  if (facet == kPriceFacet) return filter.price_min || filter.price_max;
  return !filter.values[facet].empty();
}

// A facet whose own field is filtered is counted as if it were not, so that a shopper sees what else there is. That needs
// the list without the filter, which is at hand where the filters alone make the list.
Facets count_facets(const ListRequest& request, const Progress& progress) {
  const ServingGeneration& generation = *progress.generation;
  const auto by_product = [&](const catalog::Bitmap& rows) { return generation.products().by_product(rows); };
  const auto whole = by_product(shown_rows(generation, progress.list, progress.eligible.get()));
  Facets facets;
  for (std::size_t facet = 0; facet < request.facets.size(); ++facet) {
    if (!request.facets[facet]) continue;
    const bool filtered = is_filtered(request.filter, facet);
    const bool without = filtered && progress.list.is_every_eligible_row;
    std::vector<catalog::RowIndex> others;
    if (without) {
      catalog::Filter filter = request.filter;
      if (facet == kPriceFacet) {
        filter.price_min.reset();
        filter.price_max.reset();
      } else {
        filter.values[facet].clear();
      }
      catalog::Bitmap rows = catalog::eligible(generation.catalog(), filter);
      progress.effects.remove_hidden(rows);
      rows &= generation.available();
      others = by_product(rows);
    }
    const FacetRows counted{without ? others : whole, request.collapse};
    if (facet == kPriceFacet) {
      facets.price = generation.facets().count_prices(counted);
      facets.price->own_filter_applied = filtered && !without;
    } else {
      facets.values.push_back(generation.facets().count_values(static_cast<catalog::FilterField>(facet), counted));
      facets.values.back().own_filter_applied = filtered && !without;
    }
  }
  return facets;
}

// Beside the pins of rules, which win: what was drawn for a place that one has is not shown there.
void place_explored(const Progress& progress, OrderedList& ordered) {
  PinnedHead& head = ordered.pinned;
  for (const ExploredRow& explored : progress.explored) {
    const auto at = std::ranges::lower_bound(head.positions, explored.position);
    if (at != head.positions.end() && *at == explored.position) continue;
    const auto index = at - head.positions.begin();
    const auto behind = ordered.order.begin() + static_cast<std::ptrdiff_t>(head.pins.size());
    const auto found = std::find_if(behind, ordered.order.end(), [&](std::uint32_t place) { return progress.list.rows[place] == explored.row; });
    if (found == ordered.order.end()) continue;
    std::rotate(ordered.order.begin() + index, found, found + 1);
    head.positions.insert(at, explored.position);
    head.pins.insert(head.pins.begin() + index, nullptr);
  }
}

}  // namespace

std::vector<std::uint32_t> ordered_places(const BaseList& list, const BentHead& head) {
  std::vector<std::uint32_t> order(list.rows.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::copy(head.order, order.begin());
  return order;
}

std::vector<catalog::RowIndex> rows_at(const BaseList& list, std::span<const std::uint32_t> places) {
  std::vector<catalog::RowIndex> rows;
  rows.reserve(places.size());
  for (const std::uint32_t place : places) rows.push_back(list.rows[place]);
  return rows;
}

core::Status SearchService::open_cursor(const ListRequest& request, Progress& progress) const {
  if (request.cursor.empty()) return {};
  CORE_TRY(progress.shown, cursors_.read(request.cursor, numbering_of(*progress.generation), progress.fingerprint,
                                         use_.clock.wall_now()));
  return {};
}

std::string SearchService::next_cursor(const Progress& progress, const PageShape& shape, std::vector<std::uint32_t> shown) const {
  if (shape.k == 0) return {};
  const PageCursor cursor{numbering_of(*progress.generation), progress.fingerprint, std::move(shown)};
  return cursors_.write(cursor, use_.clock.wall_now()).value_or("");
}

PageShape SearchService::shape_of(const ListRequest& request, const Progress& progress) const {
  PageShape shape{.offset = request.offset, .k = request.k, .collapse = request.collapse, .shown = progress.shown};
  if (progress.is_sorted) return shape;
  shape.diversity = {.max_per_type = request.max_per_type.value_or(options_.diversity.max_per_type),
                     .max_per_section = request.max_per_section.value_or(options_.diversity.max_per_section),
                     .window = request.diversity_window.value_or(options_.diversity.window)};
  return shape;
}

// How many rows a list that is made to measure begins with: two or three variants a product are usual.
std::size_t SearchService::first_depth(const ListRequest& request, const Progress& progress) const {
  const PageShape shape = shape_of(request, progress);
  const std::size_t items = shape.depth() + shape.shown.size();
  const std::size_t rows = request.collapse ? 3 * items : items;
  return progress.personal || progress.effects.has_factors() ? std::max(rows, options_.pool_size) : rows;
}

PopularScope SearchService::popular_scope(const Progress& progress, std::size_t depth) const {
  return {.eligible = progress.eligible.get(),
          .eligible_count = progress.eligible_count,
          .depth = depth,
          .now_ms = progress.now_ms()};
}

bool SearchService::is_deep_enough(const ListRequest& request, const Progress& progress) const {
  if (progress.list.is_whole()) return true;
  PageShape shape = shape_of(request, progress);
  const std::size_t wanted = shape.depth();
  shape.diversity = {};
  return cut_page(*progress.generation, progress.list.rows, shape).left >= wanted;
}

BentHead SearchService::bend(Progress& progress, SearchAnswer& answer) const {
  if (!progress.personal) return {};
  const ShopperView& shopper = progress.shopper;
  if (shopper.features && shopper.features->personalize) {
    answer.personalized = true;
    if (progress.is_blended) return {};
    return personalizer_.bend(*progress.generation, progress.list, *shopper.features, {options_.pool_size, progress.now_ms()});
  }
  if (!shopper.features && shopper.outcome != StageOutcome::kCancelled) {
    progress.degradations.push_back(DegradationReason::kPersonalizationUnavailable);
    if (use_.features_in_redis) {
      progress.degradations.push_back(shopper.outcome == StageOutcome::kLate ? DegradationReason::kRedisTimeout
                                                                             : DegradationReason::kRedisUnavailable);
    }
  }
  return {};
}

OrderedList SearchService::bring_to_order(Progress& progress, SearchAnswer& answer) const {
  const ServingGeneration& generation = *progress.generation;
  apply_rules_to(progress, answer);
  OrderedList ordered{.head = bend(progress, answer), .order = {}, .pinned = {}};
  if (progress.personal) progress.report(Stage::kPersonalize, answer.personalized ? StageOutcome::kOk : StageOutcome::kSkipped);
  ordered.order = ordered_places(progress.list, ordered.head);
  if (!progress.is_sorted) {
    ordered.pinned = pin_first(generation.catalog(), generation.available(), progress.effects, progress.list, ordered.order);
    place_explored(progress, ordered);
  }
  return ordered;
}

void SearchService::fill_page(const ListRequest& request, Progress& progress, SearchAnswer& answer) const {
  const ServingGeneration& generation = *progress.generation;
  const OrderedList ordered = bring_to_order(progress, answer);
  const auto rows = rows_at(progress.list, ordered.order);
  PageShape shape = shape_of(request, progress);
  shape.pins = ordered.pinned.positions;
  const CutPage page = cut_page(generation, rows, shape);
  answer.items = items_of(progress, ordered, personalizer_, page);
  add_side_scores(progress, answer.items);
  answer.collapsed = request.collapse;
  if (request.collapse) {
    for (AnswerItem& item : answer.items) add_variants(generation, progress.eligible.get(), progress.effects, item);
  }
  answer.total = count_items(progress, request.collapse, page);
  if (page.has_more() && !answer.items.empty()) answer.cursor = next_cursor(progress, shape, shown_after(generation, rows, page, shape));
  if (request.facets.any()) answer.facets = count_facets(request, progress);
  progress.report(Stage::kPage, StageOutcome::kOk);
}

}  // namespace scalestyle::search
