#pragma once
// ItemRecord: the popularity of one item, and what one event does to it. Pure: no clock, no lock.
//
// A window is a ring of buckets aligned to the epoch, chosen by the event's time, with spare slots beyond the window's
// length for events ahead of the reader's clock. The ring covers a fixed number of buckets up to the newest that was
// ever used: an event older than that is not counted in this window, whatever the order of arrival.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "events/features.hpp"

namespace scalestyle::events {

// floor(time / bucket), also before the epoch.
[[nodiscard]] constexpr std::int64_t bucket_of(EpochMs time_ms, const WindowShape& shape) {
  const std::int64_t width_ms = shape.bucket_seconds * 1'000;
  const std::int64_t quotient = time_ms / width_ms;
  return time_ms % width_ms < 0 ? quotient - 1 : quotient;
}
[[nodiscard]] constexpr std::int64_t bucket_start_seconds(EpochMs time_ms, const WindowShape& shape) {
  return bucket_of(time_ms, shape) * shape.bucket_seconds;
}

template <std::size_t kBuckets>
class WindowRing {
 public:
  static constexpr std::size_t kSlots = kBuckets + 2;

  void add(std::int64_t bucket, double weight) {
    if (newest_ == kNone) {
      newest_ = bucket;
    } else if (bucket > newest_) {
      const std::int64_t steps = bucket - newest_;
      if (steps >= static_cast<std::int64_t>(kSlots)) {
        sums_.fill(0);
      } else {
        for (std::int64_t passed = newest_ + 1; passed <= bucket; ++passed) sums_[slot(passed)] = 0;
      }
      newest_ = bucket;
    } else if (newest_ - bucket >= static_cast<std::int64_t>(kSlots)) {
      return;
    }
    sums_[slot(bucket)] += weight;
  }

  // Of the kBuckets buckets up to and including `now`.
  [[nodiscard]] double sum(std::int64_t now) const {
    if (newest_ == kNone) return 0;
    const std::int64_t oldest_kept = newest_ - static_cast<std::int64_t>(kSlots) + 1;
    const std::int64_t first = std::max(oldest_kept, now - static_cast<std::int64_t>(kBuckets) + 1);
    const std::int64_t last = std::min(newest_, now);
    double total = 0;
    for (std::int64_t bucket = first; bucket <= last; ++bucket) total += sums_[slot(bucket)];
    return total;
  }

  void encode(std::string& bytes) const;
  [[nodiscard]] bool decode(class ByteReader& reader);
  friend bool operator==(const WindowRing&, const WindowRing&) = default;

 private:
  static constexpr std::int64_t kNone = -1;
  static std::size_t slot(std::int64_t bucket) { return static_cast<std::size_t>(bucket) % kSlots; }  // buckets are ≥ 0

  std::int64_t newest_ = kNone;
  std::array<double, kSlots> sums_{};
};

class ItemRecord {
 public:
  // An item event; any other type does nothing.
  void apply(const Event& event, double global_half_life_seconds);

  [[nodiscard]] EpochMs last_event_ms() const { return last_event_ms_; }
  [[nodiscard]] const DecayedScore& global() const { return global_; }
  [[nodiscard]] std::array<double, kWindowCount> windows(EpochMs now_ms) const;

  // docs/formats/features.md. decode() is false for bytes that encode() cannot have made.
  void encode(std::string& bytes) const;
  [[nodiscard]] bool decode(std::string_view bytes);
  friend bool operator==(const ItemRecord&, const ItemRecord&) = default;

 private:
  EpochMs last_event_ms_ = 0;
  DecayedScore global_{};
  WindowRing<12> hour_{};
  WindowRing<24> day_{};
  WindowRing<7> week_{};
};

}  // namespace scalestyle::events
