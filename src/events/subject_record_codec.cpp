#include <algorithm>
#include <cmath>
#include <limits>

#include "events/byte_codec.hpp"
#include "events/subject_record.hpp"
#include "events/validation.hpp"

namespace scalestyle::events {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kUnpersonalized = 1;  // flags
constexpr std::uint8_t kHasPreference = 2;
constexpr std::uint8_t kHasFeatures = 4;
constexpr std::uint64_t kTypeBits = 2;       // types 1 … 4, less one

std::uint64_t non_negative(EpochMs time) { return static_cast<std::uint64_t>(time); }

bool read_time(ByteReader& reader, EpochMs& time) {
  const std::uint64_t value = reader.varint();
  if (!reader.ok() || value == 0 || value > static_cast<std::uint64_t>(kMaxEpochMs)) return false;
  time = static_cast<EpochMs>(value);
  return true;
}

bool read_code(ByteReader& reader, NameCode& code) {
  const std::uint64_t value = reader.varint();
  if (!reader.ok() || value >= NameTable::kMaxNames) return false;
  code = static_cast<NameCode>(value);
  return true;
}

// The distance back from a time that is known; false when it would lead before 1 ms.
bool step_back(std::uint64_t distance, EpochMs from, EpochMs& time) {
  if (distance >= static_cast<std::uint64_t>(from)) return false;
  time = from - static_cast<EpochMs>(distance);
  return true;
}

bool read_recent(ByteReader& reader, SubjectRecord& record) {
  const std::uint64_t count = reader.varint();
  if (!reader.ok() || count > reader.remaining()) return false;
  record.recent.reserve(count);
  EpochMs previous = record.last_event_ms;
  for (std::uint64_t i = 0; i < count; ++i) {
    RecentEntry entry;
    if (!read_code(reader, entry.item)) return false;
    const std::uint64_t packed = reader.varint();
    if (!reader.ok() || !step_back(packed >> kTypeBits, previous, entry.time_ms)) return false;
    entry.type = static_cast<EventType>((packed & ((1u << kTypeBits) - 1)) + 1);
    previous = entry.time_ms;
    record.recent.push_back(entry);
  }
  return true;
}

bool read_affinities(ByteReader& reader, SubjectRecord& record) {
  const std::uint64_t count = reader.varint();
  if (!reader.ok() || count > reader.remaining()) return false;
  record.affinities.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    AffinityEntry entry;
    if (!read_code(reader, entry.category)) return false;
    entry.score.value = reader.number();
    const std::uint64_t distance = reader.varint();
    if (!reader.ok() || !std::isfinite(entry.score.value) || entry.score.value < 0) return false;
    if (!step_back(distance, record.last_event_ms, entry.score.time_ms)) return false;
    record.affinities.push_back(entry);
  }
  return true;
}

}  // namespace

void encode(const SubjectRecord& record, std::string& bytes) {
  std::uint8_t flags = record.personalize ? 0 : kUnpersonalized;
  if (record.preference_ms != 0) flags |= kHasPreference;
  if (record.has_features()) flags |= kHasFeatures;
  bytes.push_back(static_cast<char>(kVersion));
  bytes.push_back(static_cast<char>(flags));
  if (record.preference_ms != 0) put_varint(bytes, non_negative(record.preference_ms));
  if (!record.has_features()) return;
  put_varint(bytes, non_negative(record.last_event_ms));
  put_varint(bytes, record.recent.size());
  EpochMs previous = record.last_event_ms;
  for (const RecentEntry& entry : record.recent) {
    put_varint(bytes, entry.item);
    const auto type = static_cast<std::uint64_t>(entry.type) - 1;
    put_varint(bytes, non_negative(previous - entry.time_ms) << kTypeBits | type);
    previous = entry.time_ms;
  }
  put_varint(bytes, record.affinities.size());
  for (const AffinityEntry& entry : record.affinities) {
    put_varint(bytes, entry.category);
    put_double(bytes, entry.score.value);
    put_varint(bytes, non_negative(record.last_event_ms - entry.score.time_ms));
  }
}

bool decode(std::string_view bytes, SubjectRecord& record) {
  record.recent.clear();
  record.affinities.clear();
  record.preference_ms = 0;
  record.last_event_ms = 0;
  ByteReader reader(bytes);
  const std::uint8_t version = reader.byte();
  const std::uint8_t flags = reader.byte();
  if (!reader.ok() || version != kVersion || flags > (kUnpersonalized | kHasPreference | kHasFeatures)) return false;
  record.personalize = (flags & kUnpersonalized) == 0;
  if ((flags & kHasPreference) != 0 && !read_time(reader, record.preference_ms)) return false;
  if ((flags & kHasFeatures) != 0) {
    if (!read_time(reader, record.last_event_ms)) return false;
    if (!read_recent(reader, record) || !read_affinities(reader, record)) return false;
  }
  return reader.at_end();
}

std::size_t memory_bytes(const SubjectRecord& record, std::size_t key_size) {
  constexpr std::size_t kTables = 48;          // slot, index and queue
  constexpr std::size_t kFixed = 16;           // sizes, version, flags, times
  constexpr std::size_t kRecent = 8;           // typical sizes of their codes and times
  constexpr std::size_t kAffinity = 14;
  constexpr std::size_t kAllocation = 8;
  constexpr std::size_t kGranule = 16;
  const std::size_t bytes = kFixed + key_size + kRecent * record.recent.size() + kAffinity * record.affinities.size();
  return kTables + (bytes + kAllocation + kGranule - 1) / kGranule * kGranule;
}

}  // namespace scalestyle::events
