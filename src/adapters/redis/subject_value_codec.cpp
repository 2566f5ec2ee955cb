#include <cmath>
#include <limits>

#include "adapters/redis/subject_value.hpp"
#include "events/byte_codec.hpp"
#include "events/validation.hpp"

namespace scalestyle::adapters::redis {

namespace {

using events::ByteReader;

constexpr std::uint8_t kFormat = 1;

// Sections, in this order; each at most once. A section that is not there is empty.
enum Section : std::uint8_t { kWish = 1, kFeatures = 2, kApplied = 3, kSeen = 4, kBarrier = 5, kMerged = 6 };

std::uint64_t plain(std::int64_t value) { return static_cast<std::uint64_t>(value); }

void put_section(std::string& bytes, Section section, const std::string& payload) {
  bytes.push_back(static_cast<char>(section));
  events::put_text(bytes, payload);
}

void put_position(std::string& bytes, const events::EventPosition& position) {
  events::put_text(bytes, position.stream);
  events::put_varint(bytes, static_cast<std::uint32_t>(position.partition));
  events::put_varint(bytes, plain(position.offset));
}

std::string encode_features(const SubjectValue& value) {
  std::string bytes;
  events::put_varint(bytes, plain(value.last_event_ms));
  events::put_varint(bytes, value.recent.size());
  for (const auto& item : value.recent) {
    events::put_text(bytes, item.item_id);
    bytes.push_back(static_cast<char>(item.type));
    events::put_varint(bytes, plain(value.last_event_ms - item.time_ms));
  }
  events::put_varint(bytes, value.affinities.size());
  for (const auto& affinity : value.affinities) {
    events::put_text(bytes, affinity.category);
    events::put_double(bytes, affinity.score.value);
    events::put_varint(bytes, plain(value.last_event_ms - affinity.score.time_ms));
  }
  return bytes;
}

std::string encode_seen(const SubjectValue& value) {
  std::string bytes;
  bytes.push_back(value.dropped_marks ? 1 : 0);
  for (std::size_t begin = 0; begin < value.seen.size();) {
    const std::int32_t day = value.seen[begin].day;
    std::size_t end = begin;
    while (end < value.seen.size() && value.seen[end].day == day) ++end;
    events::put_varint(bytes, static_cast<std::uint64_t>(day));
    events::put_varint(bytes, end - begin);
    for (; begin < end; ++begin) events::put_fixed64(bytes, value.seen[begin].mark);
  }
  return bytes;
}

bool read_time(ByteReader& reader, events::EpochMs& time) {
  const std::uint64_t value = reader.varint();
  if (!reader.ok() || value == 0 || value > plain(events::kMaxEpochMs)) return false;
  time = static_cast<events::EpochMs>(value);
  return true;
}

bool read_time_before(ByteReader& reader, events::EpochMs newest, events::EpochMs& time) {
  const std::uint64_t distance = reader.varint();
  if (!reader.ok() || distance >= plain(newest)) return false;
  time = newest - static_cast<events::EpochMs>(distance);
  return true;
}

bool read_position(ByteReader& reader, events::EventPosition& position) {
  position.stream = reader.text();
  const std::uint64_t partition = reader.varint();
  const std::uint64_t offset = reader.varint();
  if (!reader.ok() || partition > std::numeric_limits<std::int32_t>::max() || offset > plain(std::numeric_limits<std::int64_t>::max())) {
    return false;
  }
  position.partition = static_cast<std::int32_t>(partition);
  position.offset = static_cast<std::int64_t>(offset);
  return true;
}

bool read_wish(ByteReader& reader, SubjectValue& value) {
  const std::uint8_t wish = reader.byte();
  value.personalize = wish == 1;
  return wish <= 1 && read_time(reader, value.preference_ms);
}

bool read_recent(ByteReader& reader, SubjectValue& value) {
  const std::uint64_t count = reader.varint();
  if (!reader.ok() || count > reader.remaining()) return false;
  value.recent.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    events::RecentItem item;
    item.item_id = reader.text();
    item.type = static_cast<events::EventType>(reader.byte());
    if (!read_time_before(reader, value.last_event_ms, item.time_ms)) return false;
    if (item.type < events::EventType::kClick || !events::concerns_item(item.type)) return false;
    value.recent.push_back(std::move(item));
  }
  return true;
}

bool read_features(ByteReader& reader, SubjectValue& value) {
  if (!read_time(reader, value.last_event_ms) || !read_recent(reader, value)) return false;
  const std::uint64_t count = reader.varint();
  if (!reader.ok() || count > reader.remaining()) return false;
  value.affinities.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    events::CategoryAffinity affinity;
    affinity.category = reader.text();
    affinity.score.value = reader.number();
    if (!std::isfinite(affinity.score.value) || affinity.score.value < 0) return false;
    if (!read_time_before(reader, value.last_event_ms, affinity.score.time_ms)) return false;
    value.affinities.push_back(std::move(affinity));
  }
  return true;
}

bool read_applied(ByteReader& reader, SubjectValue& value) {
  while (!reader.at_end()) {
    events::EventPosition position;
    if (!read_position(reader, position)) return false;
    value.applied.push_back(std::move(position));
  }
  return true;
}

bool read_seen(ByteReader& reader, SubjectValue& value) {
  const std::uint8_t dropped = reader.byte();
  if (dropped > 1) return false;
  value.dropped_marks = dropped == 1;
  std::uint64_t day = 0;
  while (!reader.at_end()) {
    const std::uint64_t next = reader.varint();
    const std::uint64_t count = reader.varint();
    if (!reader.ok() || next < day || next > plain(std::numeric_limits<std::int32_t>::max())) return false;
    if (count == 0 || count > reader.remaining() / sizeof(std::uint64_t)) return false;
    day = next;
    for (std::uint64_t i = 0; i < count; ++i) value.seen.push_back({reader.fixed64(), static_cast<std::int32_t>(day)});
  }
  return true;
}

bool read_point(ByteReader& reader, LogPoint& point) {
  return read_position(reader, point.position) && read_time(reader, point.received_ms);
}

bool read_section(std::uint8_t section, ByteReader& reader, SubjectValue& value) {
  switch (section) {
    case kWish: return read_wish(reader, value);
    case kFeatures: return read_features(reader, value);
    case kApplied: return read_applied(reader, value);
    case kSeen: return read_seen(reader, value);
    case kBarrier: return read_point(reader, value.barrier.emplace());
    case kMerged: {
      MergedInto& merged = value.merged.emplace();
      merged.user_id = reader.text();
      return read_point(reader, merged.point);
    }
    default: return false;
  }
}

void put_point(std::string& bytes, const LogPoint& point) {
  put_position(bytes, point.position);
  events::put_varint(bytes, plain(point.received_ms));
}

}  // namespace

std::string encode(const SubjectValue& value) {
  std::string bytes;
  events::put_fixed64(bytes, value.version);
  bytes.push_back(static_cast<char>(kFormat));
  if (value.preference_ms != 0) {
    std::string wish(1, value.personalize ? 1 : 0);
    events::put_varint(wish, plain(value.preference_ms));
    put_section(bytes, kWish, wish);
  }
  if (value.last_event_ms != 0) put_section(bytes, kFeatures, encode_features(value));
  if (!value.applied.empty()) {
    std::string applied;
    for (const auto& position : value.applied) put_position(applied, position);
    put_section(bytes, kApplied, applied);
  }
  if (!value.seen.empty()) put_section(bytes, kSeen, encode_seen(value));
  if (value.barrier) {
    std::string barrier;
    put_point(barrier, *value.barrier);
    put_section(bytes, kBarrier, barrier);
  }
  if (value.merged) {
    std::string merged;
    events::put_text(merged, value.merged->user_id);
    put_point(merged, value.merged->point);
    put_section(bytes, kMerged, merged);
  }
  return bytes;
}

std::optional<SubjectValue> decode_subject(std::string_view bytes) {
  ByteReader reader(bytes);
  SubjectValue value;
  value.version = reader.fixed64();
  if (reader.byte() != kFormat || !reader.ok()) return std::nullopt;
  std::uint8_t last = 0;
  while (!reader.at_end()) {
    const std::uint8_t section = reader.byte();
    ByteReader payload(reader.text());
    if (!reader.ok() || section <= last || !read_section(section, payload, value) || !payload.at_end()) return std::nullopt;
    last = section;
  }
  return value;
}

}  // namespace scalestyle::adapters::redis
