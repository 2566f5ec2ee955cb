#pragma once
// SubjectRecord: what is kept of one subject, and what one event does to it. Pure: no clock, no lock.
//
// Order of arrival does not matter as long as no bound is reached, and never to recent items: of each pair of item and
// type the newest time counts, and the newest pairs are kept. Affinities are decayed sums; beyond the bound the category
// with the oldest (last time, then name) goes, and what it had is lost.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/features.hpp"
#include "events/name_table.hpp"

namespace scalestyle::events {

struct RecentEntry {
  NameCode item = 0;
  EventType type = EventType::kClick;
  EpochMs time_ms = 0;
  friend bool operator==(const RecentEntry&, const RecentEntry&) = default;
};

struct AffinityEntry {
  NameCode category = 0;
  DecayedScore score{};
  friend bool operator==(const AffinityEntry&, const AffinityEntry&) = default;
};

// Every code in it holds one reference of its table.
struct SubjectRecord {
  bool personalize = true;
  EpochMs preference_ms = 0;               // when it was set; 0: never
  EpochMs last_event_ms = 0;               // of item events; 0: none
  std::vector<RecentEntry> recent{};       // by time descending, item id, type
  std::vector<AffinityEntry> affinities{}; // by category

  // What expiry and eviction go by.
  [[nodiscard]] EpochMs activity_ms() const { return last_event_ms > preference_ms ? last_event_ms : preference_ms; }
  [[nodiscard]] bool has_features() const { return last_event_ms != 0; }
  [[nodiscard]] bool empty() const { return last_event_ms == 0 && preference_ms == 0; }
  friend bool operator==(const SubjectRecord&, const SubjectRecord&) = default;
};

// Tables and options that records of one store share.
struct RecordContext {
  NameTable& items;
  NameTable& categories;
  const FeatureOptions& options;
};

// An item event of this subject; any other type does nothing.
void apply_item_event(SubjectRecord& record, const Event& event, const RecordContext& context);

// The newest wish counts; of two at one time, the one not to be personalised.
void apply_preference(SubjectRecord& record, const Event& event);

// Moves the session's features into the user's. The session's record is empty afterwards; the user's wish stays.
void merge_session(SubjectRecord& user, SubjectRecord& session, const RecordContext& context);

// Releases what the record refers to and leaves only the preference in it.
void drop_features(SubjectRecord& record, const RecordContext& context);

// With names instead of codes. Affinities that are worth less than 1e-9 at `now_ms` are left out.
[[nodiscard]] SubjectFeatures to_features(const SubjectRecord& record, const NameTable& items, const NameTable& categories,
                                          EpochMs now_ms, double affinity_half_life_seconds);

// Compact bytes, with codes as they are (docs/formats/features.md). decode() replaces `record`, adds no reference and is
// false for bytes that encode() cannot have made.
void encode(const SubjectRecord& record, std::string& bytes);
[[nodiscard]] bool decode(std::string_view bytes, SubjectRecord& record);

// Memory of such a record, its place in the table and in the queue for expiry included. A function of the counts alone,
// so that eviction does not depend on codes, on capacities or on the allocator; within a tenth of what is used.
[[nodiscard]] std::size_t memory_bytes(const SubjectRecord& record, std::size_t key_size);

}  // namespace scalestyle::events
