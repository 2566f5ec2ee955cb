#include "http/trace_header.hpp"

#include <gtest/gtest.h>

namespace scalestyle::http {
namespace {

constexpr std::string_view kExample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceHeader, TheExampleOfTheSource) {
  const auto trace = parse_traceparent(kExample);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace->parent_id, "b7ad6b7169203331");
  EXPECT_TRUE(trace->sampled);
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled);
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like"));
}

TEST(TraceHeader, WhatIsNotWellFormedIsNoTrace) {
  for (const std::string_view header :
       {std::string_view(""), kExample.substr(1), kExample.substr(0, 54), std::string_view("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
        std::string_view("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        std::string_view("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
        std::string_view("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        std::string_view("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"),
        std::string_view("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g"),
        std::string_view("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x")}) {
    EXPECT_FALSE(parse_traceparent(header)) << header;
  }
}

}  // namespace
}  // namespace scalestyle::http
