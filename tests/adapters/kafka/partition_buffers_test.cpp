#include "adapters/kafka/partition_buffers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace scalestyle::adapters::kafka {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class PartitionBuffersTest : public testing::Test {
 protected:
  static PartitionBuffers::Record record(std::int32_t partition, std::int64_t offset,
                                         core::SteadyTime due = core::SteadyTime::min()) {
    events::LoggedEvent event;
    event.position = {"t", partition, offset};
    return {.what = event, .offset = offset, .bytes = 10, .due = due};
  }
  void push(std::int32_t partition, std::int64_t offset, core::SteadyTime due = core::SteadyTime::min()) {
    buffers_.push(partition, record(partition, offset, due));
  }
  std::vector<std::string> take(std::size_t max, core::SteadyTime now) {
    std::vector<std::string> places;
    for (const auto& event : buffers_.take(max, now).events) {
      places.push_back(std::to_string(event.position.partition) + ":" + std::to_string(event.position.offset));
    }
    return places;
  }
  PartitionBuffers buffers_;
  const core::SteadyTime now_ = core::SteadyTime(1h);
};

TEST_F(PartitionBuffersTest, GivesEachPartitionItsTurnAndKeepsTheirOrder) {
  buffers_.assign(0, 0);
  buffers_.assign(1, 5);
  for (std::int64_t i = 0; i < 3; ++i) push(0, i);
  push(1, 5);
  EXPECT_EQ(buffers_.lag(), 4U);
  EXPECT_THAT(take(2, now_), ElementsAre("0:0", "0:1"));
  EXPECT_THAT(take(2, now_), ElementsAre("1:5", "0:2"));  // partition 0 does not go first again
  EXPECT_FALSE(buffers_.can_give(now_));
  EXPECT_EQ(buffers_.lag(), 0U);
  EXPECT_EQ(buffers_.records(), 0U);
  EXPECT_EQ(buffers_.bytes(), 0U);
}

TEST_F(PartitionBuffersTest, ARecordWhoseTimeHasNotComeKeepsBackItsPartitionAlone) {
  buffers_.assign(0, 0);
  buffers_.assign(1, 0);
  push(0, 0, now_ + 10s);
  push(0, 1);  // behind it, and due: order is kept
  push(1, 0);
  EXPECT_THAT(take(10, now_), ElementsAre("1:0"));
  EXPECT_TRUE(buffers_.is_kept_back(0, now_));
  EXPECT_FALSE(buffers_.is_kept_back(1, now_));
  EXPECT_EQ(buffers_.next_release(now_), now_ + 10s);
  EXPECT_THAT(take(10, now_ + 9s), IsEmpty());
  EXPECT_THAT(take(10, now_ + 10s), ElementsAre("0:0", "0:1"));
  EXPECT_EQ(buffers_.next_release(now_ + 10s), std::nullopt);
}

TEST_F(PartitionBuffersTest, APauseHoldsWhatIsBuffered) {
  buffers_.assign(0, 0);
  take(1, now_);
  push(0, 0);
  buffers_.pause(0, now_ + 1s);
  EXPECT_FALSE(buffers_.can_give(now_));
  EXPECT_TRUE(buffers_.can_give(now_ + 1s));
  buffers_.pause(0, core::SteadyTime::min());
  EXPECT_TRUE(buffers_.can_give(now_));
  buffers_.pause(7, now_ + 1s);  // not held
  EXPECT_FALSE(buffers_.is_kept_back(7, now_));
}

TEST_F(PartitionBuffersTest, WhatWentIsDroppedAndToldOnceAndWhatCameAndWentUnseenIsNotTold) {
  buffers_.assign(0, 0);
  buffers_.assign(1, 0);
  push(0, 0);
  buffers_.revoke(1);
  auto batch = buffers_.take(10, now_);
  EXPECT_THAT(batch.assigned, ElementsAre(0));
  EXPECT_THAT(batch.revoked, IsEmpty());
  push(0, 1);
  buffers_.revoke(0);
  EXPECT_EQ(buffers_.records(), 0U);
  push(0, 2);  // read before it went: no longer ours
  EXPECT_EQ(buffers_.records(), 0U);
  buffers_.assign(0, 1);  // and came back, before it was told
  push(0, 1);
  batch = buffers_.take(10, now_);
  EXPECT_THAT(batch.revoked, ElementsAre(0));
  EXPECT_THAT(batch.assigned, ElementsAre(0));
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].position.offset, 1);
  buffers_.revoke(0);
  batch = buffers_.take(10, now_);
  EXPECT_THAT(batch.revoked, ElementsAre(0));
  EXPECT_THAT(batch.assigned, IsEmpty());
  EXPECT_TRUE(buffers_.take(10, now_).empty());
}

TEST_F(PartitionBuffersTest, ASeekDropsWhatIsBufferedOfThatPartition) {
  buffers_.assign(0, 0);
  buffers_.assign(1, 0);
  push(0, 0);
  push(0, 1);
  push(1, 0);
  buffers_.seek(0, 0);
  EXPECT_THAT(take(10, now_), ElementsAre("1:0"));
  EXPECT_EQ(buffers_.lag(), 2U);
  push(0, 0);
  EXPECT_THAT(take(10, now_), ElementsAre("0:0"));
}

}  // namespace
}  // namespace scalestyle::adapters::kafka
