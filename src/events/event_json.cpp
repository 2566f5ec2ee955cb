#include "events/event_json.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "events/json_reader.hpp"
#include "text/json_text.hpp"
#include "events/validation.hpp"

namespace scalestyle::events {

namespace {

void read_type(JsonReader& json, Event& event) {
  const std::string name = json.text();
  if (const auto type = event_type(name)) {
    event.type = *type;
  } else if (json.ok()) {
    json.fail("no such event type");
  }
}

void read_source(JsonReader& json, Event& event) {
  const std::string name = json.text();
  if (const auto source = event_source(name)) {
    event.source = *source;
  } else if (json.ok()) {
    json.fail("no such source");
  }
}

void read_device(JsonReader& json, Event& event) {
  const std::string name = json.text();
  if (const auto found = device(name)) {
    event.device = *found;
  } else if (json.ok()) {
    json.fail("no such device");
  }
}

void read_position(JsonReader& json, Event& event) {
  const std::int64_t position = json.integer();
  if (position < 0 || position > kMaxEventPosition) return json.fail(fmt::format("must be 0 to {}", kMaxEventPosition));
  event.position = static_cast<std::uint32_t>(position);
}

struct Field {
  std::string_view name;
  bool required;
  void (*read)(JsonReader& json, Event& event);
};

// In the order of writing.
constexpr std::array<Field, 15> kFields{{
    {"event_id", true, [](JsonReader& json, Event& event) { event.event_id = json.text(); }},
    {"event_type", true, read_type},
    {"event_time_ms", true, [](JsonReader& json, Event& event) { event.event_time_ms = json.integer(); }},
    {"received_time_ms", true, [](JsonReader& json, Event& event) { event.received_time_ms = json.integer(); }},
    {"user_id", false, [](JsonReader& json, Event& event) { event.user_id.emplace(json.text()); }},
    {"session_id", false, [](JsonReader& json, Event& event) { event.session_id.emplace(json.text()); }},
    {"item_id", false, [](JsonReader& json, Event& event) { event.item_id = json.text(); }},
    {"category", false, [](JsonReader& json, Event& event) { event.category = json.text(); }},
    {"weight", false, [](JsonReader& json, Event& event) { event.weight = json.number(); }},
    {"source", false, read_source},
    {"device", false, read_device},
    {"query", false, [](JsonReader& json, Event& event) { event.query = json.text(); }},
    {"position", false, read_position},
    {"request_id", false, [](JsonReader& json, Event& event) { event.request_id = json.text(); }},
    {"personalize", false, [](JsonReader& json, Event& event) { event.personalize = json.boolean(); }},
}};

constexpr std::uint32_t required_fields() {
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < kFields.size(); ++i) mask |= kFields[i].required ? 1U << i : 0U;
  return mask;
}

// Fields come in the order of writing more often than not: the search begins where the last one was found.
std::size_t find_field(std::string_view name, std::size_t expected) {
  for (std::size_t step = 0; step < kFields.size(); ++step) {
    const std::size_t index = (expected + step) % kFields.size();
    if (kFields[index].name == name) return index;
  }
  return kFields.size();
}

core::Error problem(std::string_view where, std::string_view field, std::string_view text) {
  std::string message = field.empty() ? fmt::format("{}: {}", where, text) : fmt::format("{}: {}: {}", where, field, text);
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::string(field)).error();
}

template <class Integer>
void append_integer(std::string_view name, Integer value, std::string& out) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out += name;
  out.append(digits.data(), end);
}

void append_text(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  text::append_json_text(value, out);
}

}  // namespace

void append_json(const Event& event, std::string& out) {
  append_text("{\"event_id\":", event.event_id, out);
  append_text(",\"event_type\":", to_string(event.type), out);
  append_integer(",\"event_time_ms\":", event.event_time_ms, out);
  append_integer(",\"received_time_ms\":", event.received_time_ms, out);
  if (event.user_id) append_text(",\"user_id\":", event.user_id->value(), out);
  if (event.session_id) append_text(",\"session_id\":", event.session_id->value(), out);
  if (!event.item_id.empty()) append_text(",\"item_id\":", event.item_id, out);
  if (!event.category.empty()) append_text(",\"category\":", event.category, out);
  if (event.weight != 0) append_integer(",\"weight\":", event.weight, out);
  if (event.source != EventSource::kUnknown) append_text(",\"source\":", to_string(event.source), out);
  if (event.device != Device::kApi) append_text(",\"device\":", to_string(event.device), out);
  if (!event.query.empty()) append_text(",\"query\":", event.query, out);
  if (event.position) append_integer(",\"position\":", *event.position, out);
  if (!event.request_id.empty()) append_text(",\"request_id\":", event.request_id, out);
  if (event.personalize) out += *event.personalize ? ",\"personalize\":true" : ",\"personalize\":false";
  out += '}';
}

std::string to_json(const Event& event) {
  constexpr std::size_t kTypical = 384;
  std::string out;
  out.reserve(kTypical);
  append_json(event, out);
  return out;
}

core::Result<Event> parse_event_json(std::string_view json, std::string_view where) {
  if (json.size() > kMaxEventJsonBytes) {
    return std::unexpected(problem(where, {}, fmt::format("an event has at most {} bytes of JSON, this one has {}",
                                                          kMaxEventJsonBytes, json.size())));
  }
  JsonReader reader(json);
  Event event;
  std::uint32_t seen = 0;
  std::size_t expected = 0;
  reader.begin_object();
  while (const auto name = reader.next_key()) {
    const std::size_t index = find_field(*name, expected);
    if (index == kFields.size()) {
      constexpr std::size_t kShownBytes = 64;
      std::string shown;
      text::append_json_text(name->substr(0, kShownBytes), shown);
      return std::unexpected(problem(where, name->substr(0, kShownBytes), fmt::format("unknown field {}", shown)));
    }
    if ((seen & (1U << index)) != 0) return std::unexpected(problem(where, kFields[index].name, "is there twice"));
    seen |= 1U << index;
    expected = index + 1;
    kFields[index].read(reader, event);
    if (!reader.ok()) return std::unexpected(problem(where, kFields[index].name, reader.problem()));
  }
  reader.finish();
  if (!reader.ok()) return std::unexpected(problem(where, {}, reader.problem()));
  if (const std::uint32_t missing = required_fields() & ~seen; missing != 0) {
    const std::string_view name = kFields[static_cast<std::size_t>(std::countr_zero(missing))].name;
    return std::unexpected(problem(where, name, "is missing"));
  }
  if (auto checked = check_event(event); !checked) {
    return std::unexpected(core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: {}", where, checked.error().message),
                                      checked.error().field)
                               .error());
  }
  return event;
}

}  // namespace scalestyle::events
