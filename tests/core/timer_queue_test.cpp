#include "core/timer_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "support/fake_clock.hpp"

namespace scalestyle::core {
namespace {

using std::chrono::milliseconds;

TEST(TimerQueue, RunsWhatIsDueInOrderOfTimeAndNothingElse) {
  support::FakeClock clock;
  TimerQueue timers(clock);
  std::vector<int> ran;
  const auto start = clock.steady_now();
  timers.schedule(start + milliseconds(20), [&] { ran.push_back(20); });
  timers.schedule(start + milliseconds(10), [&] { ran.push_back(10); });
  const auto cancelled = timers.schedule(start + milliseconds(15), [&] { ran.push_back(15); });
  timers.run_due();
  EXPECT_TRUE(ran.empty());
  EXPECT_TRUE(timers.cancel(cancelled));
  EXPECT_FALSE(timers.cancel(cancelled));
  clock.advance(milliseconds(19));
  timers.run_due();
  EXPECT_EQ(ran, (std::vector{10}));
  clock.advance(milliseconds(1));
  timers.run_due();
  EXPECT_EQ(ran, (std::vector{10, 20}));
}

TEST(TimerQueue, CallbackMaySchedule) {
  support::FakeClock clock;
  TimerQueue timers(clock);
  int ran = 0;
  timers.schedule(clock.steady_now(), [&] { timers.schedule(clock.steady_now(), [&] { ++ran; }); });
  timers.run_due();
  EXPECT_EQ(ran, 1);
}

TEST(TimerQueue, ThreadWakesForAnEarlierTimerThanItWaitsFor) {
  const core::SystemClock clock;
  TimerQueue timers(clock);
  std::thread thread([&] { timers.run(); });
  std::promise<core::SteadyTime> early;
  timers.schedule(clock.steady_now() + std::chrono::hours(1), [] {});
  std::this_thread::sleep_for(milliseconds(20));
  const auto due = clock.steady_now() + milliseconds(10);
  timers.schedule(due, [&] { early.set_value(clock.steady_now()); });
  auto ran = early.get_future();
  ASSERT_EQ(ran.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_GE(ran.get(), due);
  timers.stop();
  thread.join();
}

}  // namespace
}  // namespace scalestyle::core
