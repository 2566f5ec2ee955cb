// Records of other producers: a record is an event that our own rules take, or it says why not.

#include "adapters/kafka/failed_record.hpp"
#include "adapters/kafka/json_splice.hpp"
#include "adapters/kafka/kafka_record.hpp"
#include "events/validation.hpp"
#include "fuzz/target.hpp"
#include "text/unicode.hpp"

namespace scalestyle::fuzz {
namespace {

namespace kafka = adapters::kafka;

void check_record(std::string_view value) {
  kafka::KafkaEnvelope envelope;
  envelope.position = {"scalestyle.clicks", 4, 118};
  envelope.timestamp_ms = 1'772'964'931'000;
  envelope.retry_count = std::string(value.substr(0, value.find('{')));
  const auto record = kafka::read_record(value, envelope, {});
  if (!record) {
    require(!record.error().empty() && text::is_valid_utf8(record.error()));
    return;
  }
  const auto& event = record->logged.event;
  require(events::check_event(event).has_value());
  const auto again = kafka::read_record(kafka::write_record(event), envelope, {});
  require(again && again->logged.event == event);
}

void check_dead_letter(std::string_view value) {
  const auto letter = kafka::read_dead_letter(value);
  if (!letter) {
    require(!letter.error().message.empty());
    return;
  }
  const auto again = kafka::read_dead_letter(kafka::write_dead_letter(*letter));
  require(again && again->value == letter->value && again->id == letter->id);
  static_cast<void>(kafka::replayed_value(*letter));
}

}  // namespace

std::vector<std::string> seeds() {
  kafka::DeadLetter letter;
  letter.id = "6f0e";
  letter.reason = std::string(kafka::kPermanentFailure);
  letter.cause = "no item";
  letter.position = {"scalestyle.clicks", 4, 118};
  letter.value = std::string("\xff\0{", 3);
  const std::string click =
      R"({"event_type":"click","event_id":"6f0e2c1a-0000-4000-8000-000000000001","user_id":"u42","item_id":"0108775015",)"
      R"("timestamp":"2026-03-08T10:15:30.123456Z","event_timestamp_ms":1772964930123,"session_id":"s9","source":"search",)"
      R"("query":"linen shirt","image_hash":null,"position":3,"device":"web"})";
  return {click,
          R"({"event_type":"merge","event_id":"m","user_id":"u","session_id":"s","timestamp":"2026-03-08T10:15:30Z"})",
          R"({"event_type":"forget","event_id":"f","user_id":"u","timestamp":"2026-03-08T10:15:30Z"})",
          kafka::write_retry(click, {.count = 2, .topic = "scalestyle.clicks.retry.10s", .routed_at = {}, .cause = "slow",
                                     .origin = {}}),
          kafka::write_dead_letter(letter)};
}

std::vector<std::string> words() {
  return {"{", "}", "[", "]", ":", ",", "\"", "\\\"", "\\u0000", "\\ud83d", "null", "\"_retry_meta\":", "\"event_id\":",
          "\"timestamp\":", "+23:59", "1e309", "\"weight\":"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle;  // NOLINT: one function
  const std::string_view value = fuzz::text_of(data, size);
  fuzz::check_record(value);
  fuzz::check_dead_letter(value);
  static_cast<void>(adapters::kafka::without_member(value, "_retry_meta"));
  return 0;
}
