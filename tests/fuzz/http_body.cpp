// JSON bodies of the routes that change something, and parameters as JSON.

#include <array>

#include "fuzz/target.hpp"
#include "http/article_bodies.hpp"
#include "http/event_bodies.hpp"
#include "http/json_body.hpp"
#include "http/parameter_body.hpp"
#include "http/visual_parameters.hpp"
#include "text/unicode.hpp"

namespace scalestyle::fuzz {
namespace {

void refused(const core::Error& error) {
  require(error.code == core::ErrorCode::kInvalidArgument && !error.message.empty() && !error.field.empty());
  require(text::is_valid_utf8(error.message));
  require(error.message.size() < 4'096);  // a body is never given back whole
}

void check_events(std::string_view json) {
  const auto body = http::read_body(http::events_body(), json);
  if (!body) return refused(body.error());
  const auto events = http::to_events(*body);
  require(!events.empty() && events.size() <= json.size());
}

void check_changes(std::string_view json) {
  const auto body = http::read_body(http::changes_body(), json);
  if (!body) return refused(body.error());
  const auto changes = http::to_changes(*body);
  if (!changes) return refused(changes.error());
  require(!changes->empty());
}

}  // namespace

std::vector<std::string> seeds() {
  return {R"({"item_id":"0108775015","source":"search","query":"red dress","position":3,"user_id":"u1","session_id":"s",)"
          R"("event_id":"e-1"})",
          R"({"events":[{"type":"view","item_id":"108775015","session_id":"s","weight":0.3,)"
          R"("timestamp":"2026-03-08T10:15:30.123Z"},)"
          R"({"type":"purchase","item_id":"0108775015","user_id":"u","timestamp":1772964930123}]})",
          R"({"session_id":"s1"})", R"({"personalize":false})",
          R"({"product_name":"Dress","price":19.99,"available":true,"colour":"Red","description":null})",
          R"({"operations":[{"operation":"upsert","article_id":"0108775015","product_name":"A"},{"operation":"delete",)"
          R"("article_id":"7"},)"
          R"({"operation":"patch","article_id":"8","price":null,"available":false}]})",
          R"({"mode":"multimodal","query":"red","image":"iVBORw0KGgo=","k":10,"colour":["Red","Blue"],"facets":true})"};
}

std::vector<std::string> words() {
  return {"{", "}", "[", "]", ":", ",", "\"", "null", "true", "false", "-0", "1e400", "\\u0000", "\\ud800", "\\udc00",
          "\"events\":[",
          "\"operations\":[", "\"item_id\":", "\"type\":\"click\"", "\"timestamp\":", "\xef\xbb\xbf", "9223372036854775808"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle;  // NOLINT: one function
  const std::string_view json = fuzz::text_of(data, size);
  fuzz::check_events(json);
  fuzz::check_changes(json);
  for (const auto* spec : {&http::click_body(), &http::merge_body(), &http::preferences_body(), &http::article_body(),
                           &http::article_patch_body()}) {
    const auto body = http::read_body(*spec, json);
    if (!body) fuzz::refused(body.error());
  }
  for (const auto* form : {&http::image_search_body(), &http::hybrid_search_body()}) {
    const auto values = http::read_parameters(*form, "application/json", json);
    if (!values) fuzz::refused(values.error());
  }
  return 0;
}
