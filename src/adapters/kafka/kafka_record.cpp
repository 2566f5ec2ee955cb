#include "adapters/kafka/kafka_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "adapters/kafka/json_splice.hpp"
#include "catalog/article_id.hpp"
#include "events/timestamp.hpp"
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
  out += name;
  out += "null";
}

template <class Number>
void append_number(std::string_view name, Number value, std::string& out) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out += name;
  out.append(digits.data(), end);
}

// Reads fields of an object; the first that is otherwise than it must be is the problem.
class Fields {
 public:
  explicit Fields(const json::object& object, std::string_view source = {}) : object_(object), source_(source) {}

  [[nodiscard]] const std::string& problem() const { return problem_; }
  void fail(std::string_view name, std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("{} {}", name, what);
  }

  // Null and absent are the same.
  [[nodiscard]] const json::value* find(std::string_view name) const {
    const auto* found = object_.if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
  }
  [[nodiscard]] std::string text(std::string_view name) {
    const auto* found = find(name);
    if (found == nullptr) return {};
    if (const auto* string = found->if_string()) return std::string(*string);
    fail(name, "is not text");
    return {};
  }
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (const auto* value = found->if_int64()) return *value;
    fail(name, "is not a whole number");
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> number(std::string_view name) {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (found->is_number()) return found->to_number<double>();
    fail(name, "is not a number");
    return std::nullopt;
  }
  // To the last bit, which the parser's own doubles are not; of the outermost object alone.
  [[nodiscard]] std::optional<double> exact_number(std::string_view name) {
    const auto rounded = number(name);
    if (!rounded || !find(name)->is_double()) return rounded;
    const std::string digits = member_text(source_, name).value_or(std::string());
    double exact = 0;
    return std::from_chars(digits.data(), digits.data() + digits.size(), exact).ec == std::errc() ? exact : *rounded;
  }
  [[nodiscard]] std::optional<bool> boolean(std::string_view name) {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (const auto* value = found->if_bool()) return *value;
    fail(name, "is not true or false");
    return std::nullopt;
  }
  [[nodiscard]] const json::object* object(std::string_view name) const {
    const auto* found = find(name);
    return found == nullptr ? nullptr : found->if_object();
  }

 private:
  const json::object& object_;
  const std::string_view source_;
  std::string problem_;
};

void read_times(Fields& fields, const KafkaEnvelope& envelope, const KafkaReadOptions& options, events::Event& event) {
  const std::string stamp = fields.text("timestamp");
  if (const auto exact = fields.integer("event_timestamp_ms")) {
    event.event_time_ms = *exact;
  } else if (stamp.empty()) {
    fields.fail("timestamp", "is missing");
  } else if (const auto time = events::parse_timestamp(stamp, "timestamp")) {
    event.event_time_ms = *time;
  } else {
    fields.fail("timestamp", "is no RFC 3339 time");
  }
  if (const auto received = fields.integer("received_timestamp_ms")) {
    event.received_time_ms = *received;
    return;
  }
  // Another producer's: nothing has cut its time to what can be.
  event.received_time_ms = envelope.timestamp_ms >= 0 ? envelope.timestamp_ms : event.event_time_ms;
  if (event.event_time_ms < 0 || event.event_time_ms > events::kMaxEpochMs) return;  // check_event() says so
  event.event_time_ms = std::clamp(event.event_time_ms, event.received_time_ms - options.receipt.past_bound.count(),
                                   event.received_time_ms + options.receipt.future_bound.count());
}

void read_item(Fields& fields, const KafkaReadOptions& options, events::Event& event) {
  const std::string item = fields.text("item_id");
  if (item.empty()) {
    if (events::concerns_item(event.type)) fields.fail("item_id", "is missing");
    return;
  }
  if (const auto id = catalog::ArticleId::parse(item)) {
    event.item_id = id->text();
  } else {
    fields.fail("item_id", "is no article id");
  }
  event.category = fields.text("category");
  const auto weight = fields.exact_number("weight");
  if (weight) {
    event.weight = *weight;
  } else if (const auto usual = options.weights.find(event.type); usual != options.weights.end()) {
    event.weight = usual->second;
  }
  // What is not known here is no reason to lose a click.
  event.source = events::event_source(fields.text("source")).value_or(events::EventSource::kUnknown);
  event.device = events::device(fields.text("device")).value_or(events::Device::kApi);
  event.query = fields.text("query");
  if (const auto position = fields.integer("position")) {
    if (*position < 0 || *position > events::kMaxEventPosition) {
      fields.fail("position", "is out of range");
    } else {
      event.position = static_cast<std::uint32_t>(*position);
    }
  }
}

events::Event read_event(Fields& fields, const KafkaEnvelope& envelope, const KafkaReadOptions& options) {
  events::Event event;
  event.event_id = fields.text("event_id");
  if (event.event_id.empty()) fields.fail("event_id", "is missing");
  const std::string type = fields.text("event_type");
  if (const auto known = events::event_type(type)) {
    event.type = *known;
  } else {
    fields.fail("event_type", type.empty() ? "is missing" : "is not known");
  }
  if (std::string user = fields.text("user_id"); !user.empty()) event.user_id.emplace(std::move(user));
  if (std::string session = fields.text("session_id"); !session.empty()) event.session_id.emplace(std::move(session));
  if (!event.user_id && !event.session_id) fields.fail("user_id", "and session_id are missing");
  read_times(fields, envelope, options, event);
  read_item(fields, options, event);
  event.request_id = fields.text("request_id");
  event.personalize = fields.boolean("personalize");
  return event;
}

std::optional<std::uint32_t> count_of(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  constexpr std::uint32_t kMost = 1'000;
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || count > kMost) return std::nullopt;
  return count;
}

// What the routing of failed records wrote; of another's hand it is taken as far as it can be read.
void read_retries(const json::object& object, const KafkaEnvelope& envelope, KafkaRecord& record) {
  Fields all(object);
  events::Delivery& delivery = record.logged.delivery;
  const auto* meta_object = all.object("_retry_meta");
  if (const auto count = count_of(envelope.retry_count)) delivery.retries = *count;
  if (meta_object == nullptr) return;
  Fields meta(*meta_object);
  if (envelope.retry_count.empty()) {
    const auto count = meta.integer("retry_count").value_or(0);
    delivery.retries = static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, 1'000));
  }
  constexpr double kLongestDelay = 3'600;
  record.delay_seconds = std::clamp(meta.number("delay_seconds").value_or(0), 0.0, kLongestDelay);
  if (const auto routed = meta.number("routed_at_ts"); routed && std::isfinite(*routed)) {
    record.due_after_seconds = *routed + record.delay_seconds;
  }
  if (const auto* origin_object = meta.object("origin")) {
    Fields origin(*origin_object);
    const std::string topic = origin.text("topic");
    const auto partition = origin.integer("partition");
    const auto offset = origin.integer("offset");
    if (!topic.empty() && topic.size() <= 32 && partition && *partition >= 0 && *partition <= 1'000'000 && offset &&
        *offset >= 0) {
      delivery.origin = {topic, static_cast<std::int32_t>(*partition), *offset};
    }
  }
}

}  // namespace

std::string record_key(const events::Event& event) { return event.user_id ? event.user_id->value() : event.subject().key(); }

std::string to_record_time(events::EpochMs time) {
  std::string text = events::to_timestamp(time);
  text.insert(text.size() - 1, "000");  // before the Z: microseconds, as other readers have seen so far
  return text;
}

std::string write_record(const events::Event& event) {
  std::string out;
  constexpr std::size_t kTypical = 512;
  out.reserve(kTypical);
  const bool item = events::concerns_item(event.type);
  append_text("{\"event_type\":", events::to_string(event.type), out);
  append_text(",\"event_id\":", event.event_id, out);
  append_text_or_null(",\"user_id\":", event.user_id ? event.user_id->value() : std::string_view(), out);
  append_text_or_null(",\"item_id\":", event.item_id, out);
  append_text(",\"timestamp\":", to_record_time(event.event_time_ms), out);
  append_number(",\"event_timestamp_ms\":", event.event_time_ms, out);
  append_text_or_null(",\"session_id\":", event.session_id ? event.session_id->value() : std::string_view(), out);
  append_text_or_null(
      ",\"source\":", event.source == events::EventSource::kUnknown ? std::string_view() : events::to_string(event.source), out);
  append_text_or_null(",\"query\":", event.query, out);
  out += ",\"image_hash\":null,\"position\":";
  if (event.position) {
    append_number("", *event.position, out);
  } else {
    out += "null";
  }
  append_text(",\"device\":", events::to_string(event.device), out);
  append_number(",\"received_timestamp_ms\":", event.received_time_ms, out);
  if (!event.category.empty()) append_text(",\"category\":", event.category, out);
  if (item) append_number(",\"weight\":", event.weight, out);
  if (!event.request_id.empty()) append_text(",\"request_id\":", event.request_id, out);
  if (event.personalize) out += *event.personalize ? ",\"personalize\":true" : ",\"personalize\":false";
  out += '}';
  return out;
}

std::expected<KafkaRecord, std::string> read_record(std::string_view value, const KafkaEnvelope& envelope,
                                                    const KafkaReadOptions& options) {
  if (value.size() > kMaxRecordBytes) {
    return std::unexpected(fmt::format("has {} bytes, an event has at most {}", value.size(), kMaxRecordBytes));
  }
  std::array<unsigned char, 4096> buffer{};
  json::monotonic_resource memory(buffer.data(), buffer.size());
  json::parse_options strictness;
  strictness.max_depth = 16;
  boost::system::error_code error;
  const json::value parsed = json::parse({value.data(), value.size()}, error, &memory, strictness);
  if (error) return std::unexpected(value.empty() ? std::string("is empty") : fmt::format("is no JSON: {}", error.message()));
  const auto* object = parsed.if_object();
  if (object == nullptr) return std::unexpected(std::string("is no JSON object"));
  Fields fields(*object, value);
  KafkaRecord record;
  record.logged.position = envelope.position;
  record.logged.event = read_event(fields, envelope, options);
  if (!fields.problem().empty()) return std::unexpected(fields.problem());
  if (const auto checked = events::check_event(record.logged.event); !checked) {
    return std::unexpected(fmt::format("{}: {}", checked.error().field, checked.error().message));
  }
  record.logged.delivery.traceparent = envelope.traceparent;
  record.logged.delivery.tracestate = envelope.tracestate;
  read_retries(*object, envelope, record);
  return record;
}

}  // namespace scalestyle::adapters::kafka
