#pragma once
// Events for tests of what stores and applies them.

#include <string>

#include "events/event.hpp"

namespace scalestyle::support {

inline constexpr events::EpochMs kSampleTimeMs = 1'772'366'400'000;

inline events::Event sample_click(const std::string& event_id, const std::string& user = "ann") {
  events::Event event;
  event.event_id = event_id;
  event.user_id = core::UserId(user);
  event.event_time_ms = kSampleTimeMs;
  event.received_time_ms = kSampleTimeMs;
  event.item_id = "0108775015";
  event.category = "Vest top";
  event.weight = 1;
  event.source = events::EventSource::kSearch;
  event.query = "a secret wish";
  event.position = 3;
  event.request_id = "request-1";
  return event;
}

inline events::Event sample_session_click(const std::string& event_id, const std::string& session) {
  events::Event event = sample_click(event_id);
  event.user_id.reset();
  event.session_id = core::SessionId(session);
  return event;
}

inline events::Event sample_subject_event(events::EventType type, const std::string& event_id, const std::string& user,
                                          events::EpochMs received_ms = kSampleTimeMs) {
  events::Event event;
  event.event_id = event_id;
  event.type = type;
  event.user_id = core::UserId(user);
  event.event_time_ms = received_ms;
  event.received_time_ms = received_ms;
  return event;
}

inline events::Event sample_merge(const std::string& event_id, const std::string& user, const std::string& session) {
  events::Event event = sample_subject_event(events::EventType::kMerge, event_id, user);
  event.session_id = core::SessionId(session);
  return event;
}

}  // namespace scalestyle::support
