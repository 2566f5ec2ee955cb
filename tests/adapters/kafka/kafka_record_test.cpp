#include "adapters/kafka/kafka_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/sample_event.hpp"

namespace scalestyle::adapters::kafka {
namespace {

using testing::HasSubstr;

// The click that every producer of this format writes, with all its fields.
constexpr std::string_view kClick =
    R"({"event_type":"click","event_id":"6f0e2c1a-0000-4000-8000-000000000001","user_id":"u42","item_id":"0108775015",)"
    R"("timestamp":"2026-03-08T10:15:30.123456Z","event_timestamp_ms":1772964930123,"session_id":"s9","source":"search",)"
    R"("query":"linen shirt","image_hash":null,"position":3,"device":"web"})";

KafkaEnvelope envelope(std::int64_t timestamp_ms = 1'772'964'931'000) {
  KafkaEnvelope given;
  given.position = {"scalestyle.clicks", 4, 118};
  given.timestamp_ms = timestamp_ms;
  return given;
}

std::string problem_of(std::string_view value) {
  const auto read = read_record(value, envelope(), {});
  return read ? "none" : read.error();
}

std::string with(std::string_view from, std::string_view to) {
  std::string text(kClick);
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(KafkaRecordTest, ReadsAClickOfAnotherProducer) {
  const auto read = read_record(kClick, envelope(), {});
  ASSERT_TRUE(read) << read.error();
  const events::Event& event = read->logged.event;
  EXPECT_EQ(event.event_id, "6f0e2c1a-0000-4000-8000-000000000001");
  EXPECT_EQ(event.type, events::EventType::kClick);
  EXPECT_EQ(event.user_id->value(), "u42");
  EXPECT_EQ(event.session_id->value(), "s9");
  EXPECT_EQ(event.item_id, "0108775015");
  EXPECT_EQ(event.event_time_ms, 1'772'964'930'123);
  EXPECT_EQ(event.received_time_ms, 1'772'964'931'000);  // the record's own time
  EXPECT_EQ(event.source, events::EventSource::kSearch);
  EXPECT_EQ(event.query, "linen shirt");
  EXPECT_EQ(event.position, 3U);
  EXPECT_EQ(event.device, events::Device::kWeb);
  EXPECT_EQ(event.weight, 1.0);
  EXPECT_EQ(event.category, "");
  EXPECT_EQ(read->logged.position, (events::EventPosition{"scalestyle.clicks", 4, 118}));
  EXPECT_EQ(read->logged.origin(), read->logged.position);
  EXPECT_EQ(read->due_after_seconds, 0);
}

TEST(KafkaRecordTest, WritesWhatOtherConsumersReadAndOurFieldsBehindIt) {
  events::Event event = support::sample_click("6f0e", "u42");
  event.session_id = core::SessionId("s9");
  event.event_time_ms = 1'772'964'930'123;
  event.received_time_ms = 1'772'964'930'125;
  EXPECT_EQ(
      write_record(event),
      R"({"event_type":"click","event_id":"6f0e","user_id":"u42","item_id":"0108775015","timestamp":"2026-03-08T10:15:30.123000Z",)"
      R"("event_timestamp_ms":1772964930123,"session_id":"s9","source":"search","query":"a secret wish","image_hash":null,"position":3,)"
      R"("device":"api","received_timestamp_ms":1772964930125,"category":"Vest top","weight":1,"request_id":"request-1"})");
  EXPECT_EQ(record_key(event), "u42");
  EXPECT_EQ(record_key(support::sample_session_click("x", "u42")), "s:u42");
}

TEST(KafkaRecordTest, TakesWhatOtherProducersWriteDifferently) {
  const KafkaReadOptions options;
  const auto of = [&](const std::string& value) {
    auto read = read_record(value, envelope(), options);
    EXPECT_TRUE(read) << read.error() << ": " << value;
    return read ? read->logged.event : events::Event{};
  };
  // Older clicks have no event_timestamp_ms; fractions have 0 to 9 digits.
  const std::string without_ms = with(R"("event_timestamp_ms":1772964930123,)", "");
  for (const auto& [fraction, ms] :
       std::vector<std::pair<std::string, int>>{{"", 0}, {".1", 100}, {".123", 123}, {".123456", 123}, {".123456789", 123}}) {
    std::string value = without_ms;
    value.replace(value.find(".123456Z"), 8, fraction + "Z");
    EXPECT_EQ(of(value).event_time_ms, 1'772'964'930'000 + ms) << value;
  }
  EXPECT_EQ(of(with(R"("device":"web")", R"("device":"web","new_field":{"a":[1,2,null]},"schema":2)")).device,
            events::Device::kWeb);
  EXPECT_FALSE(of(with(R"("session_id":"s9")", R"("session_id":null)")).session_id);
  EXPECT_EQ(of(with(R"("query":"linen shirt")", R"("query":null)")).query, "");
  EXPECT_FALSE(of(with(R"("position":3)", R"("position":null)")).position);
  EXPECT_EQ(of(with(R"("source":"search")", R"("source":"newsletter")")).source, events::EventSource::kUnknown);
  EXPECT_EQ(of(with(R"("0108775015")", R"("108775015")")).item_id, "0108775015");
  EXPECT_EQ(of(with(R"("event_type":"click")", R"("event_type":"purchase")")).weight, 5.0);
  EXPECT_EQ(of(with(R"("device":"web")", R"("device":"web","weight":2.5)")).weight, 2.5);
  const auto session_only = of(with(R"("user_id":"u42")", R"("user_id":null)"));
  EXPECT_EQ(session_only.subject(), (events::Subject{events::SubjectKind::kSession, "s9"}));
}

TEST(KafkaRecordTest, AClicksTimeIsCutToWhatItsRecordCanHave) {
  const auto at = [](std::int64_t record_ms) { return read_record(kClick, envelope(record_ms), {})->logged.event.event_time_ms; };
  constexpr std::int64_t kHour = 3'600'000;
  EXPECT_EQ(at(1'772'964'930'123 + 48 * kHour), 1'772'964'930'123 + 24 * kHour);
  EXPECT_EQ(at(1'772'964'930'123 - kHour), 1'772'964'930'123 - kHour + 300'000);
  EXPECT_EQ(at(-1), 1'772'964'930'123);
}

TEST(KafkaRecordTest, SaysWhyARecordIsNoEvent) {
  EXPECT_THAT(problem_of(""), HasSubstr("is empty"));
  EXPECT_THAT(problem_of("\xff\xfe"), HasSubstr("is no JSON"));
  EXPECT_THAT(problem_of("[1]"), HasSubstr("is no JSON object"));
  EXPECT_THAT(problem_of(std::string(kMaxRecordBytes + 1, ' ')), HasSubstr("at most"));
  EXPECT_THAT(problem_of(with(R"("event_id":"6f0e2c1a-0000-4000-8000-000000000001")", R"("event_id":"")")),
              HasSubstr("event_id"));
  EXPECT_THAT(problem_of(with(R"("event_type":"click")", R"("event_type":"wish")")), HasSubstr("event_type"));
  EXPECT_THAT(problem_of(with(R"("item_id":"0108775015")", R"("item_id":108775015)")), HasSubstr("item_id is not text"));
  EXPECT_THAT(problem_of(with(R"("item_id":"0108775015",)", "")), HasSubstr("item_id is missing"));
  EXPECT_THAT(problem_of(with(R"("position":3)", R"("position":-1)")), HasSubstr("position"));
  EXPECT_THAT(problem_of(with(R"("event_timestamp_ms":1772964930123)", R"("event_timestamp_ms":1e20)")),
              HasSubstr("event_timestamp_ms"));
  std::string nobody = with(R"("user_id":"u42")", R"("user_id":null)");
  nobody.replace(nobody.find(R"("s9")"), 4, "null");
  EXPECT_THAT(problem_of(nobody), HasSubstr("user_id"));
  std::string timeless = with(R"("event_timestamp_ms":1772964930123,)", "");
  timeless.replace(timeless.find("2026-03-08T10"), 13, "2026-03-08 at");
  EXPECT_THAT(problem_of(timeless), HasSubstr("timestamp"));
  EXPECT_THAT(problem_of(std::string(40, '[')), HasSubstr("is no JSON"));
}

TEST(KafkaRecordTest, RetriesAreReadFromTheHeaderAndElseFromTheValue) {
  std::string tier(kClick);
  tier.pop_back();
  tier +=
      R"(,"_retry_meta":{"retry_count":1,"retry_tier":"retry_1s","retry_topic":"scalestyle.clicks.retry.1s","delay_seconds":1.0,)"
      R"("routed_at_ts":1772964931.42,"reason":"transient_failure"}})";
  KafkaEnvelope given = envelope();
  const auto by_value = read_record(tier, given, {});
  ASSERT_TRUE(by_value) << by_value.error();
  EXPECT_EQ(by_value->logged.delivery.retries, 1U);
  EXPECT_NEAR(by_value->due_after_seconds, 1772964932.42, 1e-3);
  EXPECT_EQ(by_value->delay_seconds, 1.0);
  given.retry_count = "2";
  given.traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
  const auto by_header = read_record(tier, given, {});
  ASSERT_TRUE(by_header) << by_header.error();
  EXPECT_EQ(by_header->logged.delivery.retries, 2U);
  EXPECT_EQ(by_header->logged.delivery.traceparent, given.traceparent);
}

// Every valid event comes back as it was.
TEST(KafkaRecordTest, RandomEventsComeBackUnchanged) {
  std::mt19937_64 random(7);
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  const std::vector<std::string> texts{"a",      "ünï \"quoted\" \\",   "line\nbreak\ttab",
                                       "日本語", std::string(500, 'x'), "{\"_retry_meta\":1}"};
  const std::vector<std::string> names{"ann", "0042", "日本", "s:ann", "a b", "{}", "null"};
  for (int round = 0; round < 5'000; ++round) {
    events::Event event = support::sample_click("id-" + std::to_string(random()));
    constexpr std::array<events::EventType, 7> kTypes{
        events::EventType::kClick, events::EventType::kView,   events::EventType::kAddToCart,  events::EventType::kPurchase,
        events::EventType::kMerge, events::EventType::kForget, events::EventType::kPreferences};
    const auto type = kTypes[pick(kTypes.size())];
    if (!events::concerns_item(type)) event = support::sample_subject_event(type, event.event_id, "ann");
    event.type = type;
    if (pick(2) == 0 || type == events::EventType::kMerge) event.session_id = core::SessionId(names[pick(names.size())]);
    if (pick(3) == 0 && event.session_id && type != events::EventType::kMerge) event.user_id.reset();
    if (event.user_id) event.user_id = core::UserId(names[pick(names.size())]);
    event.event_time_ms = static_cast<std::int64_t>(pick(events::kMaxEpochMs));
    event.received_time_ms = static_cast<std::int64_t>(pick(events::kMaxEpochMs));
    if (events::concerns_item(type)) {
      event.weight = static_cast<double>(pick(1'000'000)) / static_cast<double>(1 + pick(1'000));
      event.source = static_cast<events::EventSource>(pick(5));
      event.device = static_cast<events::Device>(pick(3));
      event.query = pick(2) == 0 ? "" : texts[pick(texts.size())];
      event.category = pick(2) == 0 ? "" : "Vest top";
      if (pick(2) == 0) event.position.reset();
      if (pick(2) == 0) event.request_id.clear();
    }
    event.personalize.reset();
    if (type == events::EventType::kPreferences) event.personalize = pick(2) == 0;
    ASSERT_TRUE(events::check_event(event)) << events::check_event(event).error().message;
    const auto read = read_record(write_record(event), envelope(), {});
    ASSERT_TRUE(read) << read.error() << ": " << write_record(event);
    ASSERT_EQ(read->logged.event, event) << write_record(event);
  }
}

// Whatever the bytes are, they are an event that may be one, or there is a problem; nothing else happens.
TEST(KafkaRecordTest, DamagedRecordsAreEventsOrHaveAProblem) {
  std::mt19937_64 random(11);
  const std::string meta =
      R"(,"_retry_meta":{"retry_count":1,"delay_seconds":1e308,"routed_at_ts":-1e308,"origin":{"topic":"t","partition":1,"offset":2}}})";
  std::string seed(kClick);
  seed.pop_back();
  seed += meta;
  const std::string pieces = "\"{}[],:0123456789.eE+-nulltruefalse\\u0000\xff ";
  int events_read = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string value = seed;
    for (std::uint64_t i = 0, edits = 1 + random() % 4; i < edits; ++i) {
      const auto at = static_cast<std::size_t>(random() % value.size());
      const std::uint64_t kind = random() % 4;
      if (kind == 0) value[at] = pieces[random() % pieces.size()];
      if (kind == 1) value.erase(at, 1 + random() % 8);
      if (kind == 2) value.insert(at, 1, pieces[random() % pieces.size()]);
      if (kind == 3) value = value.substr(0, at) + value.substr(value.size() - static_cast<std::size_t>(random() % value.size()));
      if (value.empty()) value = " ";
    }
    const auto read = read_record(value, envelope(), {});
    if (!read) {
      EXPECT_FALSE(read.error().empty());
      continue;
    }
    ++events_read;
    EXPECT_TRUE(events::check_event(read->logged.event)) << value;
    EXPECT_GE(read->delay_seconds, 0);
    EXPECT_LE(read->delay_seconds, 3'600);
  }
  EXPECT_GT(events_read, 1'000);
}

}  // namespace
}  // namespace scalestyle::adapters::kafka
