#include "core/hmac.hpp"

#include <gtest/gtest.h>

namespace scalestyle::core {
namespace {

TEST(Hmac, AgreesWithRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(Hmac, ComparisonLooksAtEveryByte) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(Hmac, RandomKeysDiffer) {
  EXPECT_EQ(random_key(32).size(), 32U);
  EXPECT_NE(random_key(32), random_key(32));
}

}  // namespace
}  // namespace scalestyle::core
