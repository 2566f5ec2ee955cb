#include "events/feature_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace scalestyle::events {

namespace {

bool near(double left, double right, double tolerance) {
  return std::abs(left - right) <= tolerance * std::max({1.0, std::abs(left), std::abs(right)});
}

// At one common time, so that the pairs need not have the same one.
bool near(const DecayedScore& left, const DecayedScore& right, double half_life_seconds, double tolerance) {
  return left.time_ms == right.time_ms && near(left.value_at(left.time_ms, half_life_seconds), right.value_at(right.time_ms, half_life_seconds), tolerance);
}

std::string item_text(const std::optional<RecentItem>& item) {
  return item ? fmt::format("{} {} at {}", to_string(item->type), item->item_id, item->time_ms) : "none";
}

std::string affinity_text(const std::optional<CategoryAffinity>& affinity) {
  return affinity ? fmt::format("{} {:.17g} at {}", affinity->category, affinity->score.value, affinity->score.time_ms) : "none";
}

template <class T>
std::optional<T> entry_at(const std::vector<T>& list, std::size_t place) {
  return place < list.size() ? std::optional<T>(list[place]) : std::nullopt;
}

}  // namespace

std::optional<std::string> difference(const SubjectFeatures& left, const SubjectFeatures& right, double half_life_seconds,
                                      double tolerance) {
  if (left.personalize != right.personalize) return fmt::format("personalize {} and {}", left.personalize, right.personalize);
  if (left.last_event_ms != right.last_event_ms) return fmt::format("last event at {} and {}", left.last_event_ms, right.last_event_ms);
  for (std::size_t i = 0; i < std::max(left.recent_items.size(), right.recent_items.size()); ++i) {
    const auto first = entry_at(left.recent_items, i);
    const auto second = entry_at(right.recent_items, i);
    if (first != second) return fmt::format("recent item {}: {} and {}", i + 1, item_text(first), item_text(second));
  }
  for (std::size_t i = 0; i < std::max(left.affinities.size(), right.affinities.size()); ++i) {
    const auto first = entry_at(left.affinities, i);
    const auto second = entry_at(right.affinities, i);
    const bool same = first && second && first->category == second->category &&
                      near(first->score, second->score, half_life_seconds, tolerance);
    if (!same) return fmt::format("affinity {}: {} and {}", i + 1, affinity_text(first), affinity_text(second));
  }
  return std::nullopt;
}

std::optional<std::string> difference(const ItemPopularity& left, const ItemPopularity& right, double half_life_seconds,
                                      double tolerance) {
  for (std::size_t window = 0; window < kWindowCount; ++window) {
    if (near(left.windows[window], right.windows[window], tolerance)) continue;
    return fmt::format("window {}: {:.17g} and {:.17g}", kWindows[window].name, left.windows[window], right.windows[window]);
  }
  if (near(left.global, right.global, half_life_seconds, tolerance)) return std::nullopt;
  return fmt::format("global: {:.17g} at {} and {:.17g} at {}", left.global.value, left.global.time_ms, right.global.value, right.global.time_ms);
}

bool is_worth_anything(const ItemPopularity& item, EpochMs now_ms, double half_life_seconds) {
  constexpr double kNothing = 1e-6;
  return item.global.value_at(now_ms, half_life_seconds) >= kNothing ||
         std::ranges::any_of(item.windows, [](double sum) { return sum > 0; });
}

}  // namespace scalestyle::events
