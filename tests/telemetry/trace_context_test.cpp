#include "telemetry/trace_context.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace scalestyle::telemetry {
namespace {

constexpr std::string_view kExample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, TheExampleOfTheSource) {
  const auto read = parse_traceparent(kExample);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace.hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(read->parent.hex(), "b7ad6b7169203331");
  EXPECT_TRUE(read->sampled);
  EXPECT_EQ(write_traceparent(*read), kExample);
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled);
}

TEST(TraceContext, OtherFlagsAndLaterVersionsAreReadOver) {
  const auto flags = parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe");
  ASSERT_TRUE(flags);
  EXPECT_FALSE(flags->sampled);
  EXPECT_TRUE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")->sampled);
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like"));
}

TEST(TraceContext, WhatIsNotWellFormedIsNoTrace) {
  for (const std::string_view header : {std::string_view(""), kExample.substr(1), kExample.substr(0, 54),
                                        std::string_view("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
                                        std::string_view("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
                                        std::string_view("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
                                        std::string_view("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                                        std::string_view("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"),
                                        std::string_view("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g"),
                                        std::string_view("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\r-01"),
                                        std::string_view("00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01"),
                                        std::string_view("00-0xf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                                        std::string_view("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x")}) {
    EXPECT_FALSE(parse_traceparent(header)) << header;
  }
  EXPECT_FALSE(parse_traceparent(std::string(100'000, '0')));
}

TEST(TraceContext, AStateIsPassedOnAsItIs) {
  for (const std::string_view state : {"shop=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "fw529a3039@dt=FfD;a:b", "a=1, b=2"}) {
    EXPECT_EQ(usable_tracestate(state), state);
  }
  EXPECT_EQ(usable_tracestate("  a=1\t"), "a=1");
}

TEST(TraceContext, AStateThatCannotBeReadIsLeftOut) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += (i == 0 ? "k" : ",k") + std::to_string(i) + "=1";
  for (const std::string& state : {std::string("no_equals"), std::string("a=1,a=2"), std::string("UPPER=1"), std::string("a="), std::string("=1"),
                                   std::string("a=b=c"), std::string("a=\x01"), std::string("a=1\r\nX-Evil: 1"), std::string("a=\xff"),
                                   std::string(","), "a=" + std::string(511, 'x'), many, std::string("a@b@c=1")}) {
    EXPECT_EQ(usable_tracestate(state), "") << state;
  }
}

TEST(TraceContext, IdsDiffer) {
  IdSource ids;
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(seen.insert(ids.trace_id().hex()).second);
    EXPECT_TRUE(seen.insert(ids.span_id().hex()).second);
  }
  IdSource other;
  EXPECT_NE(ids.span_id(), other.span_id());
  const SpanId parent = ids.span_id();
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(derived_span_id(parent, i).hex()).second);
  EXPECT_EQ(derived_span_id(parent, 7), derived_span_id(parent, 7));
}

}  // namespace
}  // namespace scalestyle::telemetry
