#include "adapters/kafka/failed_record.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "adapters/kafka/json_splice.hpp"
#include "text/json_text.hpp"

namespace scalestyle::adapters::kafka {

namespace {

namespace json = boost::json;

void append_text(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  text::append_json_text(value, out);
}

void append_text_or_null(std::string_view name, std::string_view value, std::string& out) {
  if (!value.empty()) return append_text(name, value, out);
  out.append(name).append("null");
}

void append_origin(const events::EventPosition& origin, std::string& out) {
  append_text(",\"origin\":{\"topic\":", origin.stream, out);
  out += fmt::format(",\"partition\":{},\"offset\":{}}}", origin.partition, origin.offset);
}

// "00-<32 hex>-<16 hex>-<2 hex>"
std::string_view trace_id(std::string_view traceparent) {
  constexpr std::size_t kBegin = 3;
  constexpr std::size_t kSize = 32;
  return traceparent.size() >= kBegin + kSize ? traceparent.substr(kBegin, kSize) : std::string_view();
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  const auto* string = found == nullptr ? nullptr : found->if_string();
  return string == nullptr ? std::string() : std::string(*string);
}

std::int64_t integer_of(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  const auto* number = found == nullptr ? nullptr : found->if_int64();
  return number == nullptr ? 0 : *number;
}

template <class Number>
Number bounded(std::int64_t value) {
  return value < 0 || value > std::numeric_limits<Number>::max() ? Number{0} : static_cast<Number>(value);
}

events::EventPosition position_of(const json::object& object, std::string_view prefix) {
  const auto name = [&](std::string_view field) { return std::string(prefix) + std::string(field); };
  return {text_of(object, name("topic")), bounded<std::int32_t>(integer_of(object, name("partition"))),
          integer_of(object, name("offset"))};
}

}  // namespace

double to_seconds(core::WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

std::string write_retry(std::string_view original, const RetryNote& note) {
  const KafkaTier& tier = kafka_tier(note.count);
  // Milliseconds are written: rounded up, or the record would come before its time.
  const auto routed_at = std::chrono::ceil<std::chrono::milliseconds>(note.routed_at);
  std::string meta = fmt::format("{{\"retry_count\":{}", note.count);
  append_text(",\"retry_tier\":", tier.label, meta);
  append_text(",\"retry_topic\":", note.topic, meta);
  meta += fmt::format(",\"delay_seconds\":{:.1f},\"routed_at_ts\":{:.3f},\"reason\":\"transient_failure\"", tier.delay_seconds,
                      to_seconds(routed_at));
  append_text(",\"cause\":", note.cause, meta);
  append_origin(note.origin, meta);
  meta += '}';
  constexpr std::string_view kMember = "_retry_meta";
  return with_member(member_text(original, kMember) ? without_member(original, kMember) : std::string(original), kMember, meta);
}

std::string write_dead_letter(const DeadLetter& letter) {
  const bool readable = is_json(letter.value);
  std::string out;
  out.reserve(letter.value.size() * 2 + 1'024);
  append_text("{\"dlq_id\":", letter.id, out);
  append_text(",\"original_topic\":", letter.position.stream, out);
  out += fmt::format(",\"original_partition\":{},\"original_offset\":{}", letter.position.partition, letter.position.offset);
  append_text_or_null(",\"original_key\":", letter.key, out);
  out.append(",\"original_value\":").append(readable ? letter.value : "null");
  append_text(",\"dlq_reason\":", letter.reason, out);
  append_text(",\"error_message\":", letter.error_message, out);
  out += fmt::format(",\"retry_count\":{}", letter.retry_count);
  append_text_or_null(",\"trace_id\":", trace_id(letter.traceparent), out);
  append_text_or_null(",\"traceparent\":", letter.traceparent, out);
  append_text_or_null(",\"tracestate\":", letter.tracestate, out);
  out += fmt::format(",\"timestamp\":{:.3f}", letter.time_seconds);
  append_text(",\"cause\":", letter.cause, out);
  if (!readable) append_text(",\"original_value_base64\":", to_base64(letter.value), out);
  if (!letter.origin.stream.empty()) append_origin(letter.origin, out);
  out += '}';
  return out;
}

core::Result<DeadLetter> read_dead_letter(std::string_view text) {
  const auto refuse = [](std::string what) {
    return core::fail(core::ErrorCode::kInvalidArgument, "not a dead letter: " + what);
  };
  json::parse_options options;
  options.max_depth = 72;  // the original's and ours
  boost::system::error_code error;
  const json::value parsed = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return refuse("no JSON: " + error.message());
  const auto* object = parsed.if_object();
  if (object == nullptr) return refuse("no JSON object");
  DeadLetter letter;
  letter.id = text_of(*object, "dlq_id");
  letter.reason = text_of(*object, "dlq_reason");
  if (letter.id.empty() || letter.reason.empty()) return refuse("dlq_id or dlq_reason is missing");
  letter.error_message = text_of(*object, "error_message");
  letter.cause = text_of(*object, "cause");
  letter.position = position_of(*object, "original_");
  if (const auto* origin = object->if_contains("origin"); origin != nullptr && origin->is_object()) {
    letter.origin = position_of(origin->get_object(), "");
  }
  letter.key = text_of(*object, "original_key");
  letter.retry_count = bounded<std::uint32_t>(integer_of(*object, "retry_count"));
  letter.traceparent = text_of(*object, "traceparent");
  letter.tracestate = text_of(*object, "tracestate");
  if (const auto* time = object->if_contains("timestamp"); time != nullptr && time->is_number()) {
    const double seconds = time->to_number<double>();
    if (std::isfinite(seconds)) letter.time_seconds = seconds;  // 1e999 is a number to a parser
  }
  const auto* encoded = object->if_contains("original_value_base64");
  if (encoded != nullptr && encoded->is_string()) {  // empty: the record had no bytes
    auto bytes = from_base64(text_of(*object, "original_value_base64"));
    if (!bytes) return refuse("original_value_base64 is no Base64");
    letter.value = std::move(*bytes);
  } else {
    letter.value = member_text(text, "original_value").value_or(std::string());
  }
  return letter;
}

std::string replayed_value(const DeadLetter& letter) {
  if (!is_json_object(letter.value) || !member_text(letter.value, "_retry_meta")) return letter.value;
  return without_member(letter.value, "_retry_meta");
}

}  // namespace scalestyle::adapters::kafka
