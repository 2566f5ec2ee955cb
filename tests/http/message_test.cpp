#include "http/message.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "http/query_string.hpp"

namespace scalestyle::http {
namespace {

TEST(HttpDate, IsInTheFixedForm) {
  EXPECT_EQ(http_date(core::WallTime(std::chrono::seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(core::WallTime(std::chrono::seconds(0))), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(core::WallTime(std::chrono::seconds(1709164799))), "Wed, 28 Feb 2024 23:59:59 GMT");
}

TEST(HeaderBlock, ValuesCannotEndALine) {
  Response response;
  response.headers.emplace_back("Allow", "GET\r\nEvil: yes");
  const std::string block = header_block(response, "id\r\nEvil: yes", true, "date");
  EXPECT_EQ(block.find("\nEvil"), std::string::npos);
  EXPECT_TRUE(block.ends_with("\r\n\r\n"));
}

TEST(SplitTarget, TakesTheFormsOfRequests) {
  EXPECT_EQ(split_target("/a/b?c=d?e")->path, "/a/b");
  EXPECT_EQ(split_target("/a/b?c=d?e")->query, "c=d?e");
  EXPECT_EQ(split_target("http://h:80/a?b")->path, "/a");
  EXPECT_EQ(split_target("http://h")->path, "/");
  EXPECT_EQ(split_target("http://h?q=1")->path, "/");
  EXPECT_EQ(split_target("http://h?q=1")->query, "q=1");
  EXPECT_EQ(split_target("*")->path, "*");
  EXPECT_FALSE(split_target(""));
  EXPECT_FALSE(split_target("host:443"));
  EXPECT_FALSE(split_target("ftp://h/a"));
}

TEST(RequestId, KeepsGoodOnesAndMakesDifferentOnes) {
  EXPECT_EQ(choose_request_id("abc-1._Z"), "abc-1._Z");
  EXPECT_NE(choose_request_id("a b"), "a b");
  EXPECT_NE(choose_request_id(""), choose_request_id(""));
}

TEST(PercentDecode, DecodesOnceAndRefusesWhatIsNotText) {
  EXPECT_EQ(percent_decode("a%20b+c%2B", true, "f").value(), "a b c+");
  EXPECT_EQ(percent_decode("a+b", false, "f").value(), "a+b");
  EXPECT_EQ(percent_decode("%2541", true, "f").value(), "%41");
  EXPECT_EQ(percent_decode("%41", true, "f").value(), "A");
  for (const char* bad : {"%", "%4", "%4g", "%g4", "%00", "%FF", "%ED%A0%80", "a%"}) {
    const auto decoded = percent_decode(bad, true, "f");
    ASSERT_FALSE(decoded) << bad;
    EXPECT_EQ(decoded.error().field, "f");
  }
}

TEST(ParseQuery, KeepsOrderAndSkipsEmptyPieces) {
  const auto pairs = parse_query("&a=1&&b&c==x&").value();
  EXPECT_EQ(pairs, (QueryPairs{{"a", "1"}, {"b", ""}, {"c", "=x"}}));
  EXPECT_TRUE(parse_query("").value().empty());
}

}  // namespace
}  // namespace scalestyle::http
