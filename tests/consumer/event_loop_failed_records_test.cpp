// What an event loop does with what cannot take effect, and with what is durable at once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event_loop_fixture.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;
using events::EventPosition;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(EventLoopTest, ARecordThatIsNoEventStopsNothingAndIsCounted) {
  stream_.append("a");
  stream_.append_undecodable("\xff garbage");
  stream_.append("b");
  loop_->start();
  expect_caught_up();
  EXPECT_TRUE(caught_up_ && *caught_up_);
  EXPECT_THAT(applied(), ElementsAre("a", "b"));
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_consumer_undecodable_records_total{stream=\"events\"} 1"));
  EXPECT_EQ(loop_->trouble(), "");
}

TEST_F(EventLoopTest, NothingIsCommittedPastARecordThatIsNotKeptYet) {
  KeptDeadLetters sink;
  sink.faults = 2;
  make_loop({}, &sink);
  stream_.append("a");
  stream_.append_undecodable("bad");
  stream_.append("b");
  loop_->start();
  EXPECT_THAT(applied(), ElementsAre("a", "b"));
  loop_->note_durable({{"fake", 0, 3}});
  EXPECT_THAT(loop_->trouble(), HasSubstr("dead_letter"));
  pass(100ms);
  EXPECT_TRUE(sink.records.empty());
  EXPECT_TRUE(stream_.commits().empty());
  pass(60s);
  pass(60s);
  ASSERT_EQ(sink.records.size(), 1u);
  EXPECT_EQ(sink.records[0].bytes, "bad");
  EXPECT_EQ(sink.records[0].position.offset, 2);
  EXPECT_THAT(applied(), ElementsAre("a", "b"));
  EXPECT_THAT(stream_.commits(), ElementsAre(EventPosition{"fake", 0, 3}));
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_consumer_undecodable_records_total{stream=\"events\"} 1"));
}

TEST_F(EventLoopTest, WhatTheStoreMadeDurableIsCommittedWithoutACheckpoint) {
  features_.apply_durably(true);
  loop_->start();
  for (const auto* id : {"a", "b"}) stream_.append(id);
  stream_.append_undecodable("bad");
  pass(1s);
  ASSERT_FALSE(stream_.commits().empty());
  EXPECT_EQ(stream_.commits().back(), (EventPosition{"fake", 0, 3}));
}

TEST_F(EventLoopTest, AnEventThatFailsByItselfIsPutOffAndStopsNothing) {
  KeptDeadLetters sink;
  make_loop({}, &sink);
  features_.apply_durably(true);
  features_.refuse_event("b", core::Error{core::ErrorCode::kFailedPrecondition, "a key of a wrong type"});
  for (const auto* id : {"a", "b", "c"}) stream_.append(id);
  loop_->start();
  EXPECT_THAT(applied(), ElementsAre("a", "c"));
  EXPECT_THAT(sink.put_off_events, ElementsAre("b: a key of a wrong type"));
  EXPECT_EQ(loop_->trouble(), "");
  EXPECT_EQ(loop_->applied_events(), 2u);
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_consumer_put_off_events_total{stream=\"events\"} 1"));
  pass(1s);
  EXPECT_EQ(stream_.commits().back(), (EventPosition{"fake", 0, 3}));
}

TEST_F(EventLoopTest, NothingIsCommittedPastAnEventThatCouldNotBePutOff) {
  KeptDeadLetters sink;
  sink.faults = 1;
  make_loop({}, &sink);
  features_.apply_durably(true);
  features_.refuse_event("b", core::Error{core::ErrorCode::kFailedPrecondition, "a key of a wrong type"});
  for (const auto* id : {"a", "b", "c"}) stream_.append(id);
  loop_->start();
  EXPECT_TRUE(stream_.commits().empty());
  EXPECT_THAT(loop_->trouble(), HasSubstr("apply"));
  pass(60s);
  pass(1s);
  EXPECT_THAT(applied(), ElementsAre("a", "c"));
  EXPECT_THAT(sink.put_off_events, ElementsAre("b: a key of a wrong type"));
  EXPECT_EQ(stream_.commits().back(), (EventPosition{"fake", 0, 3}));
}

TEST_F(EventLoopTest, WithoutASinkAnEventThatFailsStopsItsPartition) {
  features_.refuse_event("b", core::Error{core::ErrorCode::kFailedPrecondition, "a key of a wrong type"});
  for (const auto* id : {"a", "b"}) stream_.append(id);
  loop_->start();
  EXPECT_THAT(loop_->trouble(), HasSubstr("the event at fake/0/2 cannot take effect"));
  EXPECT_THAT(loop_->trouble(), Not(HasSubstr("a key of a wrong type"))) << "a cause may name the shopper, and troubles are logged";
  features_.refuse_event("b", std::nullopt);
  pass(60s);
  EXPECT_THAT(applied(), ElementsAre("a", "b"));
  EXPECT_EQ(loop_->trouble(), "");
}

}  // namespace
}  // namespace scalestyle::consumer
