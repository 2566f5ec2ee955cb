#pragma once
// Events for tests of features.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "events/event.hpp"

namespace scalestyle::support {

inline constexpr events::EpochMs kFeatureNowMs = 1'772'366'400'000;  // where FakeClock's wall time begins

inline events::Subject user(const std::string& id) { return events::Subject::user(core::UserId(id)); }
inline events::Subject session(const std::string& id) { return events::Subject::session(core::SessionId(id)); }

inline events::Event feature_event(events::EventType type, events::EpochMs time_ms) {
  events::Event event;
  event.type = type;
  event.event_time_ms = time_ms;
  event.received_time_ms = time_ms;
  return event;
}

inline events::Event item_event(events::EventType type, const std::string& item, const std::string& category, events::EpochMs time_ms) {
  events::Event event = feature_event(type, time_ms);
  event.item_id = item;
  event.category = category;
  event.weight = type == events::EventType::kPurchase ? 5 : type == events::EventType::kAddToCart ? 3 : type == events::EventType::kView ? 0.3 : 1;
  return event;
}

inline events::Event click(const std::string& user_id, const std::string& item, const std::string& category, events::EpochMs time_ms) {
  events::Event event = item_event(events::EventType::kClick, item, category, time_ms);
  event.user_id = core::UserId(user_id);
  return event;
}

inline events::Event purchase(const std::string& user_id, const std::string& item, const std::string& category, events::EpochMs time_ms) {
  events::Event event = item_event(events::EventType::kPurchase, item, category, time_ms);
  event.user_id = core::UserId(user_id);
  return event;
}

inline events::Event session_click(const std::string& session_id, const std::string& item, const std::string& category, events::EpochMs time_ms) {
  events::Event event = item_event(events::EventType::kClick, item, category, time_ms);
  event.session_id = core::SessionId(session_id);
  return event;
}

inline events::Event merge(const std::string& user_id, const std::string& session_id, events::EpochMs time_ms) {
  events::Event event = feature_event(events::EventType::kMerge, time_ms);
  event.user_id = core::UserId(user_id);
  event.session_id = core::SessionId(session_id);
  return event;
}

inline events::Event forget(const std::string& user_id, events::EpochMs time_ms) {
  events::Event event = feature_event(events::EventType::kForget, time_ms);
  event.user_id = core::UserId(user_id);
  return event;
}

inline events::Event preferences(const std::string& user_id, bool personalize, events::EpochMs time_ms) {
  events::Event event = feature_event(events::EventType::kPreferences, time_ms);
  event.user_id = core::UserId(user_id);
  event.personalize = personalize;
  return event;
}

inline events::LoggedEvent logged(std::int64_t offset, events::Event event) { return {{"log", 0, offset}, std::move(event)}; }

// Item events of users u0 … u9 and sessions s0 … s4, with now and then a merge, a wish or a forget; each a second after
// the one before.
inline std::vector<events::LoggedEvent> sample_events(std::size_t count, events::EpochMs first_ms, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<events::LoggedEvent> all;
  for (std::size_t i = 0; i < count; ++i) {
    const events::EpochMs time = first_ms + static_cast<events::EpochMs>(i) * 1'000;
    const std::string user_id = "u" + std::to_string(random() % 10);
    const std::string session_id = "s" + std::to_string(random() % 5);
    const std::uint64_t kind = random() % 50;
    events::Event event = item_event(static_cast<events::EventType>(1 + random() % 4), std::to_string(random() % 60),
                                     "type " + std::to_string(random() % 12), time);
    event.event_time_ms -= static_cast<events::EpochMs>(random() % 5'000);
    if (kind < 35) event.user_id = core::UserId(user_id);
    if (kind >= 30) event.session_id = core::SessionId(session_id);
    if (kind == 47) event = merge(user_id, session_id, time);
    if (kind == 48) event = preferences(user_id, random() % 2 == 0, time);
    if (kind == 49) event = forget(user_id, time);
    event.event_id = std::to_string(seed) + "-" + std::to_string(i);
    all.push_back(logged(static_cast<std::int64_t>(i) * 2 + 1, std::move(event)));
  }
  return all;
}

}  // namespace scalestyle::support
