#include "events/event_position.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace scalestyle::events {
namespace {

const std::vector<EventPosition> kPositions{
    {"e", 0, 0},
    {"events.0123456789abcdef", 0, 1},
    {"events", 11, 127},
    {"events", 11, 128},
    {std::string(32, 'z'), std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int64_t>::max()},
};

TEST(EventPosition, TokenRoundTripIsExactAndUrlSafe) {
  std::set<std::string> tokens;
  for (const EventPosition& position : kPositions) {
    const std::string token = to_token(position);
    EXPECT_LE(token.size(), 96U);
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos);
    EXPECT_TRUE(tokens.insert(token).second);
    const auto read = parse_token(token, "after");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, position);
  }
}

TEST(EventPosition, ATokenCarriesTheMarkOfItsEvent) {
  for (const EventPosition& position : kPositions) {
    for (const std::uint64_t mark : {std::uint64_t{1}, std::uint64_t{0xFFFF'FFFF'FFFF'FFFF}}) {
      const std::string token = to_token(position, mark);
      EXPECT_LE(token.size(), 96U);
      const auto read = parse_reference(token, "after");
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_EQ(*read, (EventReference{position, mark}));
      EXPECT_EQ(*parse_token(token, "after"), position);
    }
    EXPECT_EQ(parse_reference(to_token(position), "after")->mark, 0U);
  }
  EXPECT_FALSE(parse_reference(to_token({"e", 0, 1}, 5).substr(0, 12), "after"));
}

TEST(EventPosition, EveryChangeOfOneCharacterIsRefused) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ %";
  for (const EventPosition& position : kPositions) {
    const std::string token = to_token(position);
    for (std::size_t at = 0; at < token.size(); ++at) {
      for (const char c : kAlphabet) {
        if (token[at] == c) continue;
        std::string changed = token;
        changed[at] = c;
        ASSERT_FALSE(parse_token(changed, "after")) << token << " → " << changed;
      }
      ASSERT_FALSE(parse_token(token.substr(0, at), "after"));
      std::string shorter = token;
      shorter.erase(at, 1);
      ASSERT_FALSE(parse_token(shorter, "after"));
    }
    EXPECT_FALSE(parse_token(token + "A", "after"));
    EXPECT_FALSE(parse_token(token + "=", "after"));
  }
}

TEST(EventPosition, HostileTokensAreRefusedWithTheField) {
  for (const std::string& token : {std::string(), std::string("A"), std::string("after"), std::string(97, 'A'), std::string(1 << 20, 'A'),
                                   std::string("\0\0\0\0", 4), std::string("../../etc/passwd"), std::string("AAAAAAAAAAAAAAAA")}) {
    const auto read = parse_token(token, "after");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, core::ErrorCode::kInvalidArgument);
    EXPECT_EQ(read.error().field, "after");
    EXPECT_FALSE(read.error().retryable);
  }
}

TEST(EventPosition, RandomBytesAreNoToken) {
  std::mt19937 random(1);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int i = 0; i < 50'000; ++i) {
    std::string token;
    for (std::size_t n = random() % 97; n > 0; --n) token += kAlphabet[random() % kAlphabet.size()];
    const auto read = parse_token(token, "after");
    ASSERT_TRUE(!read || to_token(*read) == token) << token;
  }
}

}  // namespace
}  // namespace scalestyle::events
