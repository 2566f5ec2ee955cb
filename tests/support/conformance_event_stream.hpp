#pragma once
// What every EventStream must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, EventStreamConformance, ::testing::Values(EventLogFactory{…}));

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "support/conformance_event_log.hpp"

namespace scalestyle::support {

class EventStreamConformance : public EventLogConformance {
 protected:
  using OnBatch = std::function<void(const core::Result<ports::StreamBatch>&)>;  // a type with linkage, as a header needs
  ports::EventStream& stream() { return engine_->stream(); }
  core::Result<ports::StreamBatch> poll(std::size_t max_events, std::chrono::milliseconds wait = std::chrono::seconds(30)) {
    return core::sync_wait(stream().poll(max_events, soon(wait)));
  }
  // An engine across a network learns a moment later what was appended.
  void expect_lag(std::uint64_t expected) {
    const auto until = soon();
    while (stream().lag() != expected && !until.expired(clock_)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(stream().lag(), expected);
  }
  std::vector<events::EventPosition> append_many(int count, const std::string& prefix = "e") {
    std::vector<events::EventPosition> positions;
    for (int i = 0; i < count; ++i) positions.push_back(append_one(sample_click(prefix + std::to_string(i))));
    return positions;
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EventStreamConformance);

TEST_P(EventStreamConformance, GivesEachEventOnceInOrderInBatchesNoLargerThanAsked) {
  const auto positions = append_many(10);
  expect_lag(10U);
  std::vector<events::EventPosition> got;
  while (got.size() < 10) {
    const auto batch = poll(4);
    ASSERT_TRUE(batch) << batch.error().message;
    ASSERT_FALSE(batch->events.empty());
    EXPECT_LE(batch->events.size(), 4U);
    for (const auto& event : batch->events) got.push_back(event.position);
  }
  EXPECT_EQ(got, positions);
  expect_lag(0U);
}

TEST_P(EventStreamConformance, AnEmptyStreamWaitsUntilTheDeadlineAndThenGivesNothing) {
  const auto batch = poll(10, std::chrono::milliseconds(20));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->events.empty());
}

TEST_P(EventStreamConformance, AWaitingPollIsGivenTheNextEvent) {
  std::atomic<int> given{0};
  std::binary_semaphore done(0);
  const OnBatch note = [&](const core::Result<ports::StreamBatch>& batch) {
    given = batch ? static_cast<int>(batch->events.size()) : -1;
    done.release();
  };
  auto operation = core::start(stream().poll(10, soon()), note);
  append_one(sample_click("wakes"));
  done.acquire();
  EXPECT_EQ(given, 1);
}

TEST_P(EventStreamConformance, ADroppedPollTakesNoEvent) {
  {
    const OnBatch never = [](const core::Result<ports::StreamBatch>&) { ADD_FAILURE() << "was dropped"; };
    auto dropped = core::start(stream().poll(10, soon()), never);
  }
  append_one(sample_click("stays"));
  const auto batch = poll(10);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->events.size(), 1U);
  EXPECT_EQ(batch->events[0].event.event_id, "stays");
}

TEST_P(EventStreamConformance, SeekGoesBackForwardAndToTheBeginning) {
  const auto positions = append_many(6);
  ASSERT_EQ(drain(6).size(), 6U);
  ASSERT_TRUE(core::sync_wait(stream().seek(positions[2], soon())));
  auto batch = poll(10);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->events.size(), 3U);
  EXPECT_EQ(batch->events[0].position, positions[3]);
  events::EventPosition beginning = positions[0];
  beginning.offset = -1;
  ASSERT_TRUE(core::sync_wait(stream().seek(beginning, soon())));
  expect_lag(6U);
  EXPECT_EQ(drain(6).front().position, positions[0]);
  ASSERT_TRUE(core::sync_wait(stream().seek(positions[5], soon())));
  append_one(sample_click("next"));
  EXPECT_EQ(poll(10)->events.at(0).event.event_id, "next");
}

TEST_P(EventStreamConformance, APositionOfAnotherStreamIsRefused) {
  const auto position = append_many(1).front();
  events::EventPosition foreign = position;
  foreign.stream = "another";
  for (const auto& status : {core::sync_wait(stream().seek(foreign, soon())), core::sync_wait(stream().commit(foreign, soon()))}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, core::ErrorCode::kInvalidArgument);
  }
}

TEST_P(EventStreamConformance, APausedPartitionGivesNothingUntilItIsResumed) {
  const auto position = append_many(1).front();
  ASSERT_TRUE(stream().pause(position.partition, std::chrono::hours(1)));
  EXPECT_TRUE(poll(10, std::chrono::milliseconds(20))->events.empty());
  expect_lag(1U);
  ASSERT_TRUE(stream().pause(position.partition, std::chrono::milliseconds(0)));
  EXPECT_EQ(poll(10)->events.size(), 1U);
}

TEST_P(EventStreamConformance, APauseEndsByItself) {
  const auto position = append_many(1).front();
  ASSERT_TRUE(stream().pause(position.partition, std::chrono::milliseconds(20)));
  EXPECT_EQ(poll(10)->events.size(), 1U);
}

TEST_P(EventStreamConformance, AfterARestartTheStreamGoesOnFromWhereItIsSought) {
  const auto positions = append_many(8);
  ASSERT_EQ(drain(8).size(), 8U);
  ASSERT_TRUE(core::sync_wait(stream().commit(positions[4], soon())));
  engine_->reopen();
  ASSERT_TRUE(core::sync_wait(stream().seek(positions[4], soon())));
  const auto rest = drain(3);
  ASSERT_EQ(rest.size(), 3U);
  EXPECT_EQ(rest[0].position, positions[5]);
  append_one(sample_click("live"));
  EXPECT_EQ(drain(1).front().event.event_id, "live");
}

}  // namespace scalestyle::support
