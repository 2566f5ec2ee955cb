#include "adapters/redis/error_reply.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using Kind = ErrorReply::Kind;

TEST(ErrorReplyTest, CodesByTheFirstWord) {
  const std::vector<std::pair<std::string, ErrorCode>> expected{
      {"WRONGTYPE Operation against a key holding the wrong kind of value", ErrorCode::kFailedPrecondition},
      {"NOSCRIPT No matching script. Please use EVAL.", ErrorCode::kFailedPrecondition},
      {"ERR unknown command 'X'", ErrorCode::kFailedPrecondition},
      {"CROSSSLOT Keys in request don't hash to the same slot", ErrorCode::kFailedPrecondition},
      {"NOAUTH Authentication required.", ErrorCode::kPermissionDenied},
      {"WRONGPASS invalid username-password pair or user is disabled.", ErrorCode::kPermissionDenied},
      {"NOPERM this user has no permissions to access one of the keys used as arguments", ErrorCode::kPermissionDenied},
      {"OOM command not allowed when used memory > 'maxmemory'.", ErrorCode::kResourceExhausted},
      {"LOADING Redis is loading the dataset in memory", ErrorCode::kUnavailable},
      {"READONLY You can't write against a read only replica.", ErrorCode::kUnavailable},
      {"MASTERDOWN Link with MASTER is down", ErrorCode::kUnavailable},
      {"CLUSTERDOWN The cluster is down", ErrorCode::kUnavailable},
      {"TRYAGAIN Multiple keys request during rehashing of slot", ErrorCode::kUnavailable},
      {"ERR max number of clients reached", ErrorCode::kUnavailable},
      {"", ErrorCode::kFailedPrecondition},
  };
  for (const auto& [text, code] : expected) EXPECT_EQ(parse_error_reply(text).code, code) << text;
}

TEST(ErrorReplyTest, RedirectionsNameSlotAndNode) {
  const auto moved = parse_error_reply("MOVED 3999 127.0.0.1:6381");
  EXPECT_EQ(moved.kind, Kind::kMoved);
  EXPECT_EQ(moved.slot, 3999);
  EXPECT_EQ(moved.target, (Endpoint{"127.0.0.1", 6381}));
  const auto ask = parse_error_reply("ASK 16383 [::1]:7000");
  EXPECT_EQ(ask.kind, Kind::kAsk);
  EXPECT_EQ(ask.target, (Endpoint{"::1", 7000}));
  EXPECT_EQ(parse_error_reply("MOVED 1 :7000").target, (Endpoint{"", 7000})) << "the host of the node that answered";
}

TEST(ErrorReplyTest, RedirectionsThatCannotBeReadAreDamage) {
  for (const std::string text : {"MOVED", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED 1", "MOVED x a:1", "MOVED 1 a:",
                                 "MOVED 1 a:0", "MOVED 1 a:70000", "ASK 1 a b:1"}) {
    const auto reply = parse_error_reply(text);
    EXPECT_EQ(reply.kind, Kind::kOther) << text;
    EXPECT_EQ(reply.code, ErrorCode::kDataLoss) << text;
  }
}

TEST(EndpointTest, ReadsHostAndPort) {
  EXPECT_EQ(*Endpoint::parse("redis.example:6379"), (Endpoint{"redis.example", 6379}));
  EXPECT_EQ(Endpoint::parse("[fe80::1]:1")->text(), "[fe80::1]:1");
  for (const std::string text : {"", "host", ":1", "host:", "host:0", "host:65536", "host:1x", "ho st:1", "redis://host:1"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace scalestyle::adapters::redis
