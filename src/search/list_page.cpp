#include "search/list_page.hpp"

#include <algorithm>
#include <numeric>

#include "ranking/collapse.hpp"

namespace scalestyle::search {

namespace {

std::uint32_t item_number(const catalog::Catalog& articles, catalog::RowIndex row, bool collapse) {
  return collapse ? articles.product_of(row) : row.value;
}

ranking::NumberSet number_set(const catalog::Catalog& articles, const PageShape& shape) {
  const std::size_t bound = shape.collapse ? articles.product_count() : articles.size();
  ranking::NumberSet set(bound);
  for (const std::uint32_t number : shape.shown) {
    if (number < bound) set.add(number);
  }
  return set;
}

// The places in `rows` of its items, best first.
std::vector<std::uint32_t> item_places(const ServingGeneration& generation, std::span<const catalog::RowIndex> rows, bool collapse) {
  const catalog::Bitmap& available = generation.available();
  std::vector<std::uint32_t> places;
  if (std::ranges::all_of(rows, [&](catalog::RowIndex row) { return available.test(row); })) {
    if (collapse) return ranking::collapse(generation.catalog(), rows);
    places.resize(rows.size());
    std::iota(places.begin(), places.end(), 0U);
    return places;
  }
  std::vector<catalog::RowIndex> kept;
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (!available.test(rows[place])) continue;
    kept.push_back(rows[place]);
    places.push_back(place);
  }
  if (!collapse) return places;
  auto firsts = ranking::collapse(generation.catalog(), kept);
  for (std::uint32_t& place : firsts) place = places[place];
  return firsts;
}

void make_diverse(const catalog::Catalog& articles, std::span<const catalog::RowIndex> rows, const PageShape& shape,
                  std::vector<std::uint32_t>& places) {
  const auto types = articles.codes(catalog::Attribute::kProductType);
  const auto sections = articles.codes(catalog::Attribute::kSection);
  std::vector<ranking::DiversityKeys> keys;
  keys.reserve(places.size());
  for (const std::uint32_t place : places) keys.push_back({types[rows[place].value], sections[rows[place].value]});
  auto order = ranking::diversify(keys, shape.diversity, shape.offset + shape.k);
  for (std::uint32_t& place : order) place = places[place];
  places = std::move(order);
}

// Puts the places of pinned rows, which come first in `rows`, where their pins say.
void place_pins(const PageShape& shape, std::span<const std::uint32_t> pinned, std::vector<std::uint32_t>& others) {
  std::vector<ranking::PinnedItem> items;
  for (const std::uint32_t place : pinned) items.push_back({place, shape.pins[place]});
  others = ranking::merge_pins(others, items, shape.shown.size());
}

std::vector<std::uint32_t> take_pinned(const PageShape& shape, std::vector<std::uint32_t>& places) {
  const auto end = std::ranges::lower_bound(places, shape.pins.size());
  std::vector<std::uint32_t> pinned(places.begin(), end);
  places.erase(places.begin(), end);
  return pinned;
}

}  // namespace

std::size_t PageShape::depth() const {
  const std::size_t page = offset + k + 1;
  return diversity.active() ? std::max(page, ranking::kDiversityDepth) : page;
}

CutPage cut_page(const ServingGeneration& generation, std::span<const catalog::RowIndex> rows, const PageShape& shape) {
  const catalog::Catalog& articles = generation.catalog();
  CutPage page;
  page.places = item_places(generation, rows, shape.collapse);
  page.items = page.places.size();
  if (!shape.shown.empty()) {
    const auto shown = number_set(articles, shape);
    std::erase_if(page.places, [&](std::uint32_t place) {
      return shown.contains(item_number(articles, rows[place], shape.collapse));
    });
  }
  page.left = page.places.size();
  const auto pinned = take_pinned(shape, page.places);
  if (shape.diversity.active()) make_diverse(articles, rows, shape, page.places);
  if (!pinned.empty()) place_pins(shape, pinned, page.places);
  page.places.resize(std::min(page.left, shape.offset + shape.k));
  page.first = std::min(shape.offset, page.places.size());
  return page;
}

std::vector<std::uint32_t> shown_after(const ServingGeneration& generation, std::span<const catalog::RowIndex> rows,
                                       const CutPage& page, const PageShape& shape) {
  auto shown = number_set(generation.catalog(), shape);
  for (const std::uint32_t place : page.places) shown.add(item_number(generation.catalog(), rows[place], shape.collapse));
  return shown.numbers();
}

catalog::Bitmap shown_rows(const ServingGeneration& generation, const BaseList& list, const catalog::Bitmap* eligible) {
  const catalog::Bitmap* const all = list.members != nullptr ? list.members.get() : eligible;
  if (!list.is_whole()) {
    if (all == nullptr) return generation.available();
    catalog::Bitmap rows = *all;
    rows &= generation.available();
    return rows;
  }
  catalog::Bitmap rows(generation.catalog().size());
  for (const catalog::RowIndex row : list.rows) rows.set(row);
  rows &= generation.available();
  return rows;
}

void add_variants(const ServingGeneration& generation, const catalog::Bitmap* eligible, const ranking::RuleEffects& effects, AnswerItem& item) {
  const catalog::Catalog& articles = generation.catalog();
  const catalog::RowIndex shown = item.article.row();
  const auto rows = articles.rows_of_product(articles.product_of(shown));
  const auto add = [&](bool matching) {
    for (const catalog::RowIndex row : rows) {
      const bool matches = eligible == nullptr || eligible->test(row);
      if (row == shown || matches != matching || !generation.available().test(row) || effects.is_hidden(row)) continue;
      ++item.variants_total;
      if (item.variants.size() < kMaxVariants) item.variants.push_back({articles.row(row), matches});
    }
  };
  add(true);
  if (eligible != nullptr) add(false);
}

}  // namespace scalestyle::search
