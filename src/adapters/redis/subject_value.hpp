#pragma once
// SubjectValue: what one key of the feature store holds: a subject's features with names, and what makes the effect of its
// events exactly-once: which events it has seen, and what it no longer listens to. Pure: no clock, no I/O.
// Bytes: docs/formats/redis.md.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.hpp"
#include "events/features.hpp"

namespace scalestyle::adapters::redis {

// Whose record: a subject's, or of an item's events whose subject was erased from the log.
enum class Owner : std::uint8_t { kUser, kSession, kErased };

// An event that a subject has seen. A day is 24 hours since 1970 (UTC), of the event's receipt.
struct SeenEvent {
  std::uint64_t mark = 0;
  std::int32_t day = 0;
  friend bool operator==(const SeenEvent&, const SeenEvent&) = default;
};

// A place in the log that divides events into those before and those after it.
struct LogPoint {
  events::EventPosition position{};
  events::EpochMs received_ms = 0;

  // Within the partition by offset; else by receipt.
  [[nodiscard]] bool is_after(const events::LoggedEvent& event) const;
  friend bool operator==(const LogPoint&, const LogPoint&) = default;
};

// Of a session: its events before the merge belong to the user.
struct MergedInto {
  std::string user_id{};
  LogPoint point{};
  friend bool operator==(const MergedInto&, const MergedInto&) = default;
};

struct MarkerOptions {
  std::int64_t days = 8;          // that marks are kept after receipt; more than the log keeps its events
  std::size_t max_marks = 4'096;  // of a record; the newest stay
};

struct SubjectValue {
  std::uint64_t version = 0;  // of the value in the store; 0: there is none
  bool personalize = true;
  events::EpochMs preference_ms = 0;
  events::EpochMs last_event_ms = 0;
  std::vector<events::RecentItem> recent{};
  std::vector<events::CategoryAffinity> affinities{};
  std::vector<events::EventPosition> applied{};  // the highest offset of each (stream, partition) that had effect
  std::vector<SeenEvent> seen{};                 // by day, then in order of arrival
  bool dropped_marks = false;                    // for the bound: from then on offsets tell of what was seen before
  std::optional<LogPoint> barrier{};             // the subject was forgotten
  std::optional<MergedInto> merged{};

  [[nodiscard]] events::EpochMs activity_ms() const { return last_event_ms > preference_ms ? last_event_ms : preference_ms; }

  [[nodiscard]] bool has_seen(std::uint64_t mark) const;
  // Whether the event's effect is in this value. An event that the log gives for the first time is also known by its offset,
  // where its mark may be gone: beyond max_marks, or older than marks are kept.
  [[nodiscard]] bool knows(const events::LoggedEvent& event, std::uint64_t mark, const MarkerOptions& options) const;
  void note(const events::LoggedEvent& event, std::uint64_t mark, const MarkerOptions& options);
  // Also remembers what `other` has seen.
  void note_all(const SubjectValue& other, const MarkerOptions& options);
  [[nodiscard]] std::optional<std::int64_t> applied_offset(const events::EventPosition& position) const;

  friend bool operator==(const SubjectValue&, const SubjectValue&) = default;

 private:
  void insert(const SeenEvent& event);
  void advance(const events::EventPosition& position);
  void bound(const MarkerOptions& options);
};

inline constexpr std::size_t kVersionBytes = 8;  // at the front of every value

[[nodiscard]] std::string encode(const SubjectValue& value);
// nullopt for bytes that encode() cannot have made.
[[nodiscard]] std::optional<SubjectValue> decode_subject(std::string_view bytes);

// Of the event's id; of its place in the log where it has none.
[[nodiscard]] std::uint64_t mark_of(const events::LoggedEvent& event);

// What readers see at `now`: of what has expired a user's wish alone.
[[nodiscard]] events::SubjectFeatures features_of(const SubjectValue& value, Owner owner, events::EpochMs now_ms,
                                                  const events::FeatureOptions& options);

// When nothing of the value is needed any more; nullopt: never (a user's wish not to be personalised).
[[nodiscard]] std::optional<events::EpochMs> needed_until_ms(const SubjectValue& value, Owner owner,
                                                             const events::FeatureOptions& options, const MarkerOptions& markers);

// Without events for its time to live a subject's features are gone.
[[nodiscard]] events::EpochMs ttl_ms(Owner owner, const events::FeatureOptions& options);

}  // namespace scalestyle::adapters::redis
