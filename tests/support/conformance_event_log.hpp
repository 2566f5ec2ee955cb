#pragma once
// What every EventLog must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogConformance, ::testing::Values(EventLogFactory{…}));

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/event_log.hpp"
#include "ports/event_stream.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::support {

// An engine under test, empty at first.
class EventLogEngine {
 public:
  virtual ~EventLogEngine() = default;
  [[nodiscard]] virtual ports::EventLog& log() = 0;
  [[nodiscard]] virtual ports::EventStream& stream() = 0;  // one consumer, from the beginning
  // Ends the process's hold on the log, and takes it up again: what was acknowledged is there.
  virtual void reopen() = 0;
  // An id is in the log once, however often it is appended. Else it is once in each append, and takes effect once.
  [[nodiscard]] virtual bool keeps_ids_once() const { return true; }
  // Erases what pending kForget events ask for; the consumer has committed them.
  virtual void erase() = 0;
};
using EventLogFactory = std::function<std::unique_ptr<EventLogEngine>()>;

class EventLogConformance : public ::testing::TestWithParam<EventLogFactory> {
 protected:
  EventLogConformance() : engine_(GetParam()()) {}

  [[nodiscard]] core::Deadline soon(std::chrono::milliseconds wait = std::chrono::seconds(30)) const { return core::Deadline::after(wait, clock_); }
  ports::AppendResult append(std::vector<events::Event> batch) { return core::sync_wait(engine_->log().append(std::move(batch), soon())); }
  events::EventPosition append_one(events::Event event) {
    const auto result = append({std::move(event)});
    EXPECT_TRUE(result) << result.error().error.message;
    return result ? result->front().position : events::EventPosition{};
  }
  // Everything that the stream has, in order.
  std::vector<events::LoggedEvent> drain(std::size_t count) {
    std::vector<events::LoggedEvent> all;
    while (all.size() < count) {
      auto batch = core::sync_wait(engine_->stream().poll(10'000, soon()));
      if (!batch || batch->empty()) {
        ADD_FAILURE() << (batch ? "the stream ended early" : batch.error().message);
        break;
      }
      for (auto& event : batch->events) all.push_back(std::move(event));
    }
    return all;
  }
  std::vector<events::LoggedEvent> history(const events::Subject& subject, std::int64_t after = -1, std::size_t limit = 100) {
    auto found = core::sync_wait(engine_->log().history(subject, after, limit, soon()));
    if (!found && found.error().code == core::ErrorCode::kUnsupported) return {};
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::move(*found) : std::vector<events::LoggedEvent>{};
  }
  [[nodiscard]] bool has_history() {
    auto found = core::sync_wait(engine_->log().history(events::Subject{}, -1, 1, soon()));
    return found || found.error().code != core::ErrorCode::kUnsupported;
  }

  core::SystemClock clock_;
  std::unique_ptr<EventLogEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EventLogConformance);

TEST_P(EventLogConformance, WhatIsAppendedIsInTheStreamWithItsPositionAndUnchanged) {
  std::vector<events::Event> sent;
  std::vector<events::EventPosition> positions;
  for (int i = 0; i < 20; ++i) {
    sent.push_back(sample_click("id-" + std::to_string(i)));
    positions.push_back(append_one(sent.back()));
  }
  const auto got = drain(20);
  ASSERT_EQ(got.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(got[i].event, sent[i]);
    EXPECT_EQ(got[i].position, positions[i]);
    if (i > 0) {
      EXPECT_LT(got[i - 1].position.offset, got[i].position.offset);
    }
  }
}

TEST_P(EventLogConformance, AnEventIdIsKeptOnceInABatchAcrossBatchesAndAcrossARestart) {
  const auto first = append({sample_click("a"), sample_click("b"), sample_click("a")});
  ASSERT_TRUE(first) << first.error().error.message;
  ASSERT_EQ(first->size(), 3U);
  EXPECT_FALSE((*first)[0].duplicate);
  EXPECT_TRUE((*first)[2].duplicate);
  EXPECT_EQ((*first)[2].position, (*first)[0].position);
  if (!engine_->keeps_ids_once()) {
    const auto repeated = append({sample_click("b")});
    ASSERT_TRUE(repeated) << repeated.error().error.message;
    EXPECT_EQ((*repeated)[0].mark, (*first)[1].mark);  // by which stores know it again
    EXPECT_NE((*first)[0].mark, (*first)[1].mark);
    EXPECT_EQ(drain(3).size(), 3U);
    return;
  }
  engine_->reopen();
  const auto again = append({sample_click("b", "somebody-else"), sample_click("c")});
  ASSERT_TRUE(again) << again.error().error.message;
  EXPECT_TRUE((*again)[0].duplicate);
  EXPECT_EQ((*again)[0].position, (*first)[1].position);
  EXPECT_FALSE((*again)[1].duplicate);
  const auto got = drain(3);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[1].event.user_id->value(), "ann");
  EXPECT_EQ(got[2].event.event_id, "c");
}

TEST_P(EventLogConformance, ABatchWithAnEventThatCannotBeKeptIsRefusedWhole) {
  events::Event nobody = sample_click("b");
  nobody.user_id.reset();
  events::Event unnamed = sample_click("");
  for (const events::Event& wrong : {nobody, unnamed}) {
    const auto result = append({sample_click("a"), wrong});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().outcome, ports::AppendOutcome::kNotKept);
    EXPECT_EQ(result.error().error.code, core::ErrorCode::kInvalidArgument);
  }
  const auto too_many = append(std::vector<events::Event>(501, sample_click("x")));
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().error.code, core::ErrorCode::kInvalidArgument);
  const auto kept = append({sample_click("a")});
  ASSERT_TRUE(kept) << kept.error().error.message;
  EXPECT_FALSE(kept->front().duplicate);
}

TEST_P(EventLogConformance, ADeadlineThatHasPassedKeepsNothing) {
  const auto late = core::sync_wait(engine_->log().append({sample_click("late")}, soon(std::chrono::milliseconds(-1))));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().outcome, ports::AppendOutcome::kNotKept);
  EXPECT_EQ(late.error().error.code, core::ErrorCode::kDeadlineExceeded);
  EXPECT_FALSE(append({sample_click("late")})->front().duplicate);
}

TEST_P(EventLogConformance, ManyCallersAtOnceEachGetTheirOwnPositions) {
  constexpr int kCallers = 4;
  constexpr int kEach = 50;
  std::vector<std::vector<std::int64_t>> offsets(kCallers);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < kEach; ++i) {
        const std::string name = std::to_string(caller) + "-" + std::to_string(i);
        const auto position = append_one(sample_click(name, "user-" + std::to_string(caller)));
        offsets[static_cast<std::size_t>(caller)].push_back(position.offset);
      }
    });
  }
  for (auto& caller : callers) caller.join();
  std::set<std::int64_t> distinct;
  for (const auto& own : offsets) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    distinct.insert(own.begin(), own.end());
  }
  EXPECT_EQ(distinct.size(), static_cast<std::size_t>(kCallers * kEach));
  EXPECT_EQ(drain(kCallers * kEach).size(), static_cast<std::size_t>(kCallers * kEach));
}

TEST_P(EventLogConformance, HistoryIsOfTheSubjectAloneInOrderAndInPages) {
  if (!has_history()) return;  // the engine cannot look up by subject, and says so
  append_one(sample_click("1", "ann"));
  append_one(sample_click("2", "bob"));
  append_one(sample_click("3", "ann"));
  append_one(sample_session_click("4", "ann"));  // a session of that name is somebody else
  append_one(sample_click("5", "ann"));
  const auto all = history({events::SubjectKind::kUser, "ann"});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].event.event_id, "1");
  EXPECT_EQ(all[2].event.event_id, "5");
  const auto rest = history({events::SubjectKind::kUser, "ann"}, all[0].position.offset, 1);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].event.event_id, "3");
  EXPECT_EQ(history({events::SubjectKind::kSession, "ann"}).size(), 1U);
  EXPECT_TRUE(history({events::SubjectKind::kUser, "nobody"}).empty());
}

TEST_P(EventLogConformance, AfterAForgetNothingOlderOfTheSubjectCanBeRead) {
  append_one(sample_click("1", "ann"));
  append_one(sample_click("2", "bob"));
  const auto forget = append_one(sample_subject_event(events::EventType::kForget, "forget", "ann"));
  append_one(sample_click("3", "ann"));
  const auto check = [&] {
    if (!has_history()) return;
    const auto own = history({events::SubjectKind::kUser, "ann"});
    ASSERT_EQ(own.size(), 1U);
    EXPECT_EQ(own[0].event.event_id, "3");
    EXPECT_EQ(history({events::SubjectKind::kUser, "bob"}).size(), 1U);
  };
  check();
  const auto pending = core::sync_wait(engine_->log().wait_erased(forget, soon(std::chrono::milliseconds(1))));
  ASSERT_TRUE(pending) << pending.error().message;
  if (*pending != ports::ErasureState::kUnreadable) {
    EXPECT_EQ(*pending, ports::ErasureState::kPending);
    ASSERT_TRUE(core::sync_wait(engine_->stream().commit(forget, soon())));
    engine_->erase();
    EXPECT_EQ(*core::sync_wait(engine_->log().wait_erased(forget, soon())), ports::ErasureState::kErased);
  }
  check();
  engine_->reopen();
  check();
}

TEST_P(EventLogConformance, ARepeatedRequestToBeForgottenChangesNothing) {
  const auto first = append_one(sample_subject_event(events::EventType::kForget, "forget", "ann"));
  ASSERT_TRUE(core::sync_wait(engine_->stream().commit(first, soon())));
  engine_->erase();
  const auto again = append({sample_subject_event(events::EventType::kForget, "forget", "ann")});
  ASSERT_TRUE(again) << again.error().error.message;
  if (engine_->keeps_ids_once()) {
    EXPECT_TRUE(again->front().duplicate);
    EXPECT_EQ(again->front().position, first);
  }
  engine_->erase();
}

}  // namespace scalestyle::support
