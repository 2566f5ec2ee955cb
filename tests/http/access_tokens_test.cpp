// Signed tokens of users and sessions, and their secrets.

#include "http/signed_token.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "core/hmac.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::seconds;
constexpr std::chrono::sys_seconds kNow{seconds(1'772'366'400)};
const std::string kOld(32, 'o');
const std::string kNew(32, 'n');

TEST(TokenSigner, TokensTellWhomTheyAreForUntilTheirTime) {
  const TokenSigner signer({kNew});
  for (const std::string user : {"ann", "a b", "\xC3\xA9milie", "user.with.dots", "u\n2"}) {
    const std::string token = signer.sign(TokenPurpose::kUser, user, kNow + seconds(10));
    EXPECT_EQ(token.find('\n'), std::string::npos);
    const auto read = signer.verify(TokenPurpose::kUser, token, kNow + seconds(9));
    ASSERT_TRUE(read) << user;
    EXPECT_EQ(read->subject, user);
    EXPECT_EQ(read->expires, kNow + seconds(10));
    EXPECT_EQ(signer.verify(TokenPurpose::kUser, token, kNow + seconds(10)).error(), TokenFault::kExpired);
  }
}

TEST(TokenSigner, AnyOtherByteIsRefused) {
  const TokenSigner signer({kNew});
  const std::string token = signer.sign(TokenPurpose::kUser, "ann", kNow + seconds(10));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(signer.verify(TokenPurpose::kUser, changed, kNow)) << i;
    EXPECT_FALSE(signer.verify(TokenPurpose::kUser, token.substr(0, i), kNow)) << i;
  }
  EXPECT_FALSE(signer.verify(TokenPurpose::kUser, token + "0", kNow));
  EXPECT_EQ(signer.verify(TokenPurpose::kUser, std::string(5'000, '.'), kNow).error(), TokenFault::kMalformed);
}

TEST(TokenSigner, WhatIsSignedForOnePurposeIsGoodForNoOther) {
  const TokenSigner signer({kNew});
  const std::string token = signer.sign(TokenPurpose::kSession, "ann", kNow + seconds(10));
  EXPECT_EQ(signer.verify(TokenPurpose::kUser, token, kNow).error(), TokenFault::kForged);
}

TEST(TokenSigner, ASecretIsReplacedWithoutATokenGoingBad) {
  const std::string token = TokenSigner({kOld}).sign(TokenPurpose::kUser, "ann", kNow + seconds(10));
  const TokenSigner both({kNew, kOld});
  EXPECT_TRUE(both.verify(TokenPurpose::kUser, token, kNow));
  const std::string later = both.sign(TokenPurpose::kUser, "ann", kNow + seconds(10));
  EXPECT_TRUE(TokenSigner({kNew}).verify(TokenPurpose::kUser, later, kNow));
  EXPECT_FALSE(TokenSigner({kNew}).verify(TokenPurpose::kUser, token, kNow));
  EXPECT_FALSE(TokenSigner().verify(TokenPurpose::kUser, token, kNow)) << "no secret: nothing is good";
}

TEST(TokenSecrets, AreOneOrTwoLongOnes) {
  EXPECT_EQ(parse_token_secrets(kNew, "s").value(), std::vector{kNew});
  EXPECT_EQ(parse_token_secrets(" " + kNew + " , " + kOld, "s").value(), (std::vector{kNew, kOld}));
  EXPECT_EQ(parse_token_secrets(kNew + "\r\n" + kOld + "\n\n", "s").value(), (std::vector{kNew, kOld}));
  const std::string shorter(31, 'q');
  for (const std::string& wrong : {std::string(), std::string(" \n"), shorter, kNew + "," + kOld + "," + kNew}) {
    const auto read = parse_token_secrets(wrong, "s");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().field, "s");
    EXPECT_EQ(read.error().message.find("qqqq"), std::string::npos);
    EXPECT_EQ(read.error().message.find("nnnn"), std::string::npos);
  }
}

}  // namespace
}  // namespace scalestyle::http
