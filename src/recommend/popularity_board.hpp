#pragma once
// PopularityBoard: how popular each row of one served generation is now, in dense columns: three windows of live
// events, the decayed global score, and the prior of past purchases. Kept up to date by Popularity; what was read last
// stays when the feature store fails.
//
// Thread safety: every method from any thread. Readers see each number whole, old or new; a complete answer of the store
// replaces all at once. Readers take a lock for nanoseconds only; changes wait for each other.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "catalog/bitmap.hpp"
#include "events/features.hpp"
#include "ports/catalog_store.hpp"
#include "ports/feature_store.hpp"
#include "ranking/behavior_boost.hpp"
#include "recommend/popular_rows.hpp"
#include "recommend/popularity_columns.hpp"
#include "recommend/rising_rows.hpp"

namespace scalestyle::recommend {

// The lists of the fallback, best first. The global one is purchases of the past plus live events.
enum class PopularityTier : std::uint8_t { k24h, k7d, kGlobal };
inline constexpr std::array kPopularityTiers{PopularityTier::k24h, PopularityTier::k7d, PopularityTier::kGlobal};

struct PopularFallback {
  PopularityTier tier = PopularityTier::kGlobal;
  PopularRows list{};
};

// ln(1 + sum) of each window for some candidates: what ranking::BoostCandidates takes. Reusable.
struct WindowLogs {
  std::array<std::vector<double>, events::kWindowCount> values{};

  [[nodiscard]] std::array<std::span<const double>, ranking::kBoostWindows> spans() const {
    return {values[0], values[1], values[2]};
  }
};

struct PopularityBoardOptions {
  double purchase_weight = 5;
  double global_half_life_seconds = 48 * 3'600.0;  // FeatureOptions::global_half_life_seconds
  // A tier of the fallback answers when it has this many rows, or when no later one has more.
  std::size_t min_tier_rows = 10;

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

class PopularityBoard {
 public:
  // Priors only, until the first complete answer. `options` must be valid, `snapshot` not null.
  PopularityBoard(std::shared_ptr<const ports::CatalogSnapshot> snapshot, const PopularityBoardOptions& options);
  PopularityBoard(const PopularityBoard&) = delete;
  PopularityBoard& operator=(const PopularityBoard&) = delete;

  [[nodiscard]] const ports::CatalogSnapshot& snapshot() const { return *snapshot_; }

  // The most popular `limit` rows of a window; with `eligible` (of the generation's size), only of those.
  [[nodiscard]] PopularRows top(events::Window window, const catalog::Bitmap* eligible, std::size_t limit) const;
  [[nodiscard]] PopularRows top_global(const catalog::Bitmap* eligible, std::size_t limit, events::EpochMs now_ms) const;
  [[nodiscard]] PopularRows top(PopularityTier tier, const catalog::Bitmap* eligible, std::size_t limit,
                                events::EpochMs now_ms) const;

  // The rows that top() of the window counts as matching.
  [[nodiscard]] catalog::Bitmap with_events(events::Window window, const catalog::Bitmap* eligible) const;

  // The rows of which more happens in the window than before it (ranking/rising.hpp), at most `limit`: 1 h against the 23 h before
  // it, 24 h against the six days before. Both are what the window's and the next longer one's sums differ by, so their limits
  // are exact to a bucket of the longer one; where that leaves less than nothing, nothing happened before. `window` is not k7d, which has
  // no longer one; `options` must be valid.
  [[nodiscard]] RisingRows rising(events::Window window, const catalog::Bitmap* eligible, std::size_t limit,
                                  const ranking::RisingOptions& options = {}) const;

  // The first of `tiers`, whose order is the enum's, with rows enough (min_tier_rows): empty only when no eligible row has ever been
  // bought or touched, or not within the windows of `tiers`. An empty list is the global one.
  [[nodiscard]] PopularFallback fallback(const catalog::Bitmap* eligible, std::size_t limit, events::EpochMs now_ms,
                                         std::span<const PopularityTier> tiers = kPopularityTiers) const;

  // What a boost needs of each row, in the order of `rows`. About a microsecond for 100 rows.
  void gather(std::span<const catalog::RowIndex> rows, WindowLogs& logs) const;

  [[nodiscard]] double window_sum(events::Window window, catalog::RowIndex row) const;
  [[nodiscard]] double prior(catalog::RowIndex row) const { return priors_[row.value]; }
  // Prior plus live score decayed to `now_ms`.
  [[nodiscard]] double global(catalog::RowIndex row, events::EpochMs now_ms) const;

  // What the board holds of the store.
  struct State {
    std::uint64_t version = 0;    // ask the store for what changed since
    std::int64_t bucket = -1;     // of the shortest buckets, in which the newest complete answer was read; −1: none yet
  };
  [[nodiscard]] State state() const;

  // Takes what the store gave as of `now_ms` when asked for what changed since `since`. Items that the catalogue lacks
  // are passed over. False, changing nothing, when it is not to be taken: changes that do not go on from what the board
  // holds (another caller's answer came first and has them, or a newer bucket has begun).
  bool take(const ports::PopularityChanges& changes, std::uint64_t since, events::EpochMs now_ms);

  // The live numbers of another generation's board, by article id: for a start while the store is away.
  void take_over(const PopularityBoard& other);

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  [[nodiscard]] std::shared_ptr<Columns> columns() const;

  std::shared_ptr<const ports::CatalogSnapshot> snapshot_;
  PopularityBoardOptions options_;
  std::vector<double> priors_;

  mutable std::mutex update_mutex_;   // one change at a time
  mutable std::mutex columns_mutex_;  // held to copy or replace the pointer alone
  std::shared_ptr<Columns> columns_;  // guarded by columns_mutex_
  State state_{};                     // guarded by columns_mutex_
};

// The number of the shortest bucket of the windows that a time lies in: window sums fall only when it changes.
[[nodiscard]] std::int64_t bucket_of(events::EpochMs time_ms);
inline constexpr std::int64_t kShortestBucketMs = 1'000 * std::min({events::kWindows[0].bucket_seconds,
                                                                    events::kWindows[1].bucket_seconds,
                                                                    events::kWindows[2].bucket_seconds});

}  // namespace scalestyle::recommend
