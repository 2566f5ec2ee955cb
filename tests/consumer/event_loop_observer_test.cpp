// What the loop's observer is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "consumer/event_loop.hpp"
#include "fake_event_stream.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_feature_store.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// Fails the first time and keeps the record the second.
class HesitantDeadLetters final : public FailedRecordSink {
 public:
  core::Task<core::Status> keep(ports::UndecodableRecord, core::Deadline) override {
    if (++calls == 1) co_return core::fail(core::ErrorCode::kUnavailable, "the test's dead-letter fault");
    co_return core::Status{};
  }
  core::Task<core::Status> put_off(events::LoggedEvent, core::Error, core::Deadline) override { co_return core::Status{}; }
  int calls = 0;
};

class EventLoopObserverTest : public testing::Test {
 protected:
  EventLoopObserverTest() { observe(nullptr); }

  void observe(FailedRecordSink* sink) {
    loop_.reset();
    loop_ = std::make_unique<EventLoop>(
        EventLoop::Dependencies{.stream = stream_, .features = features_, .timers = timers_, .clock = clock_, .metrics = metrics_,
                                .log = log_, .failed_records = sink,
                                .observer = [this](std::span<const events::LoggedEvent> taken) { note(taken); }},
        EventLoop::Options{});
  }
  void note(std::span<const events::LoggedEvent> taken) {
    for (const auto& one : taken) {
      told_.push_back(one.event.event_id);
      const auto applied = features_.applied_events();
      in_time_ = in_time_ && !caught_up_ && std::ranges::find(applied, one) != applied.end();
    }
  }
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    timers_.run_due();
  }

  support::FakeClock clock_;
  core::TimerQueue timers_{clock_};
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{.level = telemetry::LogLevel::kError, .format = telemetry::LogFormat::kJson}, clock_};
  support::FakeEventStream stream_{timers_, clock_};
  support::FakeFeatureStore features_;
  std::unique_ptr<EventLoop> loop_;
  core::Operation waiting_;
  std::optional<core::Status> caught_up_;
  std::vector<std::string> told_;
  bool in_time_ = true;  // all that was told had taken effect, and nobody was told of progress before
};

TEST_F(EventLoopObserverTest, IsToldWhatTookEffectBeforeItIsProgress) {
  features_.fail_apply_with(core::fail(core::ErrorCode::kUnavailable, "the test's apply fault").error());
  stream_.append("a");
  stream_.append("b");
  waiting_ = core::start(loop_->caught_up(core::Deadline::never()), [this](core::Status&& status) { caught_up_ = std::move(status); });
  loop_->start();
  EXPECT_TRUE(told_.empty());
  features_.fail_apply_with(std::nullopt);
  pass(60s);
  EXPECT_THAT(told_, ElementsAre("a", "b"));
  EXPECT_TRUE(in_time_);
  EXPECT_TRUE(caught_up_.has_value());
}

TEST_F(EventLoopObserverTest, IsToldNothingTwice) {
  HesitantDeadLetters letters;
  observe(&letters);
  stream_.append("a");
  stream_.append_undecodable("x");
  stream_.append("b", 1);
  loop_->start();
  for (int i = 0; i < 5; ++i) pass(60s);
  EXPECT_EQ(letters.calls, 2);
  EXPECT_THAT(told_, UnorderedElementsAre("a", "b"));
  stream_.append("c");
  stream_.throw_in_poll();
  stream_.append("d");
  pass(60s);
  stream_.append("e", 1);
  EXPECT_THAT(told_, UnorderedElementsAre("a", "b", "c", "d", "e"));
}

}  // namespace
}  // namespace scalestyle::consumer
