#include "http/event_shapes.hpp"

#include <utility>

#include "events/event_json.hpp"
#include "http/json_writer.hpp"

namespace scalestyle::http {

namespace {

void write_head(JsonWriter& json, const AnswerHead& head) {
  json.key("status").text("success");
  json.key("request_id").text(head.request_id);
  json.key("took_ms").milliseconds(std::chrono::duration<double, std::milli>(head.took).count());
}

void write_event(JsonWriter& json, const search::TrackedEvent& event) {
  json.key("event_id").text(event.event_id);
  json.key("token").text(event.token);
  json.key("duplicate").boolean(event.duplicate);
}

// Times before 1970 cannot be: they are clamped on receipt.
std::uint64_t unsigned_time(events::EpochMs time) { return time < 0 ? 0 : static_cast<std::uint64_t>(time); }

void write_texts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

std::string_view to_text(ports::ErasureState state) {
  switch (state) {
    case ports::ErasureState::kErased: return "erased";
    case ports::ErasureState::kPending: return "pending";
    case ports::ErasureState::kUnreadable: return "unreadable";
  }
  return "pending";
}

void write_features(JsonWriter& json, const search::KnownFeatures& answer) {
  json.key("recent_items").begin_array();
  for (const events::RecentItem& item : answer.recent_items) {
    json.begin_object();
    json.key("item_id").text(item.item_id);
    json.key("event_type").text(events::to_string(item.type));
    json.key("time_ms").integer(unsigned_time(item.time_ms));
    json.end_object();
  }
  json.end_array();
  json.key("affinities").begin_array();
  for (const search::ExportedAffinity& affinity : answer.affinities) {
    json.begin_object();
    json.key("category").text(affinity.category);
    json.key("score").number(affinity.score);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string event_answer_json(const AnswerHead& head, const search::TrackedEvent& event) {
  JsonWriter json;
  json.begin_object();
  write_head(json, head);
  write_event(json, event);
  json.end_object();
  return std::move(json).take();
}

std::string events_answer_json(const AnswerHead& head, const std::vector<search::TrackedEvent>& events) {
  constexpr std::size_t kEventBytes = 160;
  JsonWriter json(256 + events.size() * kEventBytes);
  json.begin_object();
  write_head(json, head);
  json.key("results").begin_array();
  for (const search::TrackedEvent& event : events) {
    json.begin_object();
    json.key("status").text(search::to_string(event.status));
    if (event.status == search::TrackStatus::kStored) {
      write_event(json, event);
    } else if (!event.event_id.empty()) {
      json.key("event_id").text(event.event_id);
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return std::move(json).take();
}

std::string forget_answer_json(const AnswerHead& head, const search::ForgetAnswer& answer) {
  JsonWriter json;
  json.begin_object();
  write_head(json, head);
  write_event(json, answer.event);
  json.key("applied").boolean(answer.applied);
  json.key("erasure").text(to_text(answer.erasure));
  json.key("sessions");
  write_texts(json, answer.sessions);
  json.key("sessions_complete").boolean(answer.sessions_complete);
  json.end_object();
  return std::move(json).take();
}

std::string features_answer_json(const AnswerHead& head, const search::FeaturesAnswer& answer) {
  JsonWriter json(1024);
  json.begin_object();
  write_head(json, head);
  json.key("data").begin_object();
  json.key("user_id").text(answer.user_id);
  json.key("as_of_ms").integer(unsigned_time(answer.as_of_ms));
  json.key("personalize").boolean(answer.personalize);
  if (answer.last_event_ms > 0) json.key("last_event_ms").integer(unsigned_time(answer.last_event_ms));
  write_features(json, answer);
  json.end_object();
  json.end_object();
  return std::move(json).take();
}

std::string user_answer_json(const AnswerHead& head, const search::ExportAnswer& answer) {
  constexpr std::size_t kRecordBytes = 320;
  JsonWriter json(1024 + (answer.events.size() + answer.impressions.size()) * kRecordBytes);
  json.begin_object();
  write_head(json, head);
  json.key("data").begin_object();
  json.key("user_id").text(answer.user_id);
  json.key("as_of_ms").integer(unsigned_time(answer.as_of_ms));
  json.key("personalize").boolean(answer.personalize);
  write_features(json, answer);
  json.key("sessions");
  write_texts(json, answer.sessions);
  json.key("sessions_complete").boolean(answer.sessions_complete);
  json.key("events_available").boolean(answer.events_available);
  json.key("events").begin_array();
  for (const events::LoggedEvent& logged : answer.events) json.raw(events::to_json(logged.event));
  json.end_array();
  json.key("impressions_available").boolean(answer.impressions_available);
  json.key("impressions").begin_array();
  for (const events::Impression& impression : answer.impressions) json.raw(events::to_json(impression));
  json.end_array();
  if (!answer.next_cursor.empty()) json.key("next_cursor").text(answer.next_cursor);
  json.end_object();
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
