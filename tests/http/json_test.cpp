#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "http/api_error.hpp"
#include "http/json_shapes.hpp"
#include "http/json_writer.hpp"

namespace scalestyle::http {
namespace {

TEST(JsonWriter, TextsSurviveAndIllFormedBytesAreReplaced) {
  std::string text = "a\"\\\n\t\r\x01\x1F\x7F ü 👗";
  JsonWriter json;
  json.begin_array().text(text).text("x\xFF\xC3").text(std::string("\0", 1)).end_array();
  const auto parsed = boost::json::parse(std::move(json).take()).as_array();
  EXPECT_EQ(parsed[0].as_string(), text);
  EXPECT_EQ(parsed[1].as_string(), "x\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(parsed[2].as_string().size(), 1U);
}

TEST(JsonWriter, GrowsWithItsKeys) {
  JsonWriter json(16);
  json.begin_object();
  for (std::size_t length = 1; length < 150; ++length) json.key(std::string(length, 'k')).integer(length);
  const auto parsed = boost::json::parse(std::move(json.end_object()).take()).as_object();
  ASSERT_EQ(parsed.size(), 149U);
  for (std::size_t length = 1; length < 150; ++length) EXPECT_EQ(parsed.at(std::string(length, 'k')).to_number<std::size_t>(), length);
}

TEST(JsonWriter, NumbersAreShortAndNeverNotFinite) {
  JsonWriter json;
  json.begin_array().number(0.1).number(19.95).number(0.85F).number(std::nan("")).number(std::numeric_limits<double>::infinity());
  json.milliseconds(1.23456).integer(18446744073709551615ULL).boolean(true).null().end_array();
  EXPECT_EQ(std::move(json).take(), "[0.1,19.95,0.85,null,null,1.235,18446744073709551615,true,null]");
}

TEST(JsonWriter, NestsWithCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object().key("a").begin_array().begin_object().end_object().begin_array().end_array().end_array();
  json.key("b").raw("{}").key("c").text("").end_object();
  EXPECT_EQ(std::move(json).take(), R"({"a":[{},[]],"b":{},"c":""})");
}

TEST(ErrorEnvelope, HoldsWhatItIsGiven) {
  ApiError error = make_error("invalid_argument", "k \"must\" be", "k");
  auto response = error_response(error, "id1");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"status":"error","error":{"code":"invalid_argument","message":"k \"must\" be","field":"k"},"request_id":"id1"})");
  EXPECT_TRUE(response.headers.empty());
  error = make_error("overloaded", "full");
  error.reason = search::DegradationReason::kDownstreamCapacityRejected;
  response = error_response(error, "id2");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find(R"("reason":"DOWNSTREAM_CAPACITY_REJECTED")"), std::string::npos);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
}

TEST(ErrorResponse, WhoIsRefusedTogetherComesBackApart) {
  ApiError error = make_error("overloaded", "full");
  error.reason = search::DegradationReason::kDownstreamCapacityRejected;
  std::map<std::string, int> waits;
  for (int i = 0; i < 300; ++i) ++waits[error_response(error, "id").headers[0].second];
  ASSERT_EQ(waits.size(), 3U);
  for (const char* seconds : {"1", "2", "3"}) EXPECT_NEAR(waits[seconds], 100, 5) << seconds;
  error.reason = search::DegradationReason::kInferenceUnavailable;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(error_response(error, "id").headers[0].second, "1");
}

}  // namespace
}  // namespace scalestyle::http
