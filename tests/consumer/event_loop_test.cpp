#include "consumer/event_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "event_loop_fixture.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;
using events::EventPosition;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(EventLoopTest, AppliesInOrderWhatIsThereAndWhatComes) {
  stream_.append("a");
  stream_.append("b");
  loop_->start();
  EXPECT_THAT(applied(), ElementsAre("a", "b"));
  stream_.append("c");
  EXPECT_THAT(applied(), ElementsAre("a", "b", "c"));  // inside append(): before it would be acknowledged
  pass(1s);                                            // a poll without events
  stream_.append("d");
  EXPECT_THAT(applied(), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(loop_->applied_events(), 4u);
  EXPECT_EQ(loop_->trouble(), "");
}

TEST_F(EventLoopTest, TakesNoMoreThanABatchAtATime) {
  for (int i = 0; i < 25; ++i) stream_.append("e" + std::to_string(i));
  EventLoop::Options options;
  options.batch_events = 10;
  make_loop(options);
  loop_->start();
  EXPECT_EQ(applied().size(), 25u);
  EXPECT_EQ(stream_.polls(), 4u);  // 10, 10, 5, and the one that waits
}

TEST_F(EventLoopTest, GoesOnFromWhatTheStoreHasMadeDurable) {
  for (const auto* id : {"a", "b", "c", "d"}) stream_.append(id);
  features_.set_applied({"fake", 0, 2});
  ASSERT_TRUE(core::sync_wait(features_.checkpoint(core::Deadline::never())));
  loop_->start();
  EXPECT_THAT(stream_.seeks(), ElementsAre(EventPosition{"fake", 0, 2}));
  EXPECT_THAT(applied(), ElementsAre("c", "d"));
  EXPECT_THAT(stream_.commits(), ElementsAre(EventPosition{"fake", 0, 2}));  // durable before this process began
}

TEST_F(EventLoopTest, AFailedBatchIsSoughtBackToAndGivenAgainWithGrowingDelays) {
  features_.fail_apply_with(away());
  stream_.append("a");
  stream_.append("b");
  loop_->start();
  EXPECT_THAT(loop_->trouble(), HasSubstr("the test's apply fault"));
  for (int i = 0; i < 6; ++i) pass(60s);
  const auto pauses = stream_.pauses();
  ASSERT_GE(pauses.size(), 5u);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GE(pauses[i], pauses[i - 1]) << i;
  EXPECT_GT(pauses[4], 4 * pauses[0]);
  EXPECT_THAT(stream_.seeks(), testing::Each(EventPosition{"fake", 0, 0}));
  stream_.append("c");
  EXPECT_TRUE(applied().empty());
  features_.fail_apply_with(std::nullopt);
  pass(60s);
  EXPECT_THAT(applied(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(loop_->trouble(), "");
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_consumer_failures_total{stage=\"apply\",stream=\"events\"}"));
}

TEST_F(EventLoopTest, OtherPartitionsGoOnWhileOneIsPaused) {
  features_.fail_apply_with(away());
  stream_.append("a", 0);
  loop_->start();
  features_.fail_apply_with(std::nullopt);
  stream_.append("b", 1);
  EXPECT_THAT(applied(), ElementsAre("b"));
  pass(60s);
  EXPECT_THAT(applied(), ElementsAre("b", "a"));
}

TEST_F(EventLoopTest, AStreamThatCannotPauseIsLeftAloneForADelay) {
  features_.fail_apply_with(away());
  stream_.fail_pauses(1);
  stream_.append("a");
  loop_->start();
  EXPECT_EQ(stream_.polls(), 1u);
  features_.fail_apply_with(std::nullopt);
  pass(1s);
  EXPECT_THAT(applied(), ElementsAre("a"));
}

TEST_F(EventLoopTest, PollsThatFailAreRepeatedAfterADelay) {
  stream_.fail_polls(2);
  stream_.append("a");
  loop_->start();
  EXPECT_THAT(loop_->trouble(), HasSubstr("the test's poll fault"));
  EXPECT_EQ(stream_.polls(), 1u);
  pass(50ms);
  EXPECT_EQ(stream_.polls(), 2u);
  pass(1s);
  EXPECT_THAT(applied(), ElementsAre("a"));
  EXPECT_EQ(loop_->trouble(), "");
}

TEST_F(EventLoopTest, NothingIsPolledBeforeThePositionIsKnownAndSought) {
  features_.set_applied({"fake", 0, 1});
  ASSERT_TRUE(core::sync_wait(features_.checkpoint(core::Deadline::never())));
  stream_.append("a");
  stream_.append("b");
  features_.fail_with(away());
  stream_.fail_seeks(1);
  loop_->start();
  EXPECT_EQ(stream_.polls(), 0u);
  EXPECT_THAT(loop_->trouble(), HasSubstr("positions"));
  features_.fail_with(std::nullopt);
  pass(1s);
  EXPECT_EQ(stream_.polls(), 0u);
  EXPECT_THAT(loop_->trouble(), HasSubstr("seek"));
  pass(1s);
  EXPECT_THAT(applied(), ElementsAre("b"));
}

TEST_F(EventLoopTest, AnExceptionBeginsAgainAtWhatIsDurable) {
  stream_.append("a");
  loop_->start();
  ASSERT_TRUE(core::sync_wait(features_.checkpoint(core::Deadline::never())));
  stream_.append("b");
  stream_.throw_in_poll();
  stream_.append("c");
  EXPECT_FALSE(loop_->trouble().empty());
  pass(1s);
  EXPECT_EQ(loop_->trouble(), "");
  EXPECT_THAT(stream_.seeks(), ElementsAre(EventPosition{"fake", 0, 1}));
  EXPECT_THAT(applied(), ElementsAre("a", "b", "c"));  // the store passes over "b"
}

TEST_F(EventLoopTest, CaughtUpEndsWithTheTailOfTheStart) {
  for (int i = 0; i < 5; ++i) stream_.append("e" + std::to_string(i));
  EventLoop::Options options;
  options.batch_events = 2;
  make_loop(options);
  expect_caught_up();
  features_.apply_gate().hold();
  loop_->start();
  EXPECT_FALSE(caught_up_);
  stream_.append("later");
  features_.apply_gate().release();
  ASSERT_TRUE(caught_up_);
  EXPECT_TRUE(*caught_up_);
  EXPECT_GE(applied().size(), 5u);
  caught_up_.reset();
  expect_caught_up();  // once more: at once
  EXPECT_TRUE(caught_up_ && *caught_up_);
}

TEST_F(EventLoopTest, CaughtUpAtOnceWhereNothingIsThere) {
  loop_->start();
  expect_caught_up();
  EXPECT_TRUE(caught_up_ && *caught_up_);
}

TEST_F(EventLoopTest, NotCaughtUpWhileTheTailCannotBeApplied) {
  features_.fail_apply_with(away());
  stream_.append("a");
  loop_->start();
  expect_caught_up(core::Deadline::after(5s, clock_));
  for (int i = 0; i < 4; ++i) pass(1s);
  EXPECT_FALSE(caught_up_);
  pass(1s);
  ASSERT_TRUE(caught_up_);
  EXPECT_EQ(caught_up_->error().code, core::ErrorCode::kDeadlineExceeded);
  caught_up_.reset();
  expect_caught_up();
  features_.fail_apply_with(std::nullopt);
  pass(60s);
  EXPECT_TRUE(caught_up_ && *caught_up_);
}

TEST_F(EventLoopTest, AStopEndsThoseWhoWait) {
  features_.fail_apply_with(away());
  stream_.append("a");
  loop_->start();
  expect_caught_up();
  loop_->stop();
  ASSERT_TRUE(caught_up_);
  EXPECT_EQ(caught_up_->error().code, core::ErrorCode::kCancelled);
  const auto later = core::sync_wait(loop_->caught_up(core::Deadline::never()));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, core::ErrorCode::kCancelled);
}

TEST_F(EventLoopTest, AStopEndsAWaitingPollAndMayBeRepeated) {
  loop_->start();
  stream_.append("a");
  loop_->stop();
  loop_->stop();
  stream_.append("b");
  pass(60s);
  EXPECT_THAT(applied(), ElementsAre("a"));
}

TEST_F(EventLoopTest, AStopWaitsForTheApplyInProgress) {
  features_.apply_gate().hold();
  loop_->start();
  stream_.append("a");
  std::thread stopper([this] { loop_->stop(); });
  features_.apply_gate().release();
  stopper.join();
  EXPECT_THAT(applied(), ElementsAre("a"));
  stream_.append("b");
  pass(60s);
  EXPECT_THAT(applied(), ElementsAre("a"));
}

TEST_F(EventLoopTest, ALoopThatWasNeverStartedCanGo) {
  loop_->stop();
  loop_.reset();
}

TEST_F(EventLoopTest, CommitsWhatCheckpointsMadeDurable) {
  loop_->start();
  for (const auto* id : {"a", "b", "c"}) stream_.append(id);
  EXPECT_TRUE(stream_.commits().empty());
  loop_->note_durable({{"fake", 0, 2}});
  pass(1s);
  EXPECT_THAT(stream_.commits(), ElementsAre(EventPosition{"fake", 0, 2}));
  loop_->note_durable({{"fake", 0, 2}, {"other", 0, 9}, {"fake", 7, 9}});
  pass(1s);
  EXPECT_EQ(stream_.commits().size(), 1u);  // nothing new; another stream, a partition that is not held
  loop_->stop();
  loop_->note_durable({{"fake", 0, 3}});
  ASSERT_TRUE(core::sync_wait(loop_->commit_remaining()));
  EXPECT_THAT(stream_.commits(), ElementsAre(EventPosition{"fake", 0, 2}, EventPosition{"fake", 0, 3}));
}

TEST_F(EventLoopTest, ACommitThatFailsIsRepeatedAndStopsNothing) {
  loop_->start();
  stream_.append("a");
  loop_->note_durable({{"fake", 0, 1}});
  stream_.fail_commits(1);
  pass(1s);
  EXPECT_TRUE(stream_.commits().empty());
  stream_.append("b");
  EXPECT_THAT(applied(), ElementsAre("a", "b"));
  EXPECT_THAT(stream_.commits(), ElementsAre(EventPosition{"fake", 0, 1}));
}

TEST_F(EventLoopTest, APartitionThatComesBeginsAtItsDurablePosition) {
  for (const auto* id : {"a", "b", "c"}) stream_.append(id, 3);
  features_.set_applied({"fake", 3, 2});
  ASSERT_TRUE(core::sync_wait(features_.checkpoint(core::Deadline::never())));
  features_.set_applied({"fake", 3, 0});  // so that an event given from too early on would show
  stream_.revoke(3);
  loop_->start();
  EXPECT_TRUE(applied().empty());
  stream_.assign(3);
  EXPECT_THAT(applied(), ElementsAre("c"));
  EXPECT_EQ(stream_.seeks().back(), (EventPosition{"fake", 3, 2}));
}

TEST_F(EventLoopTest, NothingIsCommittedForAPartitionThatWent) {
  stream_.assign(1);
  loop_->start();
  stream_.append("a", 1);
  stream_.append("b", 0);
  stream_.revoke(1);
  loop_->note_durable({{"fake", 1, 1}, {"fake", 0, 1}});
  pass(1s);
  EXPECT_THAT(stream_.commits(), ElementsAre(EventPosition{"fake", 0, 1}));
}

TEST_F(EventLoopTest, ShowsLagAndAgeWhileItLives) {
  features_.apply_gate().hold();
  stream_.append("a");
  stream_.append("b");
  loop_->start();
  stream_.append("c");
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_consumer_lag_events{stream=\"events\"} 1"));
  features_.apply_gate().release();
  clock_.advance(90s);
  const auto text = metrics_.render();
  EXPECT_THAT(text, HasSubstr("scalestyle_consumer_lag_events{stream=\"events\"} 0"));
  EXPECT_THAT(text, HasSubstr("events_processed_total{result=\"applied\",stream=\"events\"} 3"));
  EXPECT_THAT(text, HasSubstr("scalestyle_consumer_newest_applied_age_seconds{stream=\"events\"} 90"));
  loop_.reset();
  stream_.append("d");
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_consumer_lag_events{stream=\"events\"} 0"));
}

TEST_F(EventLoopTest, TellsHowLongAfterItsReceiptAnEventTakesEffect) {
  features_.apply_gate().hold();
  loop_->start();
  stream_.append("a");
  clock_.advance(2s);
  features_.apply_gate().release();
  const auto text = metrics_.render();
  EXPECT_THAT(text, HasSubstr("scalestyle_event_freshness_seconds_count{stream=\"events\"} 1"));
  EXPECT_THAT(text, HasSubstr("scalestyle_event_freshness_seconds_bucket{stream=\"events\",le=\"1\"} 0"));
  EXPECT_THAT(text, HasSubstr("scalestyle_event_freshness_seconds_bucket{stream=\"events\",le=\"2.5\"} 1"));
}

TEST(EventLoopOptions, AreChecked) {
  EventLoop::Options options;
  EXPECT_TRUE(options.validate());
  options.batch_events = 0;
  EXPECT_EQ(options.validate().error().field, "batch_events");
  options = {};
  options.retry.longest = 1ms;
  EXPECT_EQ(options.validate().error().field, "retry");
}

}  // namespace
}  // namespace scalestyle::consumer
