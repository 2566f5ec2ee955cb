#include "events/event_json.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "event_samples.hpp"
#include "events/event_id.hpp"
#include "events/json_reader.hpp"
#include "events/validation.hpp"

namespace scalestyle::events {
namespace {

std::vector<Event> sample_events() {
  Event forget;
  forget.event_id = derived_event_id("forget", "u:1");
  forget.type = EventType::kForget;
  forget.user_id.emplace("u");
  Event anonymous_forget = forget;
  anonymous_forget.user_id.reset();
  Event anonymous = full_click();
  anonymous.user_id.reset();
  anonymous.session_id.reset();
  anonymous.query.clear();
  anonymous.request_id.clear();
  Event purchase = full_click();
  purchase.type = EventType::kPurchase;
  purchase.device = Device::kWeb;
  purchase.source = EventSource::kBrowse;
  purchase.position = 0;
  return {full_click(), minimal_view(), merge_event(), preferences_event(true), preferences_event(false), forget,
          anonymous_forget, anonymous, purchase};
}

TEST(EventJson, WritesTheDocumentedForm) {
  EXPECT_EQ(to_json(full_click()),
            R"({"event_id":"3f0c-client~key:1","event_type":"click","event_time_ms":1772879445123,)"
            R"("received_time_ms":1772879445999,"user_id":"user-42","session_id":"séance \"1\" \\ 🛍","item_id":"0108775015",)"
            R"("category":"Vest top / Überwurf","weight":0.30000000000000004,"source":"image_search","device":"mobile",)"
            R"("query":"red\tdress\n\u0001 ünïcödé","position":10000,"request_id":"req-1.a_b"})");
  EXPECT_EQ(to_json(minimal_view()),
            R"({"event_id":"e","event_type":"view","event_time_ms":0,"received_time_ms":0,"session_id":"s","item_id":"0000000001"})");
  EXPECT_EQ(to_json(preferences_event(false)),
            R"({"event_id":"p","event_type":"preferences","event_time_ms":0,"received_time_ms":0,"user_id":"u","personalize":false})");
}

TEST(EventJson, RoundTripIsExact) {
  for (const Event& event : sample_events()) {
    ASSERT_TRUE(check_event(event)) << check_event(event).error().message;
    const std::string json = to_json(event);
    EXPECT_EQ(json.find('\n'), std::string::npos);
    const auto read = parse_event_json(json, "test");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, event);
    EXPECT_EQ(to_json(*read), json);
  }
}

TEST(EventJson, RandomEventsRoundTrip) {
  std::mt19937_64 random(7);
  const auto pick = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  const auto text = [&](std::size_t most) {
    const std::vector<std::string> parts{"a", "Z", " ", "\"", "\\", "/", "é", "漢", "🛍", "\t", "\x01", "\x7f", "\u2028"};
    std::string out;
    for (std::size_t n = pick(most); n > 0; --n) out += parts[pick(parts.size())];
    return out;
  };
  for (int i = 0; i < 3'000; ++i) {
    Event event = full_click();
    event.query = text(400);
    event.category = text(100);
    event.weight = std::uniform_real_distribution<double>(0, 10)(random);
    event.event_time_ms = static_cast<EpochMs>(pick(static_cast<std::size_t>(kMaxEpochMs)));
    event.position = pick(2) == 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(pick(10'001)));
    const auto read = parse_event_json(to_json(event), "test");
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(*read, event);
  }
}

TEST(EventJson, LargestEventFits) {
  Event event = full_click();
  event.event_id = std::string(kMaxEventIdBytes, '"');
  event.request_id = std::string(kMaxRequestIdBytes, '\\');
  event.user_id.emplace(std::string(kMaxSubjectCharacters, '"'));
  event.session_id.emplace(std::string(kMaxSubjectCharacters, '"'));
  event.item_id = std::string(64, '"');
  event.category = std::string(kMaxCategoryCharacters, '\x01');
  event.query = std::string(kMaxEventQueryCharacters, '\x01');
  const std::string json = to_json(event);
  ASSERT_LE(json.size(), kMaxEventJsonBytes);
  const auto read = parse_event_json(json, "test");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, event);
}

TEST(EventJson, FieldsInAnyOrderWithBlanksAndEscapes) {
  const auto read = parse_event_json(
      "\t{ \"item_id\" : \"0000000001\" ,\r\n\"weight\":1e0,\"received_time_ms\":2,\"event_time_ms\":1,"
      "\"us\\u0065r_id\":\"\\ud83d\\uDECD\\/\\b\", \"event_type\":\"click\",\"event_id\":\"x\"} \n",
      "test");
  ASSERT_FALSE(read);  // a backspace is a control character: no user id has one
  EXPECT_EQ(read.error().field, "user_id");
  const auto good = parse_event_json(
      R"({"item_id":"0000000001","weight":1e0,"received_time_ms":2,"event_time_ms":1,"us\u0065r_id":"\ud83d\uDECD\/","event_type":"click","event_id":"x"})",
      "test");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->user_id->value(), "🛍/");
  EXPECT_EQ(good->weight, 1.0);
}

struct Refused {
  std::string_view name;
  std::string_view json;
  std::string_view field;
  std::string_view message_part;
};

TEST(EventJson, SaysWhatIsWrongAndWhere) {
  constexpr std::string_view kStart = R"({"event_id":"e","event_type":"click","event_time_ms":1,"received_time_ms":2,"user_id":"u","item_id":"0000000001")";
  const std::vector<Refused> cases{
      {"unknown field", R"(,"surprise":1})", "surprise", "unknown field \"surprise\""},
      {"repeated field", R"(,"item_id":"0000000001"})", "item_id", "twice"},
      {"text for a number", R"(,"position":"1"})", "position", "a number is expected"},
      {"fraction for an integer", R"(,"position":1.0})", "position", "not a whole number"},
      {"exponent for an integer", R"(,"position":1e2})", "position", "not a whole number"},
      {"null", R"(,"query":null})", "query", "a text is expected"},
      {"number for text", R"(,"query":1})", "query", "a text is expected"},
      {"position out of range", R"(,"position":10001})", "position", "0 to 10000"},
      {"negative position", R"(,"position":-1})", "position", "0 to 10000"},
      {"integer too large", R"(,"position":99999999999999999999})", "position", "64 bits"},
      {"source", R"(,"source":"email"})", "source", "no such source"},
      {"device", R"(,"device":"fridge"})", "device", "no such device"},
      {"negative weight", R"(,"weight":-1})", "weight", "0 to"},
      {"endless weight", R"(,"weight":1e999})", "weight", "range"},
      {"leading zero", R"(,"weight":01})", "weight", "number"},
      {"personalize of a click", R"(,"personalize":true})", "personalize", "does not belong"},
      {"bad boolean", R"(,"personalize":1})", "personalize", "true or false"},
      {"lone surrogate", R"(,"query":"\ud800"})", "query", "escape"},
      {"low surrogate first", R"(,"query":"\udc00"})", "query", "escape"},
      {"bad escape", R"(,"query":"\x"})", "query", "escape"},
      {"NUL", R"(,"query":"\u0000"})", "query", "NUL"},
      {"raw control", ",\"query\":\"a\nb\"}", "query", "control"},
      {"not UTF-8", ",\"query\":\"\xC3(\"}", "query", "UTF-8"},
      {"overlong UTF-8", ",\"query\":\"\xC0\xAF\"}", "query", "UTF-8"},
      {"open text", R"(,"query":"abc)", "query", "no end"},
      {"no end", "", "", "the text ends"},
      {"trailing comma", ",}", "", "the name of a field"},
      {"something behind", "} x", "", "nothing is expected"},
      {"second object", "}{}", "", "nothing is expected"},
  };
  for (const Refused& one : cases) {
    const auto read = parse_event_json(std::string(kStart) + std::string(one.json), "events.jsonl, line 7");
    ASSERT_FALSE(read) << one.name;
    EXPECT_EQ(read.error().code, core::ErrorCode::kInvalidArgument) << one.name;
    EXPECT_EQ(read.error().field, one.field) << one.name;
    EXPECT_TRUE(read.error().message.starts_with("events.jsonl, line 7: ")) << one.name;
    EXPECT_NE(read.error().message.find(one.message_part), std::string::npos) << one.name << ": " << read.error().message;
  }
}

TEST(EventJson, RequiresWhatAnEventCannotDoWithout) {
  for (const std::string_view missing : {"event_id", "event_type", "event_time_ms", "received_time_ms"}) {
    boost::json::object object = boost::json::parse(to_json(full_click())).as_object();
    object.erase(missing);
    const auto read = parse_event_json(boost::json::serialize(object), "test");
    ASSERT_FALSE(read) << missing;
    EXPECT_EQ(read.error().field, missing);
  }
  EXPECT_FALSE(parse_event_json("", "test"));
  EXPECT_FALSE(parse_event_json("[]", "test"));
  EXPECT_FALSE(parse_event_json("{}", "test"));
  EXPECT_FALSE(parse_event_json(std::string(kMaxEventJsonBytes + 1, ' '), "test"));
}

// Reads any JSON value of the kinds that JsonReader knows; what it accepts must be what Boost.JSON accepts.
void skip_value(JsonReader& reader, std::string_view rest) {
  const std::size_t at = rest.find_first_not_of(" \t\r\n");
  const char first = at == std::string_view::npos ? '\0' : rest[at];
  if (first == '"') {
    static_cast<void>(reader.text());
  } else if (first == 't' || first == 'f') {
    static_cast<void>(reader.boolean());
  } else {
    static_cast<void>(reader.number());
  }
}

bool reader_accepts(std::string_view value) {
  const std::string json = "[" + std::string(value) + "]";
  JsonReader reader(json);
  reader.begin_array();
  if (!reader.next_element()) return false;
  skip_value(reader, value);
  if (reader.next_element()) return false;
  reader.finish();
  return reader.ok();
}

bool oracle_accepts(std::string_view value) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse("[" + std::string(value) + "]", error);
  if (error || parsed.as_array().size() != 1) return false;
  const auto& only = parsed.as_array()[0];
  return only.is_string() || only.is_bool() || only.is_number();
}

TEST(JsonReader, AcceptsWhatTheGrammarAccepts) {
  const std::vector<std::string> seeds{R"("abc")", R"("\u00e9\ud83d\udecd\n")", "\"é漢🛍\"", "-0", "12.50", "1E+5", "-3e-2", "true", "false", "0.1"};
  const std::string bytes = "\"\\/bfnrtu0123456789abcdefDd8cC.-+eE trufals,]\x80\xC3\xED\xA0\xF0\x9F\x01\x1f";
  std::mt19937 random(11);
  std::size_t accepted = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string value = seeds[random() % seeds.size()];
    for (std::size_t n = random() % 4; n > 0; --n) {
      const std::size_t at = random() % (value.size() + 1);
      const char byte = bytes[random() % bytes.size()];
      if (random() % 3 == 0 && at < value.size()) {
        value.erase(at, 1);
      } else if (random() % 2 == 0 && at < value.size()) {
        value[at] = byte;
      } else {
        value.insert(at, 1, byte);
      }
      if (value.empty()) value = "0";
    }
    const bool ours = reader_accepts(value);
    // Boost.JSON reads numbers beyond a double's range as infinity or zero; we refuse them.
    const bool number = value.find_first_of("eE") != std::string::npos && value.find('"') == std::string::npos;
    if (number && !ours) continue;
    ASSERT_EQ(ours, oracle_accepts(value)) << value;
    accepted += ours ? 1U : 0U;
  }
  EXPECT_GT(accepted, 5'000U);
}

TEST(EventJson, DamagedBytesAreRefusedOrReadBackAsWritten) {
  std::mt19937 random(3);
  const std::vector<Event> events = sample_events();
  std::size_t survived = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string json = to_json(events[random() % events.size()]);
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = random() % json.size();
      switch (random() % 4) {
        case 0: json[at] = static_cast<char>(random() % 256); break;
        case 1: json.erase(at, 1 + random() % 8); break;
        case 2: json.insert(at, 1, static_cast<char>(random() % 128)); break;
        default: json.resize(at + 1); break;
      }
      if (json.empty()) json = "{";
    }
    const auto read = parse_event_json(json, "fuzz");
    if (!read) {
      ASSERT_TRUE(read.error().message.starts_with("fuzz: "));
      continue;
    }
    ++survived;
    ASSERT_TRUE(check_event(*read));
    const auto again = parse_event_json(to_json(*read), "again");
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(*again, *read);
  }
  EXPECT_GT(survived, 100U);
}

TEST(EventJson, ReadsAMillionEventsInSeconds) {
  constexpr int kEvents = 200'000;
  const std::string json = to_json(full_click());
  std::size_t read = 0;
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < kEvents; ++i) read += parse_event_json(json, "test").has_value() ? 1U : 0U;
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - started;
  EXPECT_EQ(read, static_cast<std::size_t>(kEvents));
  RecordProperty("microseconds_per_event", std::to_string(took.count() / kEvents));
}

TEST(ImpressionJson, RoundTripIsExact) {
  Impression minimal;
  minimal.time_ms = 3;
  minimal.source = EventSource::kUnknown;
  Impression largest = full_impression();
  largest.items.assign(kMaxShownItems, {std::string(64, '"'), 4'294'967'295U});
  largest.arms.assign(kMaxImpressionArms, {std::string(100, 'e'), std::string(100, 'a')});
  for (const Impression& impression : {full_impression(), minimal, largest}) {
    const std::string json = to_json(impression);
    ASSERT_LE(json.size(), kMaxImpressionJsonBytes);
    const auto read = parse_impression_json(json, "test");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, impression);
    EXPECT_EQ(to_json(*read), json);
  }
  EXPECT_EQ(to_json(minimal), R"({"request_id":"","time_ms":3,"source":"unknown","items":[]})");
}

TEST(ImpressionJson, SaysWhatIsWrong) {
  const std::vector<Refused> cases{
      {"unknown field", R"({"time_ms":1,"source":"search","items":[],"x":1})", "x", "unknown field"},
      {"repeated", R"({"time_ms":1,"time_ms":1,"source":"search","items":[]})", "time_ms", "twice"},
      {"missing items", R"({"time_ms":1,"source":"search"})", "", "missing"},
      {"item without id", R"({"time_ms":1,"source":"search","items":[{"position":1}]})", "items", "missing"},
      {"unknown field of an item", R"({"time_ms":1,"source":"search","items":[{"item_id":"0000000001","y":1}]})", "items", "unknown field"},
      {"position", R"({"time_ms":1,"source":"search","items":[{"item_id":"0000000001","position":-1}]})", "items", "range"},
      {"item id", R"({"time_ms":1,"source":"search","items":[{"item_id":"1"}]})", "items", "canonical"},
      {"arms", R"({"time_ms":1,"source":"search","items":[],"arms":[{"experiment":"e"}]})", "arms", "missing"},
      {"trailing comma", R"({"time_ms":1,"source":"search","items":[{"item_id":"0000000001"},]})", "items", "object"},
      {"source", R"({"time_ms":1,"source":"x","items":[]})", "source", "no such source"},
  };
  for (const Refused& one : cases) {
    const auto read = parse_impression_json(one.json, "row 3");
    ASSERT_FALSE(read) << one.name;
    EXPECT_EQ(read.error().field, one.field) << one.name << ": " << read.error().message;
    EXPECT_TRUE(read.error().message.starts_with("row 3: ")) << one.name;
    EXPECT_NE(read.error().message.find(one.message_part), std::string::npos) << one.name << ": " << read.error().message;
  }
  Impression many = full_impression();
  many.items.assign(kMaxShownItems + 1, {"0000000001", 1});
  EXPECT_FALSE(parse_impression_json(to_json(many), "row"));
}

TEST(ImpressionJson, DamagedBytesAreRefusedOrReadBackAsWritten) {
  std::mt19937 random(5);
  const std::string good = to_json(full_impression());
  std::size_t survived = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string json = good;
    const std::size_t at = random() % json.size();
    if (random() % 2 == 0) {
      json[at] = static_cast<char>(random() % 256);
    } else {
      json.erase(at, 1 + random() % 4);
    }
    const auto read = parse_impression_json(json, "fuzz");
    if (!read) continue;
    ++survived;
    const auto again = parse_impression_json(to_json(*read), "again");
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(*again, *read);
  }
  EXPECT_GT(survived, 100U);
}

TEST(EventIds, AreUuidsOfVersionFourAndDiffer) {
  std::vector<std::string> ids;
  for (int i = 0; i < 1'000; ++i) ids.push_back(make_event_id());
  for (const std::string& id : ids) {
    ASSERT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) EXPECT_EQ(id[dash], '-');
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos);
    EXPECT_TRUE(check_client_event_id(id, "event_id"));
  }
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

TEST(EventIds, DerivedIdsAreStableAndReserved) {
  EXPECT_EQ(derived_event_id("forget", "u:1"), derived_event_id("forget", "u:1"));
  EXPECT_NE(derived_event_id("forget", "u:1"), derived_event_id("merge", "u:1"));
  EXPECT_NE(derived_event_id("forget", "u:1"), derived_event_id("forget", "u:2"));
  EXPECT_EQ(derived_event_id("forget", ""), "scalestyle:forget:e3b0c44298fc1c149afbf4c8996fb92427ae41e4");
  EXPECT_LE(derived_event_id("preferences", "u:1").size(), kMaxEventIdBytes);
  EXPECT_FALSE(check_client_event_id(derived_event_id("forget", "u:1"), "event_id"));
}

}  // namespace
}  // namespace scalestyle::events
