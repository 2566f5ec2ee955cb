#include "events/validation.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "event_samples.hpp"
#include "events/event_id.hpp"
#include "events/timestamp.hpp"

namespace scalestyle::events {
namespace {

constexpr EpochMs kReceived = 1'772'879'445'123;  // 2026-03-07T10:30:45.123Z

EventInput good_input() {
  EventInput input;
  input.event_type = "click";
  input.user_id = "u1";
  input.item_id = "108775015";
  return input;
}

core::Result<CheckedInput> check(const EventInput& input) { return check_input(input, kReceived, {}, "events[3]."); }

TEST(EventInput, TakesWhatClientsSend) {
  EventInput input = good_input();
  input.session_id = "s1";
  input.source = "image_search";
  input.device = "web";
  input.query = "red dress";
  input.position = 0;
  input.event_id = "key-1";
  input.request_id = "req-1";
  input.timestamp = std::string("2026-03-07T11:30:40.5+01:00");
  const auto checked = check(input);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_FALSE(checked->impression);
  const Event& event = checked->event;
  EXPECT_EQ(event.type, EventType::kClick);
  EXPECT_EQ(event.item_id, "0108775015");
  EXPECT_EQ(event.source, EventSource::kImageSearch);
  EXPECT_EQ(event.device, Device::kWeb);
  EXPECT_EQ(event.position, 0U);
  EXPECT_EQ(event.event_id, "key-1");
  EXPECT_EQ(event.request_id, "req-1");
  EXPECT_EQ(event.event_time_ms, kReceived - 4'623);
  EXPECT_EQ(event.received_time_ms, kReceived);
  EXPECT_EQ(event.subject(), Subject::user(core::UserId("u1")));
}

TEST(EventInput, AbsentIsDefault) {
  EventInput input = good_input();
  input.user_id.reset();
  input.session_id = "s1";
  const auto checked = check(input);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->event.source, EventSource::kUnknown);
  EXPECT_EQ(checked->event.device, Device::kApi);
  EXPECT_EQ(checked->event.event_time_ms, kReceived);
  EXPECT_TRUE(checked->event.event_id.empty());
  EXPECT_FALSE(checked->event.position);
  EXPECT_EQ(checked->event.subject(), Subject::session(core::SessionId("s1")));
}

TEST(EventInput, ImpressionsAreToldApart) {
  EventInput input = good_input();
  input.event_type = "impression";
  const auto checked = check(input);
  ASSERT_TRUE(checked);
  EXPECT_TRUE(checked->impression);
  EXPECT_EQ(checked->event.item_id, "0108775015");
}

TEST(EventInput, TimesAreCutToTheBounds) {
  const ReceiptOptions options{std::chrono::hours(24), std::chrono::minutes(5)};
  const EpochMs oldest = kReceived - 86'400'000;
  const EpochMs newest = kReceived + 300'000;
  const std::vector<std::pair<std::int64_t, EpochMs>> cases{
      {kReceived, kReceived},
      {oldest, oldest},
      {oldest - 1, oldest},
      {newest, newest},
      {newest + 1, newest},
      {-5, oldest},
      {0, oldest},
      {1'772'879'445, oldest},  // seconds where milliseconds are asked for
      {1'000'000'000'000'000, newest},
      {std::numeric_limits<std::int64_t>::min(), oldest},
      {std::numeric_limits<std::int64_t>::max(), newest},
  };
  for (const auto& [given, expected] : cases) {
    EventInput input = good_input();
    input.timestamp = given;
    const auto checked = check_input(input, kReceived, options, "");
    ASSERT_TRUE(checked) << given;
    EXPECT_EQ(checked->event.event_time_ms, expected) << given;
  }
  EventInput early = good_input();
  early.timestamp = std::int64_t{-100};
  EXPECT_EQ(check_input(early, 50, options, "")->event.event_time_ms, 0);
}

struct BadInput {
  std::string name;
  std::function<void(EventInput&)> change;
  std::string field;
};

TEST(EventInput, EveryBadFieldIsNamed) {
  const auto many = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "é";
    return text;
  };
  const std::vector<BadInput> cases{
      {"no type", [](auto& i) { i.event_type = ""; }, "event_type"},
      {"unknown type", [](auto& i) { i.event_type = "hover"; }, "event_type"},
      {"a merge is not an item's event", [](auto& i) { i.event_type = "merge"; }, "event_type"},
      {"nobody may forget this way", [](auto& i) { i.event_type = "forget"; }, "event_type"},
      {"no subject", [](auto& i) { i.user_id.reset(); }, "user_id"},
      {"empty user", [](auto& i) { i.user_id = ""; }, "user_id"},
      {"empty session", [](auto& i) { i.session_id = ""; }, "session_id"},
      {"long user", [&](auto& i) { i.user_id = many(101); }, "user_id"},
      {"very long user", [](auto& i) { i.user_id = std::string(1 << 20, 'a'); }, "user_id"},
      {"control in user", [](auto& i) { i.user_id = "a\nb"; }, "user_id"},
      {"NUL in user", [](auto& i) { i.user_id = std::string("a\0b", 3); }, "user_id"},
      {"C1 control in user", [](auto& i) { i.user_id = "a\u0085"; }, "user_id"},
      {"bad UTF-8 in user", [](auto& i) { i.user_id = "a\xFF"; }, "user_id"},
      {"blank around session", [](auto& i) { i.session_id = " s"; }, "session_id"},
      {"no item", [](auto& i) { i.item_id.reset(); }, "item_id"},
      {"blank item", [](auto& i) { i.item_id = "  "; }, "item_id"},
      {"long item", [](auto& i) { i.item_id = std::string(65, 'x'); }, "item_id"},
      {"item not ASCII", [](auto& i) { i.item_id = "ü"; }, "item_id"},
      {"source", [](auto& i) { i.source = "email"; }, "source"},
      {"source unknown is not sent", [](auto& i) { i.source = "unknown"; }, "source"},
      {"empty source", [](auto& i) { i.source = ""; }, "source"},
      {"device", [](auto& i) { i.device = "Web"; }, "device"},
      {"long query", [&](auto& i) { i.query = many(501); }, "query"},
      {"NUL in query", [](auto& i) { i.query = std::string("\0", 1); }, "query"},
      {"bad UTF-8 in query", [](auto& i) { i.query = "\xC0\xAF"; }, "query"},
      {"negative position", [](auto& i) { i.position = -1; }, "position"},
      {"position too far", [](auto& i) { i.position = 10'001; }, "position"},
      {"empty event id", [](auto& i) { i.event_id = ""; }, "event_id"},
      {"long event id", [](auto& i) { i.event_id = std::string(101, 'a'); }, "event_id"},
      {"blank in event id", [](auto& i) { i.event_id = "a b"; }, "event_id"},
      {"reserved event id", [](auto& i) { i.event_id = derived_event_id("forget", "u:victim"); }, "event_id"},
      {"request id", [](auto& i) { i.request_id = "ä"; }, "request_id"},
      {"time", [](auto& i) { i.timestamp = std::string("yesterday"); }, "timestamp"},
  };
  for (const BadInput& one : cases) {
    EventInput input = good_input();
    one.change(input);
    const auto checked = check(input);
    ASSERT_FALSE(checked) << one.name;
    EXPECT_EQ(checked.error().code, core::ErrorCode::kInvalidArgument) << one.name;
    EXPECT_EQ(checked.error().field, "events[3]." + one.field) << one.name;
    EXPECT_NE(checked.error().message.find(checked.error().field), std::string::npos) << one.name;
  }
}

TEST(EventInput, LongestValuesPass) {
  EventInput input = good_input();
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "🛍";
  input.user_id = hundred;
  input.event_id = std::string(100, '~');
  input.request_id = std::string(100, '!');
  input.query = std::string(500, '\t');
  input.position = 10'000;
  EXPECT_TRUE(check(input));
  input.query = "";
  EXPECT_TRUE(check(input));
}

TEST(ReceiptOptions, BoundsAreChecked) {
  EXPECT_TRUE(ReceiptOptions().validate());
  EXPECT_EQ((ReceiptOptions{std::chrono::milliseconds(-1), {}}).validate().error().field, "event_time_past_bound_minutes");
  EXPECT_EQ((ReceiptOptions{{}, std::chrono::hours(24 * 367)}).validate().error().field, "event_time_future_bound_minutes");
}

struct BadEvent {
  std::string name;
  std::function<void(Event&)> change;
  std::string field;
};

TEST(CheckEvent, NamesWhatTheLogMustNotHold) {
  const std::vector<BadEvent> clicks{
      {"id", [](Event& e) { e.event_id.clear(); }, "event_id"},
      {"time", [](Event& e) { e.event_time_ms = -1; }, "event_time_ms"},
      {"far time", [](Event& e) { e.received_time_ms = kMaxEpochMs + 1; }, "received_time_ms"},
      {"item not canonical", [](Event& e) { e.item_id = "108775015"; }, "item_id"},
      {"no item", [](Event& e) { e.item_id.clear(); }, "item_id"},
      {"weight", [](Event& e) { e.weight = std::numeric_limits<double>::quiet_NaN(); }, "weight"},
      {"infinite weight", [](Event& e) { e.weight = std::numeric_limits<double>::infinity(); }, "weight"},
      {"huge weight", [](Event& e) { e.weight = 1e7; }, "weight"},
      {"position", [](Event& e) { e.position = 10'001; }, "position"},
      {"personalize", [](Event& e) { e.personalize = true; }, "personalize"},
      {"category", [](Event& e) { e.category = std::string(1'001, 'c'); }, "category"},
      {"empty user", [](Event& e) { e.user_id.emplace(""); }, "user_id"},
  };
  for (const BadEvent& one : clicks) {
    Event event = full_click();
    one.change(event);
    const auto checked = check_event(event);
    ASSERT_FALSE(checked) << one.name;
    EXPECT_EQ(checked.error().field, one.field) << one.name;
  }
  Event half_merge = merge_event();
  half_merge.session_id.reset();
  EXPECT_EQ(check_event(half_merge).error().field, "session_id");
  Event merge_of_item = merge_event();
  merge_of_item.item_id = "0000000001";
  EXPECT_EQ(check_event(merge_of_item).error().field, "item_id");
  Event nothing = preferences_event(true);
  nothing.personalize.reset();
  EXPECT_EQ(check_event(nothing).error().field, "personalize");
  Event nobody = preferences_event(true);
  nobody.user_id.reset();
  EXPECT_EQ(check_event(nobody).error().field, "user_id");
}

TEST(Timestamp, ReadsRfc3339) {
  const std::vector<std::pair<std::string, EpochMs>> cases{
      {"2026-03-07T10:30:45.123Z", kReceived},
      {"2026-03-07t10:30:45.123z", kReceived},
      {"2026-03-07T11:30:45.123+01:00", kReceived},
      {"2026-03-06T22:45:45.123-11:45", kReceived},
      {"2026-03-07T10:30:45.123999999Z", kReceived},
      {"2026-03-07T10:30:45Z", kReceived - 123},
      {"2026-03-07T10:30:45.1Z", kReceived - 23},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59.999Z", -1},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000},
      {"2016-12-31T23:59:60.5Z", 1'483'228'800'000},
      {"9999-12-31T23:59:59.999Z", kMaxEpochMs},
      {"0001-01-01T00:00:00Z", -62'135'596'800'000},
  };
  for (const auto& [text, expected] : cases) {
    const auto read = parse_timestamp(text, "timestamp");
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, expected) << text;
  }
  EXPECT_EQ(to_timestamp(kReceived), "2026-03-07T10:30:45.123Z");
  EXPECT_EQ(to_timestamp(std::numeric_limits<EpochMs>::max()), "9999-12-31T23:59:59.999Z");
}

TEST(Timestamp, RefusesEverythingElse) {
  for (const std::string text :
       {"", "2026", "2026-03-07", "2026-03-07 10:30:45Z", "2026-03-07T10:30:45", "2026-3-7T10:30:45Z", "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.0123456789Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00ZZ", "+026-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z", "2026-01-01T00:00:00,5Z", " 2026-01-01T00:00:00Z", "1772879445123"}) {
    const auto read = parse_timestamp(text, "events[0].timestamp");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().field, "events[0].timestamp");
  }
}

TEST(Names, EveryNameReadsBack) {
  for (const auto type : {EventType::kClick, EventType::kView, EventType::kAddToCart, EventType::kPurchase, EventType::kMerge,
                          EventType::kForget, EventType::kPreferences}) {
    EXPECT_EQ(event_type(to_string(type)), type);
  }
  for (const auto source : {EventSource::kUnknown, EventSource::kSearch, EventSource::kBrowse, EventSource::kRecommendation,
                            EventSource::kImageSearch}) {
    EXPECT_EQ(event_source(to_string(source)), source);
  }
  for (const auto one : {Device::kApi, Device::kWeb, Device::kMobile}) EXPECT_EQ(device(to_string(one)), one);
  EXPECT_EQ(to_string(EventType::kAddToCart), "add_to_cart");
  EXPECT_EQ(to_string(EventSource::kImageSearch), "image_search");
  EXPECT_FALSE(event_type("Click"));
  EXPECT_FALSE(event_type(""));
}

}  // namespace
}  // namespace scalestyle::events
