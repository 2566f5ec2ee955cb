#include <gtest/gtest.h>

#include "adapters/redis/redis_client.hpp"

namespace scalestyle::adapters::redis {
namespace {

TEST(KeySlotTest, ValuesOfTheSpecification) {
  EXPECT_EQ(RedisClient::slot_of("123456789"), 0x31C3);
  EXPECT_EQ(RedisClient::slot_of("foo"), 12'182);
  EXPECT_EQ(RedisClient::slot_of("bar"), 5'061);
  EXPECT_EQ(RedisClient::slot_of("hello"), 866);
  EXPECT_EQ(RedisClient::slot_of(""), 0);
}

TEST(KeySlotTest, HashTagsDecideAlone) {
  const auto slot = [](std::string_view key) { return RedisClient::slot_of(key); };
  EXPECT_EQ(slot("{user1000}.following"), slot("{user1000}.followers"));
  EXPECT_EQ(slot("{user1000}.following"), slot("user1000"));
  EXPECT_NE(slot("foo{}{bar}"), slot("bar")) << "an empty tag is none";
  EXPECT_EQ(slot("foo{{bar}}zap"), slot("{bar"));
  EXPECT_EQ(slot("foo{bar}{zap}"), slot("bar"));
  EXPECT_NE(slot("foo{bar"), slot("bar"));
}

TEST(RedisScriptTest, IsNamedByItsSha1) {
  const RedisScript script("return 1");
  EXPECT_EQ(script.sha1, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  EXPECT_EQ(script.text, "return 1");
}

}  // namespace
}  // namespace scalestyle::adapters::redis
