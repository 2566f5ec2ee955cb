// Lines of an exported log, tokens of positions and cursors of pages.

#include <chrono>

#include "events/event_json.hpp"
#include "events/event_position.hpp"
#include "events/item_record.hpp"
#include "events/validation.hpp"
#include "fuzz/target.hpp"
#include "search/page_cursor.hpp"

namespace scalestyle::fuzz {
namespace {

const core::WallTime kNow{std::chrono::seconds(1'772'964'930)};

const search::PageCursors& cursors() {
  static const search::PageCursors all({.key = "a key of sixteen bytes and more"});
  return all;
}

void check(std::string_view input) {
  if (const auto event = events::parse_event_json(input, "fuzz")) {
    const auto again = events::parse_event_json(events::to_json(*event), "fuzz");
    require(again && *again == *event);
  }
  if (const auto impression = events::parse_impression_json(input, "fuzz")) {
    require(events::parse_impression_json(events::to_json(*impression), "fuzz").has_value());
  }
  if (const auto reference = events::parse_reference(input, "after")) {
    const auto again = events::parse_reference(events::to_token(reference->position, reference->mark), "after");
    require(again && *again == *reference);
  }
  const auto shown = cursors().read(input, "generation", "request", kNow);
  if (!shown) {
    require(shown.error().field == "cursor");
  } else {
    for (std::size_t i = 1; i < shown->size(); ++i) require((*shown)[i - 1] < (*shown)[i]);
  }
  events::ItemRecord record;
  static_cast<void>(record.decode(input));
}

}  // namespace

std::vector<std::string> seeds() {
  return {R"({"event_id":"3f0c","event_type":"click","event_time_ms":1772879445123,"received_time_ms":1772879445999,)"
          R"("user_id":"user-42",)"
          R"("session_id":"s","item_id":"0108775015","category":"Vest top","weight":0.30000000000000004,"source":"image_search",)"
          R"("device":"mobile","query":"red\tdress\n\u0001","position":10000,"request_id":"req-1.a_b"})",
          R"({"event_id":"p","event_type":"preferences","event_time_ms":0,"received_time_ms":0,"user_id":"u",)"
          R"("personalize":false})",
          R"({"request_id":"r","time_ms":1,"items":[{"item_id":"0108775015","position":1,"probability":0.5}]})",
          events::to_token({"log", 0, 118}, 77), events::to_token({"scalestyle.clicks", 11, 9'000'000'000}),
          cursors().write({.generation = "generation", .request = "request", .shown = {1, 5, 900, 70'000}}, kNow).value_or("")};
}

std::vector<std::string> words() {
  return {"{", "}", "\"", ":", ",", "null", "\"weight\":", "\"event_type\":\"", "-", ".", "1e309", "\\u0000", "AAAA", "_", "="};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scalestyle::fuzz::check(scalestyle::fuzz::text_of(data, size));
  return 0;
}
