#include "adapters/redis/slot_map.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace scalestyle::adapters::redis {
namespace {

using Kind = RedisValue::Kind;

RedisValue number(std::int64_t value) { return {.kind = Kind::kInteger, .integer = value}; }
RedisValue text(std::string value) { return {.kind = Kind::kText, .text = std::move(value)}; }
RedisValue array(std::vector<RedisValue> elements) { return {.kind = Kind::kArray, .elements = std::move(elements)}; }
RedisValue node(const std::string& host, std::int64_t port) { return array({text(host), number(port), text("id"), array({})}); }

const Endpoint kAsked{"10.0.0.9", 7000};

TEST(SlotMapTest, MastersOwnRangesAndReplicasAreKnown) {
  const auto map = SlotMap::parse(array({array({number(0), number(5460), node("10.0.0.1", 1), node("10.0.0.4", 4)}),
                                         array({number(5461), number(10922), node("10.0.0.2", 2)}),
                                         array({number(16383), number(16383), node("10.0.0.1", 1), node("10.0.0.4", 4)})}),
                                  kAsked);
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_EQ(map->master_of(0)->text(), "10.0.0.1:1");
  EXPECT_EQ(map->master_of(5460)->text(), "10.0.0.1:1");
  EXPECT_EQ(map->master_of(5461)->text(), "10.0.0.2:2");
  EXPECT_EQ(map->master_of(10923), nullptr);
  EXPECT_EQ(map->master_of(16383)->text(), "10.0.0.1:1");
  EXPECT_EQ(map->uncovered(), 16'384u - 10'923u - 1u);
  EXPECT_EQ(map->masters(), (std::vector<Endpoint>{{"10.0.0.1", 1}, {"10.0.0.2", 2}}));
  EXPECT_EQ(map->replicas(), (std::vector<Endpoint>{{"10.0.0.4", 4}}));
}

TEST(SlotMapTest, ANodeWithoutANameHasThatOfTheOneAsked) {
  const auto map = SlotMap::parse(
      array({array({number(0), number(1), array({RedisValue{}, number(7001)})}), array({number(2), number(2), node("", 7002)}),
             array({number(3), number(3), node("?", 7003)})}),
      kAsked);
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_EQ(map->master_of(1)->text(), "10.0.0.9:7001");
  EXPECT_EQ(map->master_of(2)->text(), "10.0.0.9:7002");
  EXPECT_EQ(map->master_of(3), nullptr) << "nobody knows its address";
}

TEST(SlotMapTest, AMoveChangesOneSlot) {
  auto map = *SlotMap::parse(array({array({number(0), number(16383), node("a", 1)})}), kAsked);
  map.move(7, {"b", 2});
  EXPECT_EQ(map.master_of(7)->text(), "b:2");
  EXPECT_EQ(map.master_of(8)->text(), "a:1");
  for (std::uint16_t slot = 0; slot < 16'384; ++slot) map.move(slot, {"b", 2});
  EXPECT_EQ(map.masters(), (std::vector<Endpoint>{{"b", 2}})) << "a master of no slot is none";
  for (std::uint16_t port = 1; port < 3'000; ++port) map.move(1, {"c", port});
  EXPECT_LE(map.masters().size(), SlotMap::kMaxNodes);
}

TEST(SlotMapTest, OtherShapesAreDamage) {
  std::vector<RedisValue> wrong{
      text("OK"),
      array({number(1)}),
      array({array({number(0), number(1)})}),
      array({array({number(5), number(4), node("a", 1)})}),
      array({array({number(-1), number(4), node("a", 1)})}),
      array({array({number(0), number(16384), node("a", 1)})}),
      array({array({number(0), text("1"), node("a", 1)})}),
      array({array({number(0), number(1), node("a", 0)})}),
      array({array({number(0), number(1), node("a", 65536)})}),
      array({array({number(0), number(1), array({text("a")})})}),
      array({array({number(0), number(1), array({number(1), number(1)})})}),
      array({array({number(0), number(1), node("a", 1), text("replica")})}),
  };
  RedisValue many = array({});
  for (int i = 0; i < 2'000; ++i) many.elements.push_back(array({number(i), number(i), node("a", i + 1)}));
  wrong.push_back(many);
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const auto map = SlotMap::parse(wrong[i], kAsked);
    ASSERT_FALSE(map) << i;
    EXPECT_EQ(map.error().code, core::ErrorCode::kDataLoss) << i;
  }
}

}  // namespace
}  // namespace scalestyle::adapters::redis
