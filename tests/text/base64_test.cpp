#include "text/base64.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace scalestyle::text {
namespace {

// RFC 4648, section 10.
TEST(Base64Encode, TheExamplesOfTheSource) {
  for (const auto& [bytes, text] : {std::pair<std::string, std::string>{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64_encode(bytes), text);
  }
  EXPECT_EQ(base64_encode("\xFF\xFE\xFD"), "//79");
}

}  // namespace
}  // namespace scalestyle::text
