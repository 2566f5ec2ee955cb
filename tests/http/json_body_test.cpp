#include "http/json_body.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace scalestyle::http {
namespace {

constexpr std::array<std::string_view, 3> kColours{"red", "green", "blue"};
constexpr std::array kPartFields{
    BodyField{.name = "name", .description = "", .minimum = 1, .maximum = 5, .required = true},
    BodyField{.name = "size", .kind = BodyKind::kInteger, .description = "", .minimum = -3, .maximum = 1e15},
};
constexpr BodySpec kPart{.schema = "Part", .description = "", .fields = kPartFields};
constexpr std::array kFields{
    BodyField{.name = "name", .description = "", .minimum = 2, .maximum = 5, .required = true},
    BodyField{.name = "note", .description = "", .maximum = 10, .may_be_blank = true},
    BodyField{.name = "colour", .description = "", .minimum = 1, .maximum = 10, .choices = kColours},
    BodyField{.name = "count", .kind = BodyKind::kInteger, .description = "", .maximum = 100},
    BodyField{.name = "share", .kind = BodyKind::kNumber, .description = "", .maximum = 1},
    BodyField{.name = "flag", .kind = BodyKind::kBoolean, .description = ""},
    BodyField{.name = "when", .kind = BodyKind::kTime, .description = ""},
    BodyField{.name = "parts", .kind = BodyKind::kObjects, .description = "", .minimum = 1, .maximum = 3, .entries = &kPart},
};
constexpr BodySpec kThing{.schema = "Thing", .description = "", .fields = kFields};

// The field at fault; the message where a test looks closer.
std::string fault(std::string_view json, std::string* message = nullptr) {
  const auto body = read_body(kThing, json);
  if (body) return "accepted";
  EXPECT_EQ(body.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_FALSE(body.error().message.empty());
  EXPECT_LT(body.error().message.size(), 400U);
  if (message != nullptr) *message = body.error().message;
  return body.error().field;
}

std::string with(std::string_view member) { return R"({"name":"abc",)" + std::string(member) + "}"; }

TEST(JsonBody, EveryKindIsRead) {
  const auto body = read_body(kThing, R"( { "name" : "żółć", "note":"", "colour":"red", "count": 7, "share": 0.25, "flag": true,
      "when": "2026-01-01T00:00:00Z", "parts": [ {"name":"a","size":-3}, {"size":12,"name":"b"} ] } )");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body->text("name"), "żółć");
  EXPECT_EQ(*body->text("note"), "");
  EXPECT_EQ(*body->text("colour"), "red");
  EXPECT_EQ(body->integer("count"), 7);
  EXPECT_EQ(body->number("share"), 0.25);
  EXPECT_EQ(body->boolean("flag"), true);
  EXPECT_EQ(*body->text("when"), "2026-01-01T00:00:00Z");
  ASSERT_EQ(body->objects("parts").size(), 2U);
  EXPECT_EQ(*body->objects("parts")[0].text("name"), "a");
  EXPECT_EQ(body->objects("parts")[0].integer("size"), -3);
  EXPECT_EQ(*body->objects("parts")[1].text("name"), "b");
  EXPECT_EQ(body->objects("parts")[1].integer("size"), 12);
}

TEST(JsonBody, AbsentAndNullAreTheSame) {
  for (const char* text : {R"({"name":"abc"})", R"({"name":"abc","note":null,"colour":null,"count":null,"share":null,"flag":null,"when":null,"parts":null})"}) {
    const auto body = read_body(kThing, text);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->text("note"), nullptr);
    EXPECT_FALSE(body->integer("count"));
    EXPECT_FALSE(body->number("share"));
    EXPECT_FALSE(body->boolean("flag"));
    EXPECT_FALSE(body->has("when"));
    EXPECT_TRUE(body->objects("parts").empty());
  }
  EXPECT_EQ(fault(R"({"name":null})"), "name");
}

TEST(JsonBody, EscapesAreTheTextTheyMean) {
  const auto body = read_body(kThing, R"({"name":"\u00e9\ud83d\udc57\n","note":"\"\\\/"})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body->text("name"), "\u00e9\U0001F457\n");
  EXPECT_EQ(*body->text("note"), "\"\\/");
}

TEST(JsonBody, NumbersMayBeWrittenInAnyWay) {
  for (const char* seven : {"7", "7.0", "70e-1", "0.7E+1"}) {
    const auto body = read_body(kThing, with(std::string("\"count\":") + seven));
    ASSERT_TRUE(body) << seven << ": " << body.error().message;
    EXPECT_EQ(body->integer("count"), 7) << seven;
  }
  EXPECT_EQ(read_body(kThing, with("\"share\":1"))->number("share"), 1.0);
  EXPECT_EQ(read_body(kThing, with("\"when\":1767225600123"))->integer("when"), 1'767'225'600'123);
  EXPECT_EQ(fault(with("\"when\":1.5")), "when");
}

TEST(JsonBody, WhatIsNoJsonObjectIsRefusedAsAWhole) {
  for (const char* text : {"", " ", "{", "}", "[]", "null", "true", "7", "\"x\"", "{\"name\":\"abc\"}x", "{\"name\":\"abc\"}{}", "{\"name\":\"abc\"},",
                           "{name:1}", "{'name':1}", "{\"name\":\"abc\",}", "{\"name\" \"abc\"}", "// c\n{}", "{\"count\":+1}",
                           "{\"count\":01}", "{\"count\":.5}", "{\"count\":0x1}", "{\"count\":NaN}", "{\"count\":Infinity}", "\xEF\xBB\xBF{}",
                           "{\"flag\":True}", "undefined", "{\"name\":\"a\tb\"}", "{\"name\":\"a\nb\"}"}) {
    EXPECT_EQ(fault(text), "body") << text;
  }
  EXPECT_EQ(fault(std::string("{\"name\":\"a\0b\"}", 14)), "body");
  EXPECT_EQ(fault(std::string("\0", 1)), "body");
}

TEST(JsonBody, EveryTruncationIsRefused) {
  const std::string whole = R"({"name":"a\u00e9b","count":12,"flag":true,"share":0.5,"parts":[{"name":"x"}]})";
  ASSERT_EQ(fault(whole), "accepted");
  for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_EQ(fault(whole.substr(0, length)), "body") << length;
}

TEST(JsonBody, EveryChangedByteIsReadOrRefused) {
  const std::string whole = R"({"name":"a\u00e9b","count":12,"flag":true,"share":0.5,"parts":[{"name":"x"}]})";
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = whole;
      changed[place] = static_cast<char>(byte);
      static_cast<void>(fault(changed));
    }
  }
}

TEST(JsonBody, TextMustBeUtf8) {
  for (const char* bytes : {"\xFF", "\xC0\x80", "\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    EXPECT_EQ(fault("{\"name\":\"ab" + std::string(bytes) + "\"}"), "body");
    EXPECT_EQ(fault("{\"" + std::string(bytes) + "\":1}"), "body");
  }
  EXPECT_EQ(fault(R"({"name":"ab\ud800"})"), "body");
  EXPECT_EQ(fault(R"({"name":"ab\udc00"})"), "body");
  EXPECT_EQ(fault(R"({"name":"ab\u0000"})"), "name");
  EXPECT_EQ(fault(R"({"n\u0000":1})"), std::string("n\0", 2));
}

TEST(JsonBody, TextLimitsCountCharacters) {
  EXPECT_EQ(fault(R"({"name":"a"})"), "name");
  EXPECT_EQ(fault(R"({"name":"👗👗👗👗👗"})"), "accepted");
  EXPECT_EQ(fault(R"({"name":"👗👗👗👗👗a"})"), "name");
  EXPECT_EQ(fault(R"({"name":"   "})"), "name");
  EXPECT_EQ(fault(R"({"name":""})"), "name");
  EXPECT_EQ(fault(with(R"("note":"   ")")), "accepted");
  EXPECT_EQ(fault("{\"name\":\"" + std::string(1'000'000, 'a') + "\"}"), "name");
  EXPECT_EQ(fault(with("\"when\":\"" + std::string(1'000'000, '1') + "\"")), "when");
}

TEST(JsonBody, UnknownMembersAreNamedWithTheNearest) {
  std::string message;
  EXPECT_EQ(fault(with(R"("colur":"red")"), &message), "colur");
  EXPECT_NE(message.find("\"colour\""), std::string::npos) << message;
  EXPECT_EQ(fault(with(R"("parts":[{"name":"a"},{"name":"a","sise":1}])"), &message), "parts[1].sise");
  EXPECT_NE(message.find("\"size\""), std::string::npos) << message;
  EXPECT_LT(fault("{\"" + std::string(1'000'000, 'a') + "\":1}").size(), 100U);
  EXPECT_EQ(fault(with(R"("":1)"), &message), "\"\"");
}

TEST(JsonBody, TwiceIsTooOften) {
  EXPECT_EQ(fault(R"({"name":"abc","name":"abc"})"), "name");
  EXPECT_EQ(fault(R"({"name":"abc","note":null,"note":null})"), "note");
  EXPECT_EQ(fault(R"({"name":"abc","n\u0061me":"abc"})"), "name");
  EXPECT_EQ(fault(with(R"("parts":[{"name":"a","name":"b"}])")), "parts[0].name");
  EXPECT_EQ(fault(with(R"("parts":[{"name":"a"}],"parts":[{"name":"a"}])")), "parts");
}

TEST(JsonBody, WrongTypesAreNamedForEveryKind) {
  const std::vector<std::string> values{"\"x\"", "7", "1.5", "true", "null", "{}", "[]", "[1]", "[[]]", "[null]", "[\"x\"]", "[{}]"};
  const auto accepted = [](const std::string& name, const std::string& value) {
    if (value == "null") return name != "name";
    if (name == "name" || name == "note") return value == "\"x\"";
    if (name == "count" || name == "share") return value == "7" && name == "count";
    if (name == "flag") return value == "true";
    if (name == "when") return value == "\"x\"" || value == "7";
    return false;
  };
  for (const char* name : {"note", "colour", "count", "share", "flag", "when", "parts"}) {
    for (const std::string& value : values) {
      const std::string field = fault(with("\"" + std::string(name) + "\":" + value));
      if (accepted(name, value)) {
        EXPECT_EQ(field, "accepted") << name << value;
      } else {
        EXPECT_TRUE(field == name || field == std::string(name) + "[0]" || field == std::string(name) + "[0].name")
            << name << value << " -> " << field;
      }
    }
  }
  std::string message;
  EXPECT_EQ(fault(R"({"name":108775015})", &message), "name");
  EXPECT_EQ(message, "name must be a string, not a number");
  EXPECT_EQ(fault(with(R"("parts":[{"name":"a"},7])"), &message), "parts[1]");
  EXPECT_EQ(message, "parts[1] must be an object, not a number");
}

TEST(JsonBody, NumbersOutOfLimitsAreNamed) {
  for (const char* value : {"-1", "101", "1e308", "-1e308", "1e2000", "99999999999999999999", "-99999999999999999999",
                            "18446744073709551615", "9223372036854775808", "1.5", "0.1"}) {
    EXPECT_EQ(fault(with(std::string("\"count\":") + value)), "count") << value;
  }
  EXPECT_EQ(fault(with("\"count\":1e99999999999")), "body");
  EXPECT_EQ(fault(with("\"count\":" + std::string(500'000, '9'))), "count");
  EXPECT_EQ(fault(with("\"share\":1.0000001")), "share");
  EXPECT_EQ(fault(with("\"share\":-0.1")), "share");
  EXPECT_EQ(fault(with("\"count\":-0")), "accepted");
}

TEST(JsonBody, ArraysAreBounded) {
  EXPECT_EQ(fault(with(R"("parts":[])")), "parts");
  EXPECT_EQ(fault(with(R"("parts":[{"name":"a"},{"name":"a"},{"name":"a"}])")), "accepted");
  EXPECT_EQ(fault(with(R"("parts":[{"name":"a"},{"name":"a"},{"name":"a"},{"name":"a"}])")), "parts");
  EXPECT_EQ(fault(with(R"("parts":[{"name":"a"},{}])")), "parts[1].name");
  EXPECT_EQ(fault(R"({"note":"x"})"), "name");
}

TEST(JsonBody, ChoicesAreToldWithTheNearest) {
  std::string message;
  EXPECT_EQ(fault(with(R"("colour":"gren")"), &message), "colour");
  EXPECT_NE(message.find("red, green, blue"), std::string::npos) << message;
  EXPECT_NE(message.find("did you mean \"green\""), std::string::npos) << message;
  EXPECT_EQ(fault(with(R"("colour":"RED")")), "colour");
}

TEST(JsonBody, DeepNestingStopsAtOnce) {
  EXPECT_EQ(fault(std::string(1'000'000, '[')), "body");
  EXPECT_EQ(fault(with("\"note\":" + std::string(1'000'000, '['))), "note");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"parts\":[";
  EXPECT_EQ(fault(objects), "parts[0].parts");
}

}  // namespace
}  // namespace scalestyle::http
