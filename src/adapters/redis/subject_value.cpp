#include "adapters/redis/subject_value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "events/effect.hpp"
#include "events/event_id.hpp"

namespace scalestyle::adapters::redis {

namespace {

constexpr events::EpochMs kDayMs = 86'400'000;

std::int32_t day_of(const events::LoggedEvent& event) {
  return static_cast<std::int32_t>(events::effective_received_ms(event.event) / kDayMs);
}

bool same_partition(const events::EventPosition& left, const events::EventPosition& right) {
  return left.partition == right.partition && left.stream == right.stream;
}

}  // namespace

bool LogPoint::is_after(const events::LoggedEvent& event) const {
  const events::EventPosition& origin = event.origin();
  if (same_partition(origin, position)) return origin.offset < position.offset;
  return events::effective_received_ms(event.event) <= received_ms;
}

bool SubjectValue::has_seen(std::uint64_t mark) const {
  return std::ranges::any_of(seen, [mark](const SeenEvent& event) { return event.mark == mark; });
}

std::optional<std::int64_t> SubjectValue::applied_offset(const events::EventPosition& position) const {
  const auto found = std::ranges::find_if(applied, [&](const auto& known) { return same_partition(known, position); });
  if (found == applied.end()) return std::nullopt;
  return found->offset;
}

bool SubjectValue::knows(const events::LoggedEvent& event, std::uint64_t mark, const MarkerOptions& options) const {
  if (has_seen(mark)) return true;
  if (event.delivery.retries != 0) return false;
  const bool mark_kept = !dropped_marks && (seen.empty() || day_of(event) >= seen.back().day - options.days);
  if (mark_kept) return false;
  const auto offset = applied_offset(event.origin());
  return offset && event.origin().offset <= *offset;
}

void SubjectValue::note(const events::LoggedEvent& event, std::uint64_t mark, const MarkerOptions& options) {
  insert({mark, day_of(event)});
  advance(event.origin());
  bound(options);
}

void SubjectValue::note_all(const SubjectValue& other, const MarkerOptions& options) {
  for (const SeenEvent& event : other.seen) {
    if (!has_seen(event.mark)) insert(event);
  }
  for (const auto& position : other.applied) advance(position);
  dropped_marks = dropped_marks || other.dropped_marks;
  bound(options);
}

void SubjectValue::insert(const SeenEvent& event) {
  seen.insert(std::ranges::upper_bound(seen, event.day, {}, &SeenEvent::day), event);
}

void SubjectValue::advance(const events::EventPosition& position) {
  const auto found = std::ranges::find_if(applied, [&](const auto& known) { return same_partition(known, position); });
  if (found == applied.end()) {
    applied.push_back(position);
  } else {
    found->offset = std::max(found->offset, position.offset);
  }
}

void SubjectValue::bound(const MarkerOptions& options) {
  if (seen.empty()) return;
  const auto oldest_kept = static_cast<std::int32_t>(seen.back().day - options.days);
  seen.erase(seen.begin(), std::ranges::lower_bound(seen, oldest_kept, {}, &SeenEvent::day));
  if (seen.size() <= options.max_marks) return;
  seen.erase(seen.begin(), seen.end() - static_cast<std::ptrdiff_t>(options.max_marks));
  dropped_marks = true;
}

std::uint64_t mark_of(const events::LoggedEvent& event) {
  if (!event.event.event_id.empty()) return events::event_mark(event.event.event_id);
  const events::EventPosition& origin = event.origin();
  return events::event_mark(fmt::format("{}/{}/{}", origin.stream, origin.partition, origin.offset));
}

events::EpochMs ttl_ms(Owner owner, const events::FeatureOptions& options) {
  return (owner == Owner::kSession ? options.session_ttl_seconds : options.user_ttl_seconds) * 1'000;
}

events::SubjectFeatures features_of(const SubjectValue& value, Owner owner, events::EpochMs now_ms,
                                    const events::FeatureOptions& options) {
  constexpr double kNegligible = 1e-9;
  events::SubjectFeatures features;
  if (value.activity_ms() < now_ms - ttl_ms(owner, options)) {
    features.personalize = owner == Owner::kSession || value.personalize;
    return features;
  }
  features.personalize = value.personalize;
  features.last_event_ms = value.last_event_ms;
  features.recent_items = value.recent;
  for (const auto& affinity : value.affinities) {
    if (affinity.score.value_at(now_ms, options.affinity_half_life_seconds) >= kNegligible) features.affinities.push_back(affinity);
  }
  return features;
}

std::optional<events::EpochMs> needed_until_ms(const SubjectValue& value, Owner owner, const events::FeatureOptions& options,
                                               const MarkerOptions& markers) {
  if (owner == Owner::kUser && !value.personalize) return std::nullopt;
  const events::EpochMs kept_ms = markers.days * kDayMs;
  events::EpochMs until = value.activity_ms() == 0 ? 0 : value.activity_ms() + ttl_ms(owner, options);
  if (!value.seen.empty()) until = std::max(until, (value.seen.back().day + events::EpochMs{1}) * kDayMs + kept_ms);
  if (value.barrier) until = std::max(until, value.barrier->received_ms + kept_ms);
  if (value.merged) until = std::max(until, value.merged->point.received_ms + kept_ms);
  return until;
}

}  // namespace scalestyle::adapters::redis
