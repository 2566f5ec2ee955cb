#include <string_view>

#include "http/event_bodies.hpp"
#include "http/openapi.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kEventAnswer = R"json({
"type":"object","description":"What was sent is on disk.","required":["status","request_id","took_ms","event_id","token","duplicate"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"event_id":{"type":"string","description":"The client's, or a new one."},
"token":{"$ref":"#/components/schemas/Token"},
"duplicate":{"type":"boolean","description":"An event with this event_id was kept before; the token is that one's."}}})json";

constexpr std::string_view kToken = R"json({
"type":"string","maxLength":96,"description":"The event's place in the log, for the parameter after. Opaque."})json";

constexpr std::string_view kEventsAnswer = R"json({
"type":"object","description":"Everything is on disk; impressions are about to be.","required":["status","request_id","took_ms","results"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"results":{"type":"array","description":"One an event, in order.","items":{"$ref":"#/components/schemas/EventResult"}}}})json";

constexpr std::string_view kEventResult = R"json({
"type":"object","required":["status"],
"properties":{"status":{"enum":["stored","accepted","dropped"],"description":"stored: on disk. accepted: an impression, to be written soon. dropped: an impression, left out since too many wait."},
"event_id":{"type":"string"},"token":{"$ref":"#/components/schemas/Token"},
"duplicate":{"type":"boolean","description":"An event with this event_id was kept before."}}})json";

constexpr std::string_view kForgetAnswer = R"json({
"type":"object","required":["status","request_id","took_ms","event_id","token","duplicate","applied","erasure","sessions","sessions_complete"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"event_id":{"type":"string"},"token":{"$ref":"#/components/schemas/Token"},"duplicate":{"type":"boolean"},
"applied":{"type":"boolean","description":"Lists are no longer bent by what was forgotten; false: not yet."},
"erasure":{"enum":["erased","pending","unreadable"],"description":"erased: the bytes are gone. pending: they will be, and nothing reads them. unreadable: nothing reads them, they go with the log's retention."},
"sessions":{"type":"array","items":{"type":"string"},"description":"Sessions that were merged into the user, forgotten with it."},
"sessions_complete":{"type":"boolean","description":"false: more sessions were merged than are followed."}}})json";

constexpr std::string_view kUserAnswer = R"json({
"type":"object","required":["status","request_id","took_ms","data"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"data":{"$ref":"#/components/schemas/UserExport"}}})json";

constexpr std::string_view kUserExport = R"json({
"type":"object","description":"Everything that is kept of a user, its events by pages.",
"required":["user_id","as_of_ms","personalize","recent_items","affinities","sessions","sessions_complete","events_available","events","impressions_available","impressions"],
"properties":{
"user_id":{"type":"string"},"as_of_ms":{"type":"integer","minimum":0,"description":"Milliseconds since 1970."},
"personalize":{"type":"boolean"},
"recent_items":{"type":"array","items":{"type":"object","required":["item_id","event_type","time_ms"],
"properties":{"item_id":{"type":"string"},"event_type":{"type":"string"},"time_ms":{"type":"integer","minimum":0}}}},
"affinities":{"type":"array","items":{"type":"object","required":["category","score"],
"properties":{"category":{"type":"string"},"score":{"type":"number","description":"As of as_of_ms."}}}},
"sessions":{"type":"array","items":{"type":"string"},"description":"Merged into the user."},
"sessions_complete":{"type":"boolean","description":"false: more sessions were merged than are followed."},
"events_available":{"type":"boolean","description":"false: the log cannot look events up by subject."},
"events":{"type":"array","description":"Oldest first.","items":{"$ref":"#/components/schemas/LoggedEvent"}},
"impressions_available":{"type":"boolean"},
"impressions":{"type":"array","description":"Newest first; on the first page alone.","items":{"$ref":"#/components/schemas/Impression"}},
"next_cursor":{"type":"string","description":"For the parameter cursor of the next page; absent on the last."}}})json";

constexpr std::string_view kFeaturesAnswer = R"json({
"type":"object","required":["status","request_id","took_ms","data"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"data":{"$ref":"#/components/schemas/UserFeatures"}}})json";

constexpr std::string_view kUserFeatures = R"json({
"type":"object","description":"What lists for a user are personalised by, as of now.",
"required":["user_id","as_of_ms","personalize","recent_items","affinities"],
"properties":{
"user_id":{"type":"string"},"as_of_ms":{"type":"integer","minimum":0,"description":"Milliseconds since 1970."},
"personalize":{"type":"boolean"},
"last_event_ms":{"type":"integer","minimum":0,"description":"Absent where nothing is known of the user."},
"recent_items":{"type":"array","description":"Newest first.","items":{"type":"object","required":["item_id","event_type","time_ms"],
"properties":{"item_id":{"type":"string"},"event_type":{"type":"string"},"time_ms":{"type":"integer","minimum":0}}}},
"affinities":{"type":"array","items":{"type":"object","required":["category","score"],
"properties":{"category":{"type":"string"},"score":{"type":"number","description":"As of as_of_ms."}}}}}})json";

constexpr std::string_view kLoggedEvent = R"json({
"type":"object","description":"An event as the log keeps it.","required":["event_id","event_type","event_time_ms","received_time_ms"],
"properties":{"event_id":{"type":"string"},"event_type":{"type":"string"},
"event_time_ms":{"type":"integer"},"received_time_ms":{"type":"integer"},
"user_id":{"type":"string"},"session_id":{"type":"string"},"item_id":{"type":"string"},
"category":{"type":"string","description":"The article's product type when the event was taken."},"weight":{"type":"number"},
"source":{"type":"string"},"device":{"type":"string"},"query":{"type":"string"},"position":{"type":"integer"},
"request_id":{"type":"string"},"personalize":{"type":"boolean"}}})json";

constexpr std::string_view kImpression = R"json({
"type":"object","description":"What an answer showed.","required":["request_id","time_ms"],
"properties":{"request_id":{"type":"string"},"time_ms":{"type":"integer"},"user_id":{"type":"string"},"session_id":{"type":"string"},
"source":{"type":"string"},"query":{"type":"string"},"generation":{"type":"string"},"personalized":{"type":"boolean"},
"degraded":{"type":"boolean"},"arms":{"type":"array","items":{"$ref":"#/components/schemas/ExperimentArm"}},
"items":{"type":"array","items":{"type":"object","required":["item_id","position"],
"properties":{"item_id":{"type":"string"},"position":{"type":"integer"}}}}}})json";

void write_type(JsonWriter& json, std::string_view type, bool required) {
  json.key("type");
  if (required) {
    json.text(type);
  } else {
    json.begin_array().text(type).text("null").end_array();
  }
}

void write_field_kind(JsonWriter& json, const BodyField& field) {
  switch (field.kind) {
    case BodyKind::kText:
      write_type(json, "string", field.required);
      json.key("minLength").number(field.minimum);
      json.key("maxLength").number(field.maximum);
      break;
    case BodyKind::kInteger:
    case BodyKind::kNumber:
      write_type(json, field.kind == BodyKind::kInteger ? "integer" : "number", field.required);
      json.key("minimum").number(field.minimum);
      json.key("maximum").number(field.maximum);
      break;
    case BodyKind::kBoolean: write_type(json, "boolean", field.required); break;
    case BodyKind::kTime:
      json.key("oneOf").begin_array();
      json.raw(R"({"type":"string","format":"date-time"})").raw(R"({"type":"integer","description":"Milliseconds since 1970."})");
      if (!field.required) json.raw(R"({"type":"null"})");
      json.end_array();
      break;
    case BodyKind::kObjects:
      write_type(json, "array", field.required);
      json.key("minItems").number(field.minimum);
      json.key("maxItems").number(field.maximum);
      json.key("items").begin_object().key("$ref").text("#/components/schemas/" + std::string(field.entries->schema)).end_object();
      break;
  }
}

void write_field(JsonWriter& json, const BodyField& field) {
  json.key(field.name).begin_object();
  json.key("description").text(field.description);
  write_field_kind(json, field);
  if (!field.choices.empty()) {
    json.key("enum").begin_array();
    for (const std::string_view choice : field.choices) json.text(choice);
    if (!field.required) json.null();
    json.end_array();
  }
  json.end_object();
}

}  // namespace

void write_body_schema(JsonWriter& json, const BodySpec& spec) {
  json.key(spec.schema).begin_object();
  json.key("type").text("object");
  json.key("description").text(spec.description);
  json.key("additionalProperties").boolean(false);
  json.key("required").begin_array();
  for (const BodyField& field : spec.fields) {
    if (field.required) json.text(field.name);
  }
  json.end_array();
  json.key("properties").begin_object();
  for (const BodyField& field : spec.fields) write_field(json, field);
  json.end_object().end_object();
  for (const BodyField& field : spec.fields) {
    if (field.entries != nullptr) write_body_schema(json, *field.entries);
  }
}

void write_event_schemas(JsonWriter& json) {
  for (const BodySpec* body : {&click_body(), &events_body(), &merge_body(), &preferences_body()}) write_body_schema(json, *body);
  json.key("EventAnswer").raw(without_line_ends(kEventAnswer));
  json.key("EventsAnswer").raw(without_line_ends(kEventsAnswer));
  json.key("EventResult").raw(without_line_ends(kEventResult));
  json.key("ForgetAnswer").raw(without_line_ends(kForgetAnswer));
  json.key("FeaturesAnswer").raw(without_line_ends(kFeaturesAnswer));
  json.key("UserFeatures").raw(without_line_ends(kUserFeatures));
  json.key("UserAnswer").raw(without_line_ends(kUserAnswer));
  json.key("UserExport").raw(without_line_ends(kUserExport));
  json.key("LoggedEvent").raw(without_line_ends(kLoggedEvent));
  json.key("Impression").raw(without_line_ends(kImpression));
  json.key("Token").raw(without_line_ends(kToken));
}

}  // namespace scalestyle::http
