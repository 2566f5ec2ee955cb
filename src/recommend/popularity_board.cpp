#include "recommend/popularity_board.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "ranking/popularity.hpp"
#include "recommend/best_rows.hpp"

namespace scalestyle::recommend {

namespace {

std::vector<double> make_priors(const ports::CatalogSnapshot& snapshot, const PopularityBoardOptions& options) {
  ranking::PurchaseScale scale{.purchase_weight = options.purchase_weight,
                               .half_life_seconds = options.global_half_life_seconds};
  // Whoever made the snapshot has checked its dates; without them the scale's own period stands.
  if (const auto period = ranking::purchase_period_seconds(snapshot.info.purchases_from, snapshot.info.purchases_to)) {
    scale.period_seconds = *period;
  }
  std::vector<double> priors(snapshot.catalog->size());
  for (std::uint32_t row = 0; row < priors.size(); ++row) {
    priors[row] = ranking::purchase_prior(snapshot.catalog->row(catalog::RowIndex{row}).purchase_count(), scale);
  }
  return priors;
}

}  // namespace

std::int64_t bucket_of(events::EpochMs time_ms) { return time_ms / kShortestBucketMs; }

core::Status PopularityBoardOptions::validate() const {
  const auto bad = [](std::string message, std::string setting) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(setting));
  };
  if (!std::isfinite(purchase_weight) || purchase_weight < 0) {
    return bad(fmt::format("the weight of a purchase is {}, it must be a number of at least 0", purchase_weight),
               "weight_purchase");
  }
  if (!std::isfinite(global_half_life_seconds) || global_half_life_seconds < 60) {
    return bad(fmt::format("the half-life of global popularity is {} s, it must be at least 60 s", global_half_life_seconds),
               "popularity_half_life");
  }
  return {};
}

PopularityBoard::PopularityBoard(std::shared_ptr<const ports::CatalogSnapshot> snapshot, const PopularityBoardOptions& options)
    : snapshot_(std::move(snapshot)),
      options_(options),
      priors_(make_priors(*snapshot_, options_)),
      columns_(std::make_shared<Columns>(priors_.size(), 0, options_.global_half_life_seconds)) {}

std::shared_ptr<Columns> PopularityBoard::columns() const {
  const std::lock_guard lock(columns_mutex_);
  return columns_;
}

PopularityBoard::State PopularityBoard::state() const {
  const std::lock_guard lock(columns_mutex_);
  return state_;
}

PopularRows PopularityBoard::top(events::Window window, const catalog::Bitmap* eligible, std::size_t limit) const {
  const auto live = columns();
  const std::atomic<double>* const sums = live->sums(static_cast<std::size_t>(window));
  return best_rows(priors_.size(), eligible, limit,
                   [sums](std::size_t row) { return sums[row].load(std::memory_order_relaxed); });
}

catalog::Bitmap PopularityBoard::with_events(events::Window window, const catalog::Bitmap* eligible) const {
  const auto live = columns();
  const std::atomic<double>* const sums = live->sums(static_cast<std::size_t>(window));
  catalog::Bitmap rows(priors_.size());
  for (std::uint32_t row = 0; row < priors_.size(); ++row) {
    if (sums[row].load(std::memory_order_relaxed) > 0) rows.set(catalog::RowIndex{row});
  }
  if (eligible != nullptr) rows &= *eligible;
  return rows;
}

RisingRows PopularityBoard::rising(events::Window window, const catalog::Bitmap* eligible, std::size_t limit,
                                   const ranking::RisingOptions& options) const {
  assert(window != events::Window::k7d);
  const auto longer = static_cast<events::Window>(static_cast<std::size_t>(window) + 1);
  const auto seconds = [](events::Window of) { return static_cast<double>(events::shape(of).bucket_seconds * events::shape(of).buckets); };
  RisingRows found;
  found.lengths = (seconds(longer) - seconds(window)) / seconds(window);
  const auto live = columns();
  const auto look_at = [&](catalog::RowIndex row) {
    const double now = live->sum(static_cast<std::size_t>(window), row.value);
    if (!(now > 0)) return;
    const double before = std::max(0.0, live->sum(static_cast<std::size_t>(longer), row.value) - now);
    const ranking::Rise rise = ranking::rise_of(now, before, found.lengths, options);
    if (rise.bound > 0) found.rows.push_back({row, now, before, rise});
  };
  if (eligible != nullptr) {
    eligible->for_each(look_at);
  } else {
    for (std::uint32_t row = 0; row < priors_.size(); ++row) look_at({row});
  }
  found.matching = found.rows.size();
  const auto kept = found.rows.begin() + static_cast<std::ptrdiff_t>(std::min(limit, found.rows.size()));
  std::ranges::partial_sort(found.rows, kept, [](const RisingRow& a, const RisingRow& b) {
    return a.rise.bound != b.rise.bound ? a.rise.bound > b.rise.bound : a.row < b.row;
  });
  found.rows.erase(kept, found.rows.end());
  return found;
}

PopularRows PopularityBoard::top_global(const catalog::Bitmap* eligible, std::size_t limit, events::EpochMs now_ms) const {
  const auto live = columns();
  const double decay = live->decay_to(now_ms);
  const double* const priors = priors_.data();
  const std::atomic<double>* const globals = live->globals_at_reference();
  return best_rows(priors_.size(), eligible, limit, [priors, globals, decay](std::size_t row) {
    return priors[row] + decay * globals[row].load(std::memory_order_relaxed);
  });
}

PopularRows PopularityBoard::top(PopularityTier tier, const catalog::Bitmap* eligible, std::size_t limit,
                                 events::EpochMs now_ms) const {
  switch (tier) {
    case PopularityTier::k24h: return top(events::Window::k24h, eligible, limit);
    case PopularityTier::k7d: return top(events::Window::k7d, eligible, limit);
    case PopularityTier::kGlobal: break;
  }
  return top_global(eligible, limit, now_ms);
}

PopularFallback PopularityBoard::fallback(const catalog::Bitmap* eligible, std::size_t limit, events::EpochMs now_ms,
                                          std::span<const PopularityTier> tiers) const {
  PopularFallback fullest;
  bool first = true;
  for (const PopularityTier tier : tiers) {
    PopularRows list = top(tier, eligible, limit, now_ms);
    const bool enough = list.matching >= std::max<std::size_t>(options_.min_tier_rows, 1);
    if (first || list.matching > fullest.list.matching) fullest = {tier, std::move(list)};
    if (enough) break;
    first = false;
  }
  if (fullest.list.matching == 0) fullest.tier = PopularityTier::kGlobal;
  return fullest;
}

void PopularityBoard::gather(std::span<const catalog::RowIndex> rows, WindowLogs& logs) const {
  const auto live = columns();
  for (auto& values : logs.values) values.resize(rows.size());
  double* const first = logs.values[0].data();
  double* const second = logs.values[1].data();
  double* const third = logs.values[2].data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    first[i] = live->log(0, rows[i].value);
    second[i] = live->log(1, rows[i].value);
    third[i] = live->log(2, rows[i].value);
  }
}

double PopularityBoard::window_sum(events::Window window, catalog::RowIndex row) const {
  return columns()->sum(static_cast<std::size_t>(window), row.value);
}

double PopularityBoard::global(catalog::RowIndex row, events::EpochMs now_ms) const {
  const auto live = columns();
  return priors_[row.value] + live->decay_to(now_ms) * live->global_at_reference(row.value);
}

bool PopularityBoard::take(const ports::PopularityChanges& changes, std::uint64_t since, events::EpochMs now_ms) {
  const auto put_into = [&](Columns& columns) {
    for (const events::ItemPopularity& item : changes.items) {
      if (const auto row = snapshot_->catalog->find(item.item_id)) columns.set(*row, item, now_ms);
    }
  };
  const std::int64_t bucket = bucket_of(now_ms);
  if (since > 0 && bucket != state().bucket) return false;
  if (changes.complete) {
    // Built aside: readers and small changes go on meanwhile. Changes that come between are asked for again, since the
    // version goes back with the numbers.
    auto fresh = std::make_shared<Columns>(priors_.size(), now_ms, options_.global_half_life_seconds);
    put_into(*fresh);
    const std::lock_guard updating(update_mutex_);
    const std::lock_guard lock(columns_mutex_);
    columns_.swap(fresh);
    state_ = {.version = changes.version, .bucket = bucket};
    return true;
  }
  const std::lock_guard updating(update_mutex_);
  const State held = state();
  if (held.bucket != bucket || since > held.version || changes.version < held.version) return false;
  put_into(*columns());
  const std::lock_guard lock(columns_mutex_);
  state_.version = changes.version;
  return true;
}

void PopularityBoard::take_over(const PopularityBoard& other) {
  const auto theirs = other.columns();
  auto fresh = std::make_shared<Columns>(priors_.size(), theirs->reference_ms(), options_.global_half_life_seconds);
  for (std::uint32_t row = 0; row < priors_.size(); ++row) {
    const auto id = snapshot_->catalog->row(catalog::RowIndex{row}).id();
    if (const auto their_row = other.snapshot_->catalog->find(id)) fresh->copy(catalog::RowIndex{row}, *theirs, *their_row);
  }
  const std::lock_guard updating(update_mutex_);
  const std::lock_guard lock(columns_mutex_);
  columns_.swap(fresh);
  state_ = {};
}

std::size_t PopularityBoard::memory_bytes() const {
  return priors_.capacity() * sizeof(double) + columns()->memory_bytes();
}

}  // namespace scalestyle::recommend
