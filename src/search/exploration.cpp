#include "search/exploration.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/hash.hpp"
#include "recommend/popularity_board.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kNewest = 200;

// The number-th 64 random bits of a request.
std::uint64_t random_bits(std::string_view request_id, std::size_t number) {
  const core::Sha256Digest digest = core::sha256(fmt::format("exploration {} {}", number, request_id));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(bits); ++i) bits = bits << 8U | digest[i];
  return bits;
}

// In [0, 1).
double random_share(std::uint64_t bits) { return static_cast<double>(bits >> 11U) * 0x1p-53; }

bool is_unknown(const ServingGeneration& generation, catalog::RowIndex row, events::EpochMs now_ms) {
  const auto& board = generation.popularity();
  if (board != nullptr && board->global(row, now_ms) > 0) return false;
  return generation.catalog().row(row).purchase_count() == 0;
}

}  // namespace

bool explores(const ExplorationOptions& options, std::string_view request_id) {
  return !request_id.empty() && options.rate > 0 && random_share(random_bits(request_id, 0)) < options.rate;
}

std::vector<catalog::RowIndex> exploration_pool(const ServingGeneration& generation, const PopularScope& scope,
                                                std::span<const catalog::RowIndex> shown, bool collapse) {
  const catalog::Catalog& articles = generation.catalog();
  catalog::Bitmap rows(articles.size());
  for (const catalog::RowIndex row : generation.orders().first(BrowseSort::kNewest, scope.eligible, kNewest)) rows.set(row);
  for (std::uint32_t i = 0; i < articles.size(); ++i) {
    const bool is_eligible = scope.eligible == nullptr || scope.eligible->test({i});
    if (is_eligible && is_unknown(generation, {i}, scope.now_ms)) rows.set({i});
  }
  rows &= generation.available();
  catalog::Bitmap taken(articles.product_count());
  for (const catalog::RowIndex row : shown) taken.set({articles.product_of(row)});
  std::vector<catalog::RowIndex> pool;
  rows.for_each([&](catalog::RowIndex row) {
    const catalog::RowIndex product{articles.product_of(row)};
    if (taken.test(product)) return;
    pool.push_back(row);
    if (collapse) taken.set(product);
  });
  return pool;
}

std::vector<ExploredRow> draw(const ExplorationOptions& options, std::string_view request_id, std::vector<catalog::RowIndex> pool,
                              std::size_t last_position) {
  std::vector<ExploredRow> drawn;
  const double probability = pool.empty() ? 0 : options.rate / static_cast<double>(pool.size());
  for (const std::size_t position : options.positions) {
    if (position > last_position || drawn.size() == pool.size()) break;
    const std::size_t left = pool.size() - drawn.size();
    const auto chosen = drawn.size() + static_cast<std::size_t>(random_bits(request_id, position) % left);
    std::swap(pool[drawn.size()], pool[chosen]);
    drawn.push_back({pool[drawn.size()], position, probability});
  }
  return drawn;
}

}  // namespace scalestyle::search
