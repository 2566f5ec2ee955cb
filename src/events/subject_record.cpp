#include "events/subject_record.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "events/effect.hpp"

namespace scalestyle::events {

namespace {

bool precedes(const RecentEntry& left, const RecentEntry& right, const NameTable& items) {
  if (left.time_ms != right.time_ms) return left.time_ms > right.time_ms;
  if (left.item != right.item) return items.name(left.item) < items.name(right.item);
  return left.type < right.type;
}

// Takes over the reference that `entry` holds.
void add_recent(std::vector<RecentEntry>& recent, const RecentEntry& entry, const RecordContext& context) {
  const auto same = std::find_if(recent.begin(), recent.end(), [&](const RecentEntry& known) {
    return known.item == entry.item && known.type == entry.type;
  });
  if (same != recent.end()) {
    context.items.release(entry.item);  // one of the two entries' references goes with the older
    if (same->time_ms >= entry.time_ms) return;
    recent.erase(same);
  }
  const auto place = std::lower_bound(recent.begin(), recent.end(), entry, [&](const RecentEntry& left, const RecentEntry& right) {
    return precedes(left, right, context.items);
  });
  recent.insert(place, entry);
  if (recent.size() > context.options.max_recent_items) {
    const NameCode dropped = recent.back().item;
    recent.pop_back();
    context.items.release(dropped);
  }
}

void drop_oldest_affinity(std::vector<AffinityEntry>& affinities, NameTable& categories) {
  const auto oldest = std::min_element(affinities.begin(), affinities.end(), [&](const AffinityEntry& left, const AffinityEntry& right) {
    if (left.score.time_ms != right.score.time_ms) return left.score.time_ms < right.score.time_ms;
    return categories.name(left.category) < categories.name(right.category);
  });
  const NameCode dropped = oldest->category;
  affinities.erase(oldest);
  categories.release(dropped);
}

// Takes over the reference to `category`.
void add_affinity(std::vector<AffinityEntry>& affinities, NameCode category, const DecayedScore& score, const RecordContext& context) {
  const auto place = std::lower_bound(affinities.begin(), affinities.end(), category, [&](const AffinityEntry& left, NameCode right) {
    return left.category != right && context.categories.name(left.category) < context.categories.name(right);
  });
  if (place != affinities.end() && place->category == category) {
    context.categories.release(category);
    place->score.add(score.value, score.time_ms, context.options.affinity_half_life_seconds);
    return;
  }
  affinities.insert(place, {category, score});
  if (affinities.size() > context.options.max_affinities) drop_oldest_affinity(affinities, context.categories);
}

}  // namespace

void apply_item_event(SubjectRecord& record, const Event& event, const RecordContext& context) {
  if (!concerns_item(event.type)) return;
  const EpochMs time_ms = effective_time_ms(event);
  record.last_event_ms = std::max(record.last_event_ms, time_ms);
  add_recent(record.recent, {context.items.acquire(event.item_id), event.type, time_ms}, context);
  const double weight = effective_weight(event);
  if (event.category.empty() || weight == 0) return;
  add_affinity(record.affinities, context.categories.acquire(event.category), {weight, time_ms}, context);
}

void apply_preference(SubjectRecord& record, const Event& event) {
  if (!event.personalize) return;
  const EpochMs time_ms = effective_time_ms(event);
  if (time_ms < record.preference_ms) return;
  record.personalize = time_ms == record.preference_ms ? record.personalize && *event.personalize : *event.personalize;
  record.preference_ms = time_ms;
}

void merge_session(SubjectRecord& user, SubjectRecord& session, const RecordContext& context) {
  user.last_event_ms = std::max(user.last_event_ms, session.last_event_ms);
  for (const RecentEntry& entry : session.recent) add_recent(user.recent, entry, context);
  for (const AffinityEntry& entry : session.affinities) add_affinity(user.affinities, entry.category, entry.score, context);
  session = SubjectRecord();
}

void drop_features(SubjectRecord& record, const RecordContext& context) {
  for (const RecentEntry& entry : record.recent) context.items.release(entry.item);
  for (const AffinityEntry& entry : record.affinities) context.categories.release(entry.category);
  record.recent.clear();
  record.affinities.clear();
  record.last_event_ms = 0;
}

SubjectFeatures to_features(const SubjectRecord& record, const NameTable& items, const NameTable& categories, EpochMs now_ms,
                            double affinity_half_life_seconds) {
  constexpr double kNegligible = 1e-9;
  SubjectFeatures features;
  features.personalize = record.personalize;
  features.last_event_ms = record.last_event_ms;
  features.recent_items.reserve(record.recent.size());
  for (const RecentEntry& entry : record.recent) {
    features.recent_items.push_back({std::string(items.name(entry.item)), entry.time_ms, entry.type});
  }
  features.affinities.reserve(record.affinities.size());
  for (const AffinityEntry& entry : record.affinities) {
    if (entry.score.value_at(now_ms, affinity_half_life_seconds) < kNegligible) continue;
    features.affinities.push_back({std::string(categories.name(entry.category)), entry.score});
  }
  return features;
}

}  // namespace scalestyle::events
