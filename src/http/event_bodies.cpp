#include "http/event_bodies.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace scalestyle::http {

namespace {

constexpr double kMaxSubjectCharacters = events::kMaxSubjectCharacters;
constexpr double kMaxItemIdCharacters = 64;

constexpr std::array<std::string_view, 5> kTypes{"click", "view", "impression", "add_to_cart", "purchase"};
constexpr std::array<std::string_view, 4> kSources{"search", "browse", "recommendation", "image_search"};
constexpr std::array<std::string_view, 3> kDevices{"web", "mobile", "api"};

constexpr BodyField kEventId{.name = "event_id",
                             .description = "The client's own id of this request, visible ASCII. What carries one that was "
                                            "kept before is not counted again and answered as the first time.",
                             .minimum = 1,
                             .maximum = events::kMaxEventIdBytes};
constexpr BodyField kSessionId{.name = "session_id",
                               .description = "The shopper's session.",
                               .minimum = 1,
                               .maximum = kMaxSubjectCharacters};
constexpr BodyField kType{.name = "event_type",
                          .description = "What the shopper did.",
                          .minimum = 1,
                          .maximum = 20,
                          .required = true,
                          .choices = kTypes};
constexpr BodyField kSource{.name = "source",
                            .description = "The kind of list that the item was in.",
                            .minimum = 1,
                            .maximum = 20,
                            .choices = kSources};

constexpr std::array kItemFields{
    BodyField{.name = "item_id",
              .description = "The article.",
              .minimum = 1,
              .maximum = kMaxItemIdCharacters,
              .required = true},
    BodyField{.name = "user_id",
              .description = "The shopper; this or session_id is required.",
              .minimum = 1,
              .maximum = kMaxSubjectCharacters},
    kSessionId,
    BodyField{.name = "query",
              .description = "What was searched for.",
              .maximum = events::kMaxEventQueryCharacters,
              .may_be_blank = true},
    BodyField{.name = "position",
              .kind = BodyKind::kInteger,
              .description = "The item's place in the list.",
              .maximum = events::kMaxEventPosition},
    BodyField{.name = "device", .description = "Where; api when absent.", .minimum = 1, .maximum = 20, .choices = kDevices},
    kEventId,
    BodyField{.name = "request_id",
              .description = "The request_id of the answer that showed the item.",
              .minimum = 1,
              .maximum = events::kMaxRequestIdBytes},
    BodyField{.name = "timestamp",
              .kind = BodyKind::kTime,
              .description = "When it happened, cut to bounds around the time of receipt; the time of receipt when absent."},
};

template <std::size_t Count>
constexpr std::array<BodyField, kItemFields.size() + Count> with_item_fields(const std::array<BodyField, Count>& own) {
  std::array<BodyField, kItemFields.size() + Count> all{};
  std::ranges::copy(own, all.begin());
  std::ranges::copy(kItemFields, all.begin() + Count);
  return all;
}

constexpr BodyField required(BodyField field) {
  field.required = true;
  return field;
}

constexpr auto kClickFields = with_item_fields(std::array{required(kSource)});
constexpr auto kEventFields = with_item_fields(std::array{kType, kSource});
constexpr BodySpec kClick{.schema = "ClickBody", .description = "A click on an article.", .fields = kClickFields};
constexpr BodySpec kEvent{.schema = "EventBody", .description = "Something that a shopper did with an article.", .fields = kEventFields};

constexpr std::array kBatchFields{BodyField{.name = "events",
                                            .kind = BodyKind::kObjects,
                                            .description = "Kept all or none, except impressions, which are kept lightly.",
                                            .minimum = 1,
                                            .maximum = events::kMaxBatchEvents,
                                            .required = true,
                                            .entries = &kEvent}};
constexpr BodySpec kEvents{.schema = "EventsBody", .description = "Events of any shoppers.", .fields = kBatchFields};

constexpr std::array kMergeFields{BodyField{.name = "session_id",
                                            .description = "The shopper's session; only a browser key may leave it out: then it is that of "
                                                           "the cookie.",
                                            .minimum = 1,
                                            .maximum = kMaxSubjectCharacters},
                                  kEventId};
constexpr BodySpec kMerge{.schema = "MergeBody",
                          .description = "The session whose history becomes the user's.",
                          .fields = kMergeFields};

constexpr std::array kPreferencesFields{BodyField{.name = "personalize",
                                                  .kind = BodyKind::kBoolean,
                                                  .description = "Whether lists are bent by the user's own events.",
                                                  .required = true},
                                        kEventId};
constexpr BodySpec kPreferences{.schema = "PreferencesBody",
                                .description = "The user's own settings.",
                                .fields = kPreferencesFields};

std::optional<std::string> optional_text(const Body& body, std::string_view name) {
  const std::string* value = body.text(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

events::EventInput to_input(const Body& body, std::string type) {
  events::EventInput input;
  input.event_type = std::move(type);
  input.user_id = optional_text(body, "user_id");
  input.session_id = optional_text(body, "session_id");
  input.item_id = optional_text(body, "item_id");
  input.source = optional_text(body, "source");
  input.device = optional_text(body, "device");
  input.query = optional_text(body, "query");
  input.position = body.integer("position");
  input.event_id = optional_text(body, "event_id");
  input.request_id = optional_text(body, "request_id");
  if (const std::string* text = body.text("timestamp")) {
    input.timestamp = *text;
  } else if (const auto milliseconds = body.integer("timestamp")) {
    input.timestamp = *milliseconds;
  }
  return input;
}

}  // namespace

const BodySpec& click_body() { return kClick; }
const BodySpec& events_body() { return kEvents; }
const BodySpec& merge_body() { return kMerge; }
const BodySpec& preferences_body() { return kPreferences; }

events::EventInput to_click(const Body& body) { return to_input(body, "click"); }

std::vector<events::EventInput> to_events(const Body& body) {
  std::vector<events::EventInput> inputs;
  inputs.reserve(body.objects("events").size());
  for (const Body& entry : body.objects("events")) inputs.push_back(to_input(entry, *entry.text("event_type")));
  return inputs;
}

}  // namespace scalestyle::http
