#pragma once
// Features as readers see them: copies, free of any store. Scores are undecayed pairs of a value and its time; value_at()
// gives what they are worth now, so that a reader's clock alone decides.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "events/event.hpp"

namespace scalestyle::events {

// A score that halves every half-life. value is what it was worth at time_ms, the newest contribution's time.
struct DecayedScore {
  double value = 0;
  EpochMs time_ms = 0;

  // Adds `weight` at `at_ms`. A late contribution is decayed to the newest time before it is added, so that the order
  // of arrival does not matter: value·e^(−λ(t−time)) + weight for t ≥ time, value + weight·e^(−λ(time−t)) for t < time.
  void add(double weight, EpochMs at_ms, double half_life_seconds);

  // Never decays into the future: a time before the newest contribution gives the value itself.
  [[nodiscard]] double value_at(EpochMs now_ms, double half_life_seconds) const;

  friend bool operator==(const DecayedScore&, const DecayedScore&) = default;
};

// The windows of popularity, each a ring of buckets aligned to the epoch; the bucket in progress counts.
enum class Window : std::uint8_t { k1h, k24h, k7d };
inline constexpr std::size_t kWindowCount = 3;
struct WindowShape {
  std::string_view name;
  std::int64_t bucket_seconds;
  std::int64_t buckets;
};
inline constexpr std::array<WindowShape, kWindowCount> kWindows{{{"1h", 300, 12}, {"24h", 3'600, 24}, {"7d", 86'400, 7}}};
[[nodiscard]] constexpr const WindowShape& shape(Window window) { return kWindows[static_cast<std::size_t>(window)]; }

struct RecentItem {
  std::string item_id;
  EpochMs time_ms = 0;                       // newest event of this type with the item
  EventType type = EventType::kClick;
  friend bool operator==(const RecentItem&, const RecentItem&) = default;
};

struct CategoryAffinity {
  std::string category;
  DecayedScore score;
  friend bool operator==(const CategoryAffinity&, const CategoryAffinity&) = default;
};

// Empty for a subject that is not known.
struct SubjectFeatures {
  bool personalize = true;                    // the subject's own wish
  EpochMs last_event_ms = 0;                  // 0: nothing known
  std::vector<RecentItem> recent_items{};     // newest first, then by item id; at most 100
  std::vector<CategoryAffinity> affinities{}; // by category
  friend bool operator==(const SubjectFeatures&, const SubjectFeatures&) = default;
};

struct ItemPopularity {
  std::string item_id;
  std::array<double, kWindowCount> windows{};  // sums of weights in each window, as of the reading
  DecayedScore global{};                       // half-life: FeatureOptions::global_half_life_seconds
  friend bool operator==(const ItemPopularity&, const ItemPopularity&) = default;
};

// What decides the effect of an event on features. A rebuild with other options gives other features.
struct FeatureOptions {
  double affinity_half_life_seconds = 7 * 86'400.0;
  double global_half_life_seconds = 48 * 3'600.0;
  std::int64_t session_ttl_seconds = 1'800;        // a session without events for this long is gone
  std::int64_t user_ttl_seconds = 210 * 86'400;    // 30 half-lives: what is left of an affinity is below 1e-9
  std::size_t max_recent_items = 100;              // of a subject
  std::size_t max_affinities = 64;                 // categories of a subject
  std::size_t max_memory_bytes = 256u << 20;       // of all subjects and items; the least recently active subjects go

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

// An item without events for this long has nothing left: its windows are empty, and 30 half-lives leave less than 1e-9 of
// its global score.
[[nodiscard]] EpochMs item_ttl_ms(const FeatureOptions& options);

}  // namespace scalestyle::events
