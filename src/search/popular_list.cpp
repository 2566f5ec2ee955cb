#include "search/popular_list.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ranking/popularity.hpp"

namespace scalestyle::search {

namespace {

constexpr double kLeastScore = 1e-6;  // of a row of no popularity

BaseList list_of(const recommend::PopularRows& popular) {
  BaseList list;
  list.total = popular.matching;
  list.rows.reserve(popular.rows.size());
  list.scores.reserve(popular.rows.size());
  const double greatest = popular.rows.empty() ? 0 : popular.rows.front().popularity;
  for (const recommend::PopularRow& row : popular.rows) {
    list.rows.push_back(row.row);
    list.scores.push_back(std::max(kLeastScore, ranking::popularity_score(row.popularity, greatest)));
  }
  return list;
}

// Behind the rows with popularity, which are all in `list`: the other eligible ones, up to the depth.
void append_the_others(BaseList& list, const catalog::Bitmap* eligible, std::size_t size, std::size_t depth) {
  catalog::Bitmap others = eligible == nullptr ? catalog::Bitmap(size, true) : *eligible;
  for (const catalog::RowIndex row : list.rows) others.reset(row);
  for (std::size_t word = 0; word < others.words().size() && list.rows.size() < depth; ++word) {
    for (std::uint64_t bits = others.words()[word]; bits != 0 && list.rows.size() < depth; bits &= bits - 1) {
      list.rows.push_back({static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)))});
      list.scores.push_back(kLeastScore);
    }
  }
}

BaseList all_of(const recommend::PopularRows& popular, const recommend::PopularityBoard& board, const PopularScope& scope) {
  BaseList list = list_of(popular);
  list.total = scope.eligible_count;
  list.is_every_eligible_row = true;
  if (list.rows.size() == popular.matching && list.rows.size() < scope.depth) {
    append_the_others(list, scope.eligible, board.snapshot().catalog->size(), scope.depth);
  }
  return list;
}

// The rows with events in the window; the list says which they are where it has not all of them.
BaseList list_of_window(const recommend::PopularRows& popular, const recommend::PopularityBoard& board, events::Window window,
                        const PopularScope& scope) {
  BaseList list = list_of(popular);
  if (!list.is_whole()) list.members = std::make_shared<const catalog::Bitmap>(board.with_events(window, scope.eligible));
  return list;
}

std::optional<FallbackSource> source_of(events::Window window) {
  switch (window) {
    case events::Window::k24h: return FallbackSource::kPopular24h;
    case events::Window::k7d: return FallbackSource::kPopular7d;
    case events::Window::k1h: break;
  }
  return std::nullopt;
}

}  // namespace

BaseList popular_of_all_time(const recommend::PopularityBoard& board, const PopularScope& scope) {
  return all_of(board.top_global(scope.eligible, scope.depth, scope.now_ms), board, scope);
}

BaseList most_purchased(const catalog::Catalog& articles, const PopularScope& scope) {
  struct Bought {
    std::uint64_t count;
    catalog::RowIndex row;
  };
  std::vector<Bought> all;
  all.reserve(scope.eligible_count);
  for (std::uint32_t i = 0; i < articles.size(); ++i) {
    if (scope.eligible == nullptr || scope.eligible->test({i})) all.push_back({articles.row({i}).purchase_count(), {i}});
  }
  const auto depth = static_cast<std::ptrdiff_t>(std::min(scope.depth, all.size()));
  std::ranges::partial_sort(all, all.begin() + depth, [](const Bought& a, const Bought& b) {
    return a.count != b.count ? a.count > b.count : a.row < b.row;
  });
  BaseList list;
  list.total = all.size();
  list.is_every_eligible_row = true;
  const double greatest = all.empty() ? 0 : static_cast<double>(all.front().count);
  for (const Bought& bought : std::span(all).first(static_cast<std::size_t>(depth))) {
    list.rows.push_back(bought.row);
    list.scores.push_back(std::max(kLeastScore, ranking::popularity_score(static_cast<double>(bought.count), greatest)));
  }
  return list;
}

PopularList trending_list(const recommend::PopularityBoard& board, events::Window window, const PopularScope& scope) {
  for (auto at = static_cast<std::size_t>(window); at < events::kWindowCount; ++at) {
    const auto served = static_cast<events::Window>(at);
    const recommend::PopularRows popular = board.top(served, scope.eligible, scope.depth);
    if (popular.matching == 0) continue;
    return {list_of_window(popular, board, served, scope), served == window ? std::nullopt : source_of(served)};
  }
  PopularList all{popular_of_all_time(board, scope), std::nullopt};
  if (all.list.total > 0) all.source = FallbackSource::kGlobalPopular;
  return all;
}

PopularList fallback_list(const recommend::PopularityBoard& board, const PopularScope& scope,
                          std::span<const recommend::PopularityTier> tiers) {
  const recommend::PopularFallback found = board.fallback(scope.eligible, scope.depth, scope.now_ms, tiers);
  switch (found.tier) {
    case recommend::PopularityTier::k24h: return {list_of_window(found.list, board, events::Window::k24h, scope), FallbackSource::kPopular24h};
    case recommend::PopularityTier::k7d: return {list_of_window(found.list, board, events::Window::k7d, scope), FallbackSource::kPopular7d};
    case recommend::PopularityTier::kGlobal: break;
  }
  if (std::ranges::find(tiers, recommend::PopularityTier::kGlobal) == tiers.end()) return {};
  return {all_of(found.list, board, scope), FallbackSource::kGlobalPopular};
}

}  // namespace scalestyle::search
