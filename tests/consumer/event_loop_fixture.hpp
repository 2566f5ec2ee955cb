#pragma once
// An event loop over fakes, all on the test's own thread.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consumer/event_loop.hpp"
#include "fake_event_stream.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_feature_store.hpp"

namespace scalestyle::consumer {

class KeptDeadLetters final : public FailedRecordSink {
 public:
  core::Task<core::Status> keep(ports::UndecodableRecord record, core::Deadline) override {
    if (faults > 0) {
      --faults;
      co_return core::fail(core::ErrorCode::kUnavailable, "the test's dead-letter fault");
    }
    records.push_back(std::move(record));
    co_return core::Status{};
  }
  core::Task<core::Status> put_off(events::LoggedEvent event, core::Error cause, core::Deadline) override {
    if (faults > 0) {
      --faults;
      co_return core::fail(core::ErrorCode::kUnavailable, "the test's dead-letter fault");
    }
    put_off_events.push_back(event.event.event_id + ": " + cause.message);
    co_return core::Status{};
  }
  int faults = 0;
  std::vector<ports::UndecodableRecord> records;
  std::vector<std::string> put_off_events;
};

// Everything on the test's own thread: a step ends where it waits, and goes on when the test appends or moves the clock.
class EventLoopTest : public testing::Test {
 protected:
  EventLoopTest() { make_loop({}); }

  void make_loop(EventLoop::Options options, FailedRecordSink* sink = nullptr) {
    loop_.reset();
    loop_ = std::make_unique<EventLoop>(EventLoop::Dependencies{.stream = stream_, .features = features_, .timers = timers_,
                                                                .clock = clock_, .metrics = metrics_, .log = log_,
                                                                .failed_records = sink},
                                        options);
  }
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    timers_.run_due();
  }
  [[nodiscard]] std::vector<std::string> applied() const {
    std::vector<std::string> ids;
    for (const auto& event : features_.applied_events()) ids.push_back(event.event.event_id);
    return ids;
  }
  // Starts the wait; the answer appears in `caught_up_`.
  void expect_caught_up(core::Deadline deadline = core::Deadline::never()) {
    waiting_ = core::start(loop_->caught_up(deadline), [this](core::Status&& status) { caught_up_ = std::move(status); });
  }
  static core::Error away() { return core::fail(core::ErrorCode::kUnavailable, "the test's apply fault").error(); }

  support::FakeClock clock_;
  core::TimerQueue timers_{clock_};
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{.level = telemetry::LogLevel::kError, .format = telemetry::LogFormat::kJson}, clock_};
  support::FakeEventStream stream_{timers_, clock_};
  support::FakeFeatureStore features_;
  std::unique_ptr<EventLoop> loop_;
  core::Operation waiting_;
  std::optional<core::Status> caught_up_;
};

}  // namespace scalestyle::consumer
