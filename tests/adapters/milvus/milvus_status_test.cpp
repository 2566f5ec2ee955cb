#include "adapters/milvus/milvus_status.hpp"

#include <gtest/gtest.h>

#include <string>

namespace scalestyle::adapters::milvus {
namespace {

using core::ErrorCode;

ErrorCode code_of(std::int32_t code, std::int32_t error_code) {
  const auto status = status_of({.code = code, .error_code = error_code, .reason = "why"}, "milvus h:1, Search");
  EXPECT_FALSE(status);
  return status ? ErrorCode::kInternal : status.error().code;
}

TEST(MilvusStatus, BothNumbersAreRead) {
  EXPECT_TRUE(status_of({}, "m"));
  EXPECT_EQ(code_of(100, 4), ErrorCode::kNotFound);  // as 2.3 says it, and as milvus-lite
  EXPECT_EQ(code_of(100, 1), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(100, 0), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(0, 4), ErrorCode::kNotFound);  // of servers before 2.3
  EXPECT_EQ(code_of(101, 1), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(code_of(65535, 1), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of(0, 1), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of(1, 56), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of(8, 49), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of(0, 49), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of(3, 24), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of(1100, 5), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(1401, 3), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code_of(35, 35), ErrorCode::kAlreadyExists);  // milvus-lite puts the older number into both
  EXPECT_EQ(code_of(5, 5), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(-7, 0), ErrorCode::kUnavailable);
}

TEST(MilvusStatus, MessagesNameTheServerAndItsWords) {
  const auto status = status_of({.code = 100, .error_code = 4, .reason = "no such\ncollection"}, "milvus h:1, Search");
  EXPECT_EQ(status.error().message, "milvus h:1, Search: no such collection (code 100, error_code 4)");
}

TEST(MilvusStatus, ReasonsAreCut) {
  EXPECT_EQ(short_reason("plain"), "plain");
  const std::string cut = short_reason(std::string(10'000, 'x'));
  EXPECT_LT(cut.size(), 500U);
  EXPECT_TRUE(cut.ends_with("..."));
  std::string umlauts;
  for (int i = 0; i < 500; ++i) umlauts += "ü";
  EXPECT_TRUE(short_reason("x" + umlauts).ends_with("..."));
}

}  // namespace
}  // namespace scalestyle::adapters::milvus
