#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "events/event_json.hpp"
#include "events/json_reader.hpp"
#include "text/json_text.hpp"
#include "events/validation.hpp"

namespace scalestyle::events {

namespace {

// Reads the object that comes next: `read(name)` reads the value of a field and gives the field's number, or nothing
// for a name it does not know. The fields of `required`, a bit each, must be there. Gives the name at fault.
template <class Read>
std::string read_object(JsonReader& json, std::uint32_t required, const Read& read) {
  std::uint32_t seen = 0;
  json.begin_object();
  while (const auto key = json.next_key()) {
    const std::string name(*key);
    const std::optional<unsigned> number = read(name);
    if (!number) json.fail("unknown field");
    if (number && (seen & (1U << *number)) != 0) json.fail("is there twice");
    if (!json.ok()) return name;
    seen |= 1U << *number;
  }
  if (json.ok() && (required & ~seen) != 0) json.fail("a field is missing");
  return {};
}

void read_item(JsonReader& json, Impression& impression) {
  if (impression.items.size() == kMaxShownItems) return json.fail(fmt::format("must have at most {} items", kMaxShownItems));
  ShownItem& item = impression.items.emplace_back();
  static_cast<void>(read_object(json, 0b01, [&](const std::string& name) -> std::optional<unsigned> {
    if (name == "item_id") {
      item.item_id = json.text();
      return 0;
    }
    if (name == "probability") {
      item.probability = json.number();
      return 2;
    }
    if (name != "position") return std::nullopt;
    const std::int64_t position = json.integer();
    if (position < 0 || position > std::numeric_limits<std::uint32_t>::max()) json.fail("position is out of range");
    item.position = static_cast<std::uint32_t>(position);
    return 1;
  }));
}

void read_arm(JsonReader& json, Impression& impression) {
  if (impression.arms.size() == kMaxImpressionArms) return json.fail(fmt::format("must have at most {} arms", kMaxImpressionArms));
  ExperimentArm& arm = impression.arms.emplace_back();
  static_cast<void>(read_object(json, 0b11, [&](const std::string& name) -> std::optional<unsigned> {
    if (name == "experiment") {
      arm.experiment = json.text();
      return 0;
    }
    if (name != "arm") return std::nullopt;
    arm.arm = json.text();
    return 1;
  }));
}

void read_source(JsonReader& json, Impression& impression) {
  const std::string name = json.text();
  if (const auto source = event_source(name)) {
    impression.source = *source;
  } else if (json.ok()) {
    json.fail("no such source");
  }
}

void read_items(JsonReader& json, Impression& impression) {
  json.begin_array();
  while (json.next_element() && json.ok()) read_item(json, impression);
}

void read_arms(JsonReader& json, Impression& impression) {
  json.begin_array();
  while (json.next_element() && json.ok()) read_arm(json, impression);
}

struct Field {
  std::string_view name;
  void (*read)(JsonReader& json, Impression& impression);
};

// In the order of writing.
constexpr std::array<Field, 11> kFields{{
    {"request_id", [](JsonReader& json, Impression& one) { one.request_id = json.text(); }},
    {"time_ms", [](JsonReader& json, Impression& one) { one.time_ms = json.integer(); }},
    {"user_id", [](JsonReader& json, Impression& one) { one.user_id.emplace(json.text()); }},
    {"session_id", [](JsonReader& json, Impression& one) { one.session_id.emplace(json.text()); }},
    {"source", read_source},
    {"query", [](JsonReader& json, Impression& one) { one.query = json.text(); }},
    {"generation", [](JsonReader& json, Impression& one) { one.generation = json.text(); }},
    {"personalized", [](JsonReader& json, Impression& one) { one.personalized = json.boolean(); }},
    {"degraded", [](JsonReader& json, Impression& one) { one.degraded = json.boolean(); }},
    {"arms", read_arms},
    {"items", read_items},
}};
constexpr std::uint32_t kRequired = 0b10'000'010'010;  // time_ms, source, items

void append_text(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  text::append_json_text(value, out);
}

}  // namespace

void append_json(const Impression& impression, std::string& out) {
  append_text("{\"request_id\":", impression.request_id, out);
  out += fmt::format(",\"time_ms\":{}", impression.time_ms);
  if (impression.user_id) append_text(",\"user_id\":", impression.user_id->value(), out);
  if (impression.session_id) append_text(",\"session_id\":", impression.session_id->value(), out);
  append_text(",\"source\":", to_string(impression.source), out);
  if (!impression.query.empty()) append_text(",\"query\":", impression.query, out);
  if (!impression.generation.empty()) append_text(",\"generation\":", impression.generation, out);
  if (impression.personalized) out += ",\"personalized\":true";
  if (impression.degraded) out += ",\"degraded\":true";
  if (!impression.arms.empty()) {
    out += ",\"arms\":";
    char before = '[';
    for (const ExperimentArm& arm : impression.arms) {
      out += std::exchange(before, ',');
      append_text("{\"experiment\":", arm.experiment, out);
      append_text(",\"arm\":", arm.arm, out);
      out += '}';
    }
    out += ']';
  }
  out += ",\"items\":[";
  for (std::size_t i = 0; i < impression.items.size(); ++i) {
    append_text(i == 0 ? "{\"item_id\":" : ",{\"item_id\":", impression.items[i].item_id, out);
    out += fmt::format(",\"position\":{}", impression.items[i].position);
    if (impression.items[i].probability) out += fmt::format(",\"probability\":{}", *impression.items[i].probability);
    out += '}';
  }
  out += "]}";
}

std::string to_json(const Impression& impression) {
  constexpr std::size_t kEnvelope = 384;
  constexpr std::size_t kItem = 48;
  std::string out;
  out.reserve(kEnvelope + kItem * impression.items.size());
  append_json(impression, out);
  return out;
}

core::Result<Impression> parse_impression_json(std::string_view json, std::string_view where) {
  const auto refuse = [&](std::string_view field, std::string_view problem) {
    std::string message = field.empty() ? fmt::format("{}: {}", where, problem) : fmt::format("{}: {}: {}", where, field, problem);
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::string(field));
  };
  if (json.size() > kMaxImpressionJsonBytes) {
    return refuse({}, fmt::format("an impression has at most {} bytes of JSON, this one has {}", kMaxImpressionJsonBytes,
                                  json.size()));
  }
  JsonReader reader(json);
  Impression impression;
  const std::string at_fault = read_object(reader, kRequired, [&](const std::string& name) -> std::optional<unsigned> {
    for (unsigned i = 0; i < kFields.size(); ++i) {
      if (kFields[i].name != name) continue;
      kFields[i].read(reader, impression);
      return i;
    }
    return std::nullopt;
  });
  reader.finish();
  if (!reader.ok()) return refuse(at_fault, reader.problem());
  if (auto checked = check_impression(impression); !checked) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: {}", where, checked.error().message), checked.error().field);
  }
  return impression;
}

}  // namespace scalestyle::events
