#include "search/for_you_sources.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "recommend/live_neighbours.hpp"
#include "recommend/popularity_board.hpp"
#include "search/list_sort.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kMaxItems = 100;
constexpr std::size_t kMaxSections = 3;
constexpr std::size_t kRowsOfSection = 100;
constexpr double kLeastShare = 1e-6;  // of a row that is not popular at all, of what the last popular one has
constexpr double kMsPerDay = 86'400'000;

double popularity_of(const ServingGeneration& generation, catalog::RowIndex row, events::EpochMs now_ms) {
  if (generation.popularity() != nullptr) return generation.popularity()->global(row, now_ms);
  return static_cast<double>(generation.catalog().row(row).purchase_count());
}

FallbackSource tier_of(recommend::PopularityTier tier) {
  switch (tier) {
    case recommend::PopularityTier::k24h: return FallbackSource::kPopular24h;
    case recommend::PopularityTier::k7d: return FallbackSource::kPopular7d;
    case recommend::PopularityTier::kGlobal: break;
  }
  return FallbackSource::kGlobalPopular;
}

// Behind what is there, with scores below: those of `all` that are not yet.
void append_all_time(const ServingGeneration& generation, const BaseList& all, const PopularScope& scope, PopularSource& source) {
  catalog::Bitmap there(generation.catalog().size());
  for (const ranking::ScoredRow& row : source.rows) there.set(row.row);
  const double last = source.rows.empty() ? 1 : static_cast<double>(source.rows.back().score);
  double greatest = 0;
  for (const catalog::RowIndex row : all.rows) greatest = std::max(greatest, popularity_of(generation, row, scope.now_ms));
  for (const catalog::RowIndex row : all.rows) {
    if (source.rows.size() >= scope.depth) return;
    if (there.test(row)) continue;
    const double popularity = popularity_of(generation, row, scope.now_ms);
    const double share = popularity > 0 ? std::max(kLeastShare, popularity / greatest) : kLeastShare;
    source.rows.push_back({row, static_cast<float>(last * share)});
  }
}

// The weight of each section among the shopper's items, heaviest first.
std::vector<std::pair<std::uint32_t, double>> section_shares(std::span<const std::uint32_t> codes,
                                                             std::span<const ranking::SubjectItem> items, double half_life_days) {
  std::vector<std::pair<std::uint32_t, double>> shares;
  double sum = 0;
  for (const ranking::SubjectItem& item : items) {
    const double weight = static_cast<double>(item.weight) * std::exp2(-static_cast<double>(item.age_days) / half_life_days);
    const std::uint32_t code = codes[item.row.value];
    auto found = std::ranges::find(shares, code, [](const auto& share) { return share.first; });
    if (found == shares.end()) found = shares.insert(shares.end(), {code, 0.0});
    found->second += weight;
    sum += weight;
  }
  std::ranges::sort(shares, [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  // Items that are very old may all weigh nothing.
  for (auto& share : shares) share.second = sum > 0 ? share.second / sum : 1.0 / static_cast<double>(shares.size());
  return shares;
}

std::vector<ranking::ScoredRow> best_of_section(const ServingGeneration& generation, const catalog::Bitmap& rows, double share,
                                                events::EpochMs now_ms) {
  std::vector<ranking::ScoredRow> best;
  rows.for_each([&](catalog::RowIndex row) {
    const double popularity = popularity_of(generation, row, now_ms);
    if (popularity > 0) best.push_back({row, static_cast<float>(popularity * share)});
  });
  std::erase_if(best, [](const ranking::ScoredRow& row) { return !(row.score > 0); });
  const auto kept = best.begin() + static_cast<std::ptrdiff_t>(std::min(kRowsOfSection, best.size()));
  std::partial_sort(best.begin(), kept, best.end(), [](const ranking::ScoredRow& a, const ranking::ScoredRow& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  });
  best.erase(kept, best.end());
  return best;
}

}  // namespace

std::vector<TouchedItem> touched_items(const catalog::Catalog& articles, const events::SubjectFeatures& features,
                                       const EventWeights& weights) {
  std::vector<TouchedItem> touched;
  std::unordered_map<std::uint32_t, std::size_t> places;
  for (const events::RecentItem& item : features.recent_items) {
    const auto row = articles.find(item.item_id);
    if (!row || !(weights.of(item.type) > 0)) continue;
    const auto [place, is_new] = places.emplace(row->value, touched.size());
    if (is_new) {
      if (touched.size() < kMaxItems) touched.push_back({*row, item.type, item.time_ms});
      continue;
    }
    if (place->second >= touched.size()) continue;
    TouchedItem& before = touched[place->second];
    ++before.times;
    const bool is_newer = item.time_ms > before.time_ms;
    const bool is_stronger = item.time_ms == before.time_ms && weights.of(item.type) > weights.of(before.type);
    if (is_newer || is_stronger) {
      before.type = item.type;
      before.time_ms = item.time_ms;
    }
  }
  std::ranges::stable_sort(touched, [](const TouchedItem& a, const TouchedItem& b) { return a.time_ms > b.time_ms; });
  return touched;
}

std::vector<ranking::SubjectItem> subject_items(std::span<const TouchedItem> touched, const EventWeights& weights,
                                                events::EpochMs now_ms) {
  std::vector<ranking::SubjectItem> items;
  items.reserve(touched.size());
  for (const TouchedItem& item : touched) {
    const double age = std::max(0.0, static_cast<double>(now_ms - item.time_ms) / kMsPerDay);
    items.push_back({.row = item.row,
                     .age_days = static_cast<float>(age),
                     .weight = static_cast<float>(weights.of(item.type)),
                     .bought = item.type == events::EventType::kPurchase,
                     .times = item.times});
  }
  return items;
}

std::vector<ranking::ScoredRow> live_source(const recommend::LiveNeighbours& neighbours, const catalog::Catalog& articles,
                                            std::span<const TouchedItem> touched) {
  std::vector<std::string> ids;
  for (const TouchedItem& item : touched.first(std::min(touched.size(), recommend::LiveNeighbours::kMaxItems))) {
    ids.emplace_back(articles.row(item.row).id());
  }
  std::vector<ranking::ScoredRow> rows;
  for (const recommend::LiveNeighbour& neighbour : neighbours.neighbours_of(ids)) {
    const auto row = articles.find(neighbour.item);
    if (row) rows.push_back({*row, static_cast<float>(neighbour.score)});
  }
  return rows;
}

PopularSource popular_source(const ServingGeneration& generation, const PopularScope& scope) {
  PopularSource source;
  const auto& board = generation.popularity();
  if (board == nullptr) {
    append_all_time(generation, most_purchased(generation.catalog(), scope), scope, source);
  } else {
    const recommend::PopularFallback found = board->fallback(scope.eligible, scope.depth, scope.now_ms);
    source.tier = tier_of(found.tier);
    if (found.tier != recommend::PopularityTier::kGlobal) {
      for (const recommend::PopularRow& row : found.list.rows) source.rows.push_back({row.row, static_cast<float>(row.popularity)});
    }
    if (source.rows.size() < scope.depth) append_all_time(generation, popular_of_all_time(*board, scope), scope, source);
  }
  std::erase_if(source.rows, [](const ranking::ScoredRow& row) { return !(row.score > 0); });
  if (source.rows.empty()) {
    source.tier.reset();
  } else if (!source.tier) {
    source.tier = FallbackSource::kGlobalPopular;
  }
  return source;
}

std::optional<catalog::FilterField> section_field(const catalog::Catalog& articles) {
  using catalog::FilterField;
  for (const FilterField field : {FilterField::kSection, FilterField::kDepartment, FilterField::kGarmentGroup, FilterField::kIndex,
                                  FilterField::kGroup}) {
    if (articles.value_count(attribute_of(field)) > 1) return field;
  }
  return std::nullopt;
}

std::vector<ranking::ScoredRow> section_source(const ServingGeneration& generation, catalog::FilterField field,
                                               std::span<const ranking::SubjectItem> items, double half_life_days,
                                               const PopularScope& scope) {
  const catalog::Catalog& articles = generation.catalog();
  const catalog::Attribute attribute = attribute_of(field);
  std::vector<ranking::ScoredRow> all;
  std::size_t sections = 0;
  for (const auto& [code, share] : section_shares(articles.codes(attribute), items, half_life_days)) {
    if (articles.value_of(attribute, code).empty()) continue;  // of no known section
    if (++sections > kMaxSections) break;
    catalog::Bitmap rows(articles.size());
    articles.rows_by_value(field).add_to(rows, code);
    if (scope.eligible != nullptr) rows &= *scope.eligible;
    const auto best = best_of_section(generation, rows, share, scope.now_ms);
    all.insert(all.end(), best.begin(), best.end());
  }
  std::ranges::stable_sort(all, [](const ranking::ScoredRow& a, const ranking::ScoredRow& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  });
  return all;
}

std::vector<ranking::ScoredRow> newest_source(const ServingGeneration& generation, const PopularScope& scope) {
  const auto rows = generation.orders().first(BrowseSort::kNewest, scope.eligible, scope.depth);
  std::vector<ranking::ScoredRow> newest;
  newest.reserve(rows.size());
  for (std::size_t place = 0; place < rows.size(); ++place) {
    newest.push_back({rows[place], static_cast<float>(score_of_place(place, rows.size()))});
  }
  return newest;
}

}  // namespace scalestyle::search
