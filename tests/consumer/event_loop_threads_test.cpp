#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "consumer/event_loop.hpp"
#include "fake_event_stream.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_feature_store.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;
using events::EventPosition;

// Real threads: a producer, faults that come and go, the timers' thread. Every event once, in order.
TEST(EventLoopThreads, ExactlyOnceWhileFaultsComeAndGo) {
#ifdef __SANITIZE_ADDRESS__
  constexpr int kEvents = 500;  // without tail calls, as here, steps that complete at once nest on the stack
#else
  constexpr int kEvents = 5'000;
#endif
  support::ComputeThreads threads(1);
  telemetry::Metrics metrics;
  const support::FakeClock log_clock;
  telemetry::Logger log({.level = telemetry::LogLevel::kError, .format = telemetry::LogFormat::kJson}, log_clock);
  support::FakeEventStream stream(threads.timers(), threads.clock());
  support::FakeFeatureStore features;
  EventLoop::Options options;
  options.batch_events = 16;
  options.retry = {.first = 1ms, .longest = 2ms};
  testing::internal::CaptureStderr();
  {
    EventLoop loop({.stream = stream, .features = features, .timers = threads.timers(), .clock = threads.clock(),
                    .metrics = metrics, .log = log},
                   options);
    loop.start();
    std::thread faults([&] {
      for (int i = 0; i < 200; ++i) {
        features.fail_apply_with(core::fail(core::ErrorCode::kUnavailable, "away").error());
        stream.fail_polls(i % 2);
        stream.fail_seeks(i % 3 == 0 ? 1 : 0);
        std::this_thread::yield();
        features.fail_apply_with(std::nullopt);
        loop.note_durable(core::sync_wait(features.checkpoint(core::Deadline::never())).value());
      }
    });
    for (int i = 0; i < kEvents; ++i) stream.append("e" + std::to_string(i));
    faults.join();
    const auto reached = core::sync_wait(loop.caught_up(core::Deadline::never()));
    EXPECT_TRUE(reached);
    while (features.applied_events().size() < kEvents) std::this_thread::yield();
    loop.stop();
  }
  testing::internal::GetCapturedStderr();
  const auto applied = features.applied_events();
  ASSERT_EQ(applied.size(), static_cast<std::size_t>(kEvents));
  for (int i = 0; i < kEvents; ++i) ASSERT_EQ(applied[static_cast<std::size_t>(i)].event.event_id, "e" + std::to_string(i));
  const auto commits = stream.commits();
  EXPECT_TRUE(std::ranges::is_sorted(commits, {}, &EventPosition::offset));
  threads.stop();
}

}  // namespace
}  // namespace scalestyle::consumer
