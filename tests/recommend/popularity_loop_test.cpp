#include "recommend/popularity_loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>

#include "recommend/board_samples.hpp"
#include "recommend/windowed_store.hpp"
#include "support/fake_clock.hpp"

namespace scalestyle::recommend {
namespace {

class PopularityLoopTest : public testing::Test {
 protected:
  PopularityLoopTest() : thread_([this] { pool_.run(); }) {}
  ~PopularityLoopTest() override {
    loop_.stop();
    pool_.stop();
    thread_.join();
  }

  [[nodiscard]] events::EpochMs now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall_now().time_since_epoch()).count();
  }
  // Lets time pass by `step` until `holds`; false after a thousand steps.
  bool pass_time_until(std::chrono::milliseconds step, const std::function<bool()>& holds) {
    for (int i = 0; i < 1'000; ++i) {
      if (holds()) return true;
      clock_.advance(step);
      timers_.run_due();
      std::binary_semaphore reached(0);  // behind the round that may have begun: the pool has one thread
      pool_.submit([&] { reached.release(); }).value();
      reached.acquire();
    }
    return false;
  }

  support::FakeClock clock_;
  WindowedStore store_;
  Popularity popularity_{store_, clock_};
  core::WorkerPool pool_{{.threads = 1}, clock_};
  core::TimerQueue timers_{clock_};
  telemetry::Logger log_{{.level = telemetry::LogLevel::kError}, clock_};
  PopularityLoop loop_{{popularity_, pool_, timers_, clock_, log_}, {.deadline = std::chrono::hours(1)}};
  std::thread thread_;
};

TEST_F(PopularityLoopTest, BringsEventsInAndLetsThemLeave) {
  const auto board = core::sync_wait(popularity_.prepare(make_catalog({0}), core::Deadline::never()));
  const auto sum = [&] { return board->window_sum(events::Window::k1h, {0}); };
  store_.add(article_id(1), 2, now());
  loop_.start();
  EXPECT_TRUE(pass_time_until(std::chrono::milliseconds(100), [&] { return sum() == 2; }));
  EXPECT_TRUE(pass_time_until(std::chrono::seconds(30), [&] { return sum() == 0; }));
}

TEST_F(PopularityLoopTest, GoesOnAfterFailures) {
  const auto board = core::sync_wait(popularity_.prepare(make_catalog({0}), core::Deadline::never()));
  store_.fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  loop_.start();
  const std::size_t before = store_.calls().size();
  EXPECT_TRUE(pass_time_until(std::chrono::milliseconds(500), [&] { return store_.calls().size() > before + 3; }));
  EXPECT_EQ(popularity_.last_error(), "away");
  store_.fail_with(std::nullopt);
  store_.add(article_id(1), 2, now() + 3'600'000);
  EXPECT_TRUE(pass_time_until(std::chrono::milliseconds(500), [&] { return board->window_sum(events::Window::k7d, {0}) == 2; }));
}

}  // namespace
}  // namespace scalestyle::recommend
