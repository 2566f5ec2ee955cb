#include "adapters/redis/subject_update.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "events/byte_codec.hpp"
#include "events/effect.hpp"
#include "events/validation.hpp"

namespace scalestyle::adapters::redis {

namespace {

using events::EventType;

void forget_features(SubjectValue& value) {
  value.last_event_ms = 0;
  value.recent.clear();
  value.affinities.clear();
}

// Signed numbers with small ones short: 0, −1, 1, −2 … as 0, 1, 2, 3 …
std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

LogPoint point_of(const events::LoggedEvent& event) { return {event.origin(), events::effective_received_ms(event.event)}; }

}  // namespace

std::string encode_contributions(std::span<const Contribution> contributions) {
  std::string bytes;
  for (const Contribution& one : contributions) {
    events::put_text(bytes, one.item_id);
    events::put_double(bytes, one.weight);
    events::put_varint(bytes, static_cast<std::uint64_t>(one.time_ms));
    events::put_varint(bytes, zigzag(one.received_ms - one.time_ms));
  }
  return bytes;
}

bool decode_contributions(std::string_view bytes, std::vector<Contribution>& contributions) {
  events::ByteReader reader(bytes);
  while (!reader.at_end()) {
    Contribution one;
    one.item_id = reader.text();
    one.weight = reader.number();
    const std::uint64_t time = reader.varint();
    const std::int64_t lag = unzigzag(reader.varint());
    if (!reader.ok() || time == 0 || time > static_cast<std::uint64_t>(events::kMaxEpochMs)) return false;
    if (!std::isfinite(one.weight) || one.weight < 0 || std::abs(lag) > events::kMaxEpochMs) return false;
    one.time_ms = static_cast<events::EpochMs>(time);
    one.received_ms = one.time_ms + lag;
    contributions.push_back(std::move(one));
  }
  return true;
}

events::SubjectRecord SubjectUpdate::to_record(const SubjectValue& value) {
  events::SubjectRecord record;
  record.personalize = value.personalize;
  record.preference_ms = value.preference_ms;
  record.last_event_ms = value.last_event_ms;
  for (const auto& item : value.recent) record.recent.push_back({items_.acquire(item.item_id), item.type, item.time_ms});
  for (const auto& affinity : value.affinities) {
    record.affinities.push_back({categories_.acquire(affinity.category), affinity.score});
  }
  return record;
}

void SubjectUpdate::from_record(events::SubjectRecord& record, SubjectValue& value) {
  value.personalize = record.personalize;
  value.preference_ms = record.preference_ms;
  value.last_event_ms = record.last_event_ms;
  value.recent.clear();
  for (const auto& entry : record.recent) value.recent.push_back({std::string(items_.name(entry.item)), entry.time_ms, entry.type});
  value.affinities.clear();
  for (const auto& entry : record.affinities) {
    value.affinities.push_back({std::string(categories_.name(entry.category)), entry.score});
  }
  events::drop_features(record, context());
}

// As the embedded store does when it touches a subject. Its clock is the receipt of the event.
void SubjectUpdate::expire(SubjectValue& value, Owner owner, events::EpochMs received_ms) const {
  if (value.activity_ms() >= received_ms - ttl_ms(owner, options_)) return;
  const bool keeps_wish = owner == Owner::kUser && !value.personalize;
  forget_features(value);
  if (keeps_wish) return;
  value.personalize = true;
  value.preference_ms = 0;
}

void SubjectUpdate::apply_to_features(SubjectValue& value, Owner owner, const events::Event& event) {
  if (event.type == EventType::kForget) {
    forget_features(value);
    value.personalize = true;
    value.preference_ms = 0;
    return;
  }
  if (!events::concerns_item(event.type) && event.type != EventType::kPreferences) return;
  expire(value, owner, events::effective_received_ms(event));
  events::SubjectRecord record = to_record(value);
  if (events::concerns_item(event.type)) {
    events::apply_item_event(record, event, context());
  } else {
    events::apply_preference(record, event);
  }
  from_record(record, value);
}

SubjectEffects SubjectUpdate::apply(SubjectValue& value, Owner owner, std::span<const events::LoggedEvent* const> events) {
  SubjectEffects effects;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const events::LoggedEvent& logged = *events[i];
    const std::uint64_t mark = mark_of(logged);
    if (value.knows(logged, mark, markers_)) continue;
    const events::Event& event = logged.event;
    const bool item = events::concerns_item(event.type);
    if (value.merged && item && value.merged->point.is_after(logged)) {
      effects.redirected.push_back(i);
      continue;
    }
    const bool late = (value.barrier && value.barrier->is_after(logged)) || (value.merged && value.merged->point.is_after(logged));
    if (owner != Owner::kErased && !late) apply_to_features(value, owner, event);
    if (event.type == EventType::kForget && !late) value.barrier = point_of(logged);
    if (item) {
      effects.contributions.push_back({event.item_id, events::effective_weight(event), events::effective_time_ms(event),
                                       events::effective_received_ms(event)});
    }
    value.note(logged, mark, markers_);
    effects.changed = true;
  }
  return effects;
}

SubjectValue SubjectUpdate::take_session(SubjectValue& session, const events::LoggedEvent& merge) const {
  const LogPoint point = point_of(merge);
  expire(session, Owner::kSession, point.received_ms);
  SubjectValue taken = session;
  taken.version = 0;
  taken.barrier.reset();
  taken.merged.reset();
  // A session that was forgotten after the merge keeps what it has done since.
  if (session.barrier && session.barrier->is_after(merge)) {
    forget_features(taken);
  } else {
    forget_features(session);
    session.personalize = true;
    session.preference_ms = 0;
    session.merged = MergedInto{merge.event.user_id->value(), point};
  }
  session.note(merge, mark_of(merge), markers_);
  return taken;
}

bool SubjectUpdate::give_session(SubjectValue& user, const SubjectValue& taken, const events::LoggedEvent& merge) {
  const std::uint64_t mark = mark_of(merge);
  if (user.knows(merge, mark, markers_)) return false;
  const bool late = user.barrier && user.barrier->is_after(merge);
  if (!late && taken.last_event_ms != 0) {
    expire(user, Owner::kUser, events::effective_received_ms(merge.event));
    events::SubjectRecord record = to_record(user);
    events::SubjectRecord session = to_record(taken);
    events::merge_session(record, session, context());
    from_record(record, user);
  }
  user.note_all(taken, markers_);
  user.note(merge, mark, markers_);
  return true;
}

}  // namespace scalestyle::adapters::redis
