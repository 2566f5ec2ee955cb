#pragma once
// Events and impressions that use every field, for tests of what writes, reads and checks them.

#include <string>

#include "events/event.hpp"
#include "events/impression.hpp"

namespace scalestyle::events {

inline Event full_click() {
  Event event;
  event.event_id = "3f0c-client~key:1";
  event.type = EventType::kClick;
  event.user_id.emplace("user-42");
  event.session_id.emplace("séance \"1\" \\ 🛍");
  event.event_time_ms = 1'772'879'445'123;
  event.received_time_ms = 1'772'879'445'999;
  event.item_id = "0108775015";
  event.category = "Vest top / Überwurf";
  event.weight = 0.1 + 0.2;  // needs all 17 digits
  event.source = EventSource::kImageSearch;
  event.device = Device::kMobile;
  event.query = "red\tdress\n\x01 ünïcödé";
  event.position = 10'000;
  event.request_id = "req-1.a_b";
  return event;
}

inline Event minimal_view() {
  Event event;
  event.event_id = "e";
  event.type = EventType::kView;
  event.session_id.emplace("s");
  event.item_id = "0000000001";
  return event;
}

inline Event merge_event() {
  Event event;
  event.event_id = "m";
  event.type = EventType::kMerge;
  event.user_id.emplace("u");
  event.session_id.emplace("s");
  event.event_time_ms = event.received_time_ms = 5;
  return event;
}

inline Event preferences_event(bool personalize) {
  Event event;
  event.event_id = "p";
  event.type = EventType::kPreferences;
  event.user_id.emplace("u");
  event.personalize = personalize;
  return event;
}

inline Impression full_impression() {
  Impression impression;
  impression.request_id = "r-1";
  impression.user_id.emplace("u");
  impression.session_id.emplace("s\"");
  impression.time_ms = 1'772'879'445'123;
  impression.source = EventSource::kRecommendation;
  impression.query = "a \"query\" ü";
  impression.generation = "20260301-abc";
  impression.personalized = true;
  impression.degraded = true;
  impression.arms = {{"boost", "control"}, {"fusion", "b"}};
  impression.items = {{"0000000001", 1}, {"0000000002", 2}, {"odd/id.1", 4'000'000'000U}};
  return impression;
}

}  // namespace scalestyle::events
