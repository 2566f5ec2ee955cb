#include "adapters/kafka/failed_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "adapters/kafka/json_splice.hpp"
#include "adapters/kafka/kafka_record.hpp"

namespace scalestyle::adapters::kafka {
namespace {

using testing::HasSubstr;

using namespace std::chrono_literals;

constexpr std::string_view kOriginal = R"({"event_type":"click","event_id":"6f0e","unknown":[1.50,{"a":"}"}]})";

TEST(FailedRecordTest, ATiersRecordIsTheOriginalByteForByteWithANoteBehindIt) {
  const std::string value = write_retry(kOriginal, {.count = 1,
                                                    .topic = "scalestyle.clicks.retry.1s",
                                                    .routed_at = core::WallTime(1772964931420ms),
                                                    .cause = "a \"cause\"",
                                                    .origin = {"scalestyle.clicks", 4, 118}});
  EXPECT_EQ(
      value,
      std::string(kOriginal.substr(0, kOriginal.size() - 1)) +
          R"(,"_retry_meta":{"retry_count":1,"retry_tier":"retry_1s","retry_topic":"scalestyle.clicks.retry.1s","delay_seconds":1.0,)"
          R"("routed_at_ts":1772964931.420,"reason":"transient_failure","cause":"a \"cause\"",)"
          R"("origin":{"topic":"scalestyle.clicks","partition":4,"offset":118}}})");
  // The next tier's note takes its place.
  const std::string next = write_retry(
      value, {.count = 2, .topic = "scalestyle.clicks.retry.10s", .routed_at = core::WallTime(1772964940s), .cause = "c", .origin = {}});
  EXPECT_THAT(next, HasSubstr(R"("retry_count":2,"retry_tier":"retry_10s")"));
  EXPECT_EQ(without_member(next, "_retry_meta"), kOriginal);
}

TEST(FailedRecordTest, ARecordWithoutBytesComesBackWithoutBytes) {
  DeadLetter letter;
  letter.id = "topic:0:1";
  letter.reason = kPermanentFailure;
  const auto read = read_dead_letter(write_dead_letter(letter));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->value, "");
}

TEST(FailedRecordTest, ARecordIsNotDueBeforeItsTime) {
  const std::string value = write_retry(kOriginal, {.count = 1,
                                                    .topic = "scalestyle.clicks.retry.1s",
                                                    .routed_at = core::WallTime(1772964931420ms + 1ns),
                                                    .cause = "c",
                                                    .origin = {}});
  EXPECT_THAT(value, HasSubstr(R"("routed_at_ts":1772964931.421,)"));
}

TEST(FailedRecordTest, ADeadLetterHasTheFieldsThatOthersRead) {
  DeadLetter letter;
  letter.id = "6f0e";
  letter.reason = kMaxRetriesExceeded;
  letter.error_message = "Failed after 3 retry attempts";
  letter.cause = "wrong type";
  letter.position = {"scalestyle.clicks.retry.60s", 4, 118};
  letter.origin = {"scalestyle.clicks", 1, 7};
  letter.key = "6f0e";
  letter.value = kOriginal;
  letter.retry_count = 3;
  letter.traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
  letter.time_seconds = 1772965004.8;
  const std::string json = write_dead_letter(letter);
  EXPECT_EQ(
      json,
      R"({"dlq_id":"6f0e","original_topic":"scalestyle.clicks.retry.60s","original_partition":4,"original_offset":118,"original_key":"6f0e",)"
      R"("original_value":)" +
          std::string(kOriginal) +
          R"(,"dlq_reason":"max_retries_exceeded","error_message":"Failed after 3 retry attempts","retry_count":3,)"
          R"("trace_id":"0123456789abcdef0123456789abcdef","traceparent":"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",)"
          R"("tracestate":null,"timestamp":1772965004.800,"cause":"wrong type","origin":{"topic":"scalestyle.clicks","partition":1,"offset":7}})");
  const auto read = read_dead_letter(json);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->value, kOriginal);
  EXPECT_EQ(read->position, letter.position);
  EXPECT_EQ(read->origin, letter.origin);
  EXPECT_EQ(read->traceparent, letter.traceparent);
  EXPECT_EQ(write_dead_letter(*read), json);
}

TEST(FailedRecordTest, BytesThatAreNoJsonAreKeptAsTheyAre) {
  std::mt19937_64 random(5);
  for (std::size_t size = 0; size < 300; ++size) {
    DeadLetter letter;
    letter.id = "t:0:1";
    letter.reason = kPermanentFailure;
    letter.position = {"t", 0, 1};
    letter.value = "\xff";
    for (std::size_t i = 0; i < size; ++i) letter.value += static_cast<char>(random());
    const auto read = read_dead_letter(write_dead_letter(letter));
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->value, letter.value);
  }
}

TEST(FailedRecordTest, AnotherServicesLetterIsRead) {
  const auto read = read_dead_letter(
      R"({"dlq_id":"6f0e","original_topic":"scalestyle.clicks.retry.60s","original_partition":4,"original_offset":118,"original_key":"6f0e",)"
      R"("original_value":{"event_id":"6f0e", "_retry_meta":{"retry_count":3}},"dlq_reason":"max_retries_exceeded",)"
      R"("error_message":"Failed after 3 retry attempts","retry_count":3,"trace_id":"0123","traceparent":"00-0123-4-01","tracestate":null,"timestamp":1772965004.8})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->retry_count, 3U);
  EXPECT_EQ(read->value, R"({"event_id":"6f0e", "_retry_meta":{"retry_count":3}})");
  EXPECT_EQ(replayed_value(*read), R"({"event_id":"6f0e"})");
  EXPECT_FALSE(read_dead_letter("{}"));
  EXPECT_FALSE(read_dead_letter("no json"));
  EXPECT_FALSE(read_dead_letter("null"));
}

TEST(JsonSpliceTest, MembersAreFoundOnTheirOwnLevelOnly) {
  constexpr std::string_view kObject = R"( { "a" : {"b":1, "x,}":"]"} , "b":[{"b":2}], "\u0062":3 ,"c":"\"}" } )";
  ASSERT_TRUE(is_json_object(kObject));
  EXPECT_EQ(member_text(kObject, "a"), R"({"b":1, "x,}":"]"})");
  EXPECT_EQ(member_text(kObject, "b"), "3");  // the last, however its name is written
  EXPECT_EQ(member_text(kObject, "x,}"), std::nullopt);
  EXPECT_EQ(without_member(kObject, "b"), R"({"a":{"b":1, "x,}":"]"},"c":"\"}"})");
  EXPECT_EQ(with_member("{ }", "n", "1"), R"({"n":1})");
  EXPECT_EQ(with_member(kObject, "n", "1").substr(0, 10), kObject.substr(1, 10));
  EXPECT_EQ(without_member(R"({"a":1})", "a"), "{}");
  EXPECT_FALSE(is_json("{\"a\":1"));
  EXPECT_FALSE(is_json(""));
  EXPECT_TRUE(is_json(" 1 "));
  EXPECT_FALSE(is_json_object("[]"));
}

TEST(JsonSpliceTest, Base64IsThatOfTheStandard) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zm9vYg=="), "foob");
  for (const char* wrong : {"Zg=", "Z===", "====", "Zg==Zg==", "Z!==", "Zm=v"}) {
    EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace scalestyle::adapters::kafka
