#include "adapters/redis/resp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

namespace scalestyle::adapters::redis {
namespace {

using Kind = RedisValue::Kind;
constexpr std::size_t kLimit = 1 << 20;

// All replies in `bytes`, fed in pieces; ends at the first error.
core::Result<std::vector<RespReply>> read_all(std::string_view bytes, std::size_t piece, std::size_t limit = kLimit) {
  RespReader reader(limit);
  std::vector<RespReply> replies;
  while (!bytes.empty()) {
    const auto next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    CORE_CHECK(reader.feed(next));
    for (;;) {
      CORE_TRY(auto reply, reader.next());
      if (!reply) break;
      replies.push_back(std::move(*reply));
    }
  }
  return replies;
}

TEST(RespReaderTest, EveryKindInPiecesOfAnySize) {
  using namespace std::string_literals;
  const std::string text =
      "+OK\r\n:-42\r\n$5\r\na\r\nb\0\r\n$-1\r\n*-1\r\n$0\r\n\r\n-ERR wrong\r\n*0\r\n"
      "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n-NO way\r\n"s;
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 1'000u}) {
    const auto replies = read_all(text, piece);
    ASSERT_TRUE(replies) << replies.error().message;
    ASSERT_EQ(replies->size(), 9u);
    const auto& all = *replies;
    EXPECT_EQ(all[0].value, (RedisValue{.kind = Kind::kText, .text = "OK"}));
    EXPECT_EQ(all[1].value, (RedisValue{.kind = Kind::kInteger, .integer = -42}));
    EXPECT_EQ(all[2].value.text, std::string("a\r\nb\0", 5));
    EXPECT_TRUE(all[3].value.is_null());
    EXPECT_TRUE(all[4].value.is_null());
    EXPECT_EQ(all[5].value.kind, Kind::kText);
    EXPECT_TRUE(all[6].is_error);
    EXPECT_EQ(all[6].value.text, "ERR wrong");
    EXPECT_EQ(all[7].value.kind, Kind::kArray);
    ASSERT_EQ(all[8].value.elements.size(), 3u);
    EXPECT_FALSE(all[8].is_error) << "an error inside an array is an element";
    EXPECT_EQ(all[8].value.elements[1].elements[0].text, "x");
    EXPECT_EQ(all[8].value.elements[2].text, "(error) NO way");
  }
}

TEST(RespReaderTest, HostileRepliesAreDamage) {
  std::string deep;
  for (int i = 0; i < 1'000; ++i) deep += "*1\r\n";
  std::string flood = "*10000\r\n";
  for (int i = 0; i < 10'000; ++i) flood += "*1000\r\n";
  const std::vector<std::string> wrong{
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "$99999999999\r\n",
      "$9223372036854775807\r\n",
      "$-2\r\nx\r\n",
      "$x\r\n",
      "*2147483647\r\n",
      "*99999999999\r\n",
      "*-2\r\n",
      "*1000000\r\n",
      ":99999999999999999999\r\n",
      ":1x\r\n",
      "+" + std::string(200'000, 'a'),
      "$" + std::string(200'000, '1'),
      "$2000000\r\n" + std::string(1'500'000, 'a'),
      "*100\r\n$1000000\r\n" + std::string(1'000'000, 'a') + "\r\n$1000000\r\n" + std::string(1'000'000, 'a') + "\r\n",
      deep,
      flood,
      std::string("\0\0\0", 3),
      "%1\r\n+a\r\n+b\r\n",
  };
  for (const auto& bytes : wrong) {
    const auto replies = read_all(bytes, RespReader::kPieceBytes);
    ASSERT_FALSE(replies) << bytes.substr(0, 40);
    EXPECT_EQ(replies.error().code, core::ErrorCode::kDataLoss) << bytes.substr(0, 40);
  }
}

TEST(RespReaderTest, ManySmallElementsAreBoundedByWhatTheyTakeInMemory) {
  std::string bytes = "*14000\r\n";
  for (int i = 0; i < 14'000; ++i) bytes += "+\r\n";
  EXPECT_TRUE(read_all(bytes, 4'096, 14'000 * sizeof(RedisValue) + 1'000));
  const auto refused = read_all(bytes, 4'096, 14'000 * sizeof(RedisValue) / 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kDataLoss);
}

TEST(RespReaderTest, AReplyOfTheLargestSizeIsRead) {
  const std::string bytes = "$1000000\r\n" + std::string(1'000'000, 'a') + "\r\n";
  const auto replies = read_all(bytes + bytes + bytes, RespReader::kPieceBytes);
  ASSERT_TRUE(replies) << replies.error().message;
  EXPECT_EQ(replies->size(), 3u);
}

// Random bytes, and replies with random changes: each ends as replies or as damage.
TEST(RespReaderTest, RandomBytesNeverDoHarm) {
  std::mt19937 random(42);
  const std::string seed = "*3\r\n$5\r\nhello\r\n:12345\r\n*2\r\n+OK\r\n$-1\r\n-ERR x\r\n$10\r\n0123456789\r\n";
  constexpr std::string_view kAlphabet = "+-:$*\r\n0123456789a";
  std::size_t damaged = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    if (round % 2 == 0) {
      bytes = seed;
      for (unsigned i = 0; i <= random() % 4; ++i) bytes[random() % bytes.size()] = kAlphabet[random() % kAlphabet.size()];
    } else {
      for (unsigned i = 0; i < 1 + random() % 60; ++i) {
        bytes += round % 4 == 1 ? static_cast<char>(random()) : kAlphabet[random() % kAlphabet.size()];
      }
    }
    const auto replies = read_all(bytes, 1 + random() % 20, 4'096);
    if (!replies) {
      ++damaged;
      ASSERT_EQ(replies.error().code, core::ErrorCode::kDataLoss);
    }
  }
  EXPECT_GT(damaged, 5'000u);
}

TEST(RespWriterTest, CommandsAreArraysOfTexts) {
  std::string out = "before";
  append_command(out, std::array<std::string_view, 3>{"SET", "k\r\n", std::string_view("\0", 1)});
  EXPECT_EQ(out, std::string("before*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$1\r\n\0\r\n", 35));
  out.clear();
  append_command(out, std::array<std::string_view, 2>{"GET", std::string_view()});
  EXPECT_EQ(out, "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace scalestyle::adapters::redis
