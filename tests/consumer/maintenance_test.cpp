#include "consumer/maintenance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "consumer/backoff.hpp"
#include "support/fake_clock.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class MaintenanceTest : public testing::Test {
 protected:
  Chore chore(const std::string& name, std::chrono::milliseconds interval) {
    return {.name = name, .interval = interval, .work = [this, name]() -> core::Status {
              done_.push_back(name);
              return {};
            }};
  }
  Maintenance maintenance(std::vector<Chore> chores) {
    return Maintenance({.clock = clock_, .metrics = metrics_, .log = log_}, {.tick = 1ms}, std::move(chores));
  }
  // What was done since the last call.
  std::vector<std::string> done() { return std::exchange(done_, {}); }

  support::FakeClock clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{.level = telemetry::LogLevel::kInfo, .format = telemetry::LogFormat::kJson}, clock_};
  std::vector<std::string> done_;
};

TEST_F(MaintenanceTest, EachChoreAtItsOwnInterval) {
  auto keeper = maintenance({chore("often", 1s), chore("rarely", 3s)});
  keeper.run_due();
  EXPECT_TRUE(done().empty());
  clock_.advance(1s);
  keeper.run_due();
  keeper.run_due();
  EXPECT_THAT(done(), ElementsAre("often"));
  clock_.advance(2s);
  keeper.run_due();
  EXPECT_THAT(done(), ElementsAre("often", "rarely"));
}

TEST_F(MaintenanceTest, AChoreMayBeDueEarlyOrAskedFor) {
  bool early = false;
  auto flush = chore("flush", 1h);
  flush.due_early = [&early] { return early; };
  auto keeper = maintenance({std::move(flush), chore("erase", 1h)});
  keeper.run_due();
  EXPECT_TRUE(done().empty());
  early = true;
  keeper.run_due();
  EXPECT_THAT(done(), ElementsAre("flush"));
  early = false;
  keeper.request("erase");
  keeper.run_due();
  keeper.run_due();
  EXPECT_THAT(done(), ElementsAre("erase"));
}

TEST_F(MaintenanceTest, AFailedChoreIsTriedAgainWithGrowingDelaysAndTheOthersGoOn) {
  bool fails = true;
  int tries = 0;
  Chore broken{.name = "broken", .interval = 1s, .work = [&]() -> core::Status {
                 ++tries;
                 if (fails) return core::fail(core::ErrorCode::kUnavailable, "no disk today");
                 return {};
               },
               .due_early = [] { return true; }};
  testing::internal::CaptureStderr();
  auto keeper = maintenance({std::move(broken), chore("other", 1s)});
  keeper.run_due();
  ASSERT_EQ(tries, 1);
  keeper.run_due();
  EXPECT_EQ(tries, 1);  // early no more while it waits after a failure
  std::vector<int> tries_by_minute;
  for (int minute = 0; minute < 4; ++minute) {
    tries = 0;
    for (int i = 0; i < 600; ++i) {
      clock_.advance(100ms);
      keeper.run_due();
    }
    tries_by_minute.push_back(tries);
  }
  EXPECT_GT(tries_by_minute[0], 3);
  EXPECT_LE(tries_by_minute[3], 2);
  EXPECT_EQ(done().size(), 240u);
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_maintenance_failing{chore=\"broken\"} 1"));
  fails = false;
  keeper.request("broken");
  keeper.run_due();
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_maintenance_failing{chore=\"broken\"} 0"));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(log.find("no disk today"), log.rfind("no disk today"));  // said once, not at every try
  EXPECT_THAT(log, HasSubstr("a chore succeeds again"));
}

TEST_F(MaintenanceTest, AnExceptionIsAFailure) {
  testing::internal::CaptureStderr();
  auto keeper = maintenance({{.name = "throws", .interval = 1s, .work = []() -> core::Status { throw std::runtime_error("thrown"); }}});
  clock_.advance(1s);
  keeper.run_due();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("thrown"));
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_maintenance_failures_total{chore=\"throws\"} 1"));
}

TEST_F(MaintenanceTest, TheEndDoesWhatIsForTheEndInOrderWhateverFails) {
  auto first = chore("first", 1h);
  first.at_end = true;
  auto last = chore("last", 1h);
  last.at_end = true;
  Chore broken{.name = "broken", .interval = 1h, .work = []() -> core::Status {
                 return core::fail(core::ErrorCode::kResourceExhausted, "disk full");
               },
               .at_end = true};
  testing::internal::CaptureStderr();
  auto keeper = maintenance({std::move(first), chore("not at the end", 1h), std::move(broken), std::move(last)});
  std::thread thread([&] { keeper.run(); });
  keeper.stop();
  thread.join();
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(done(), ElementsAre("first", "last"));
}

TEST_F(MaintenanceTest, ARequestWakesTheThread) {
  auto keeper = Maintenance({.clock = clock_, .metrics = metrics_, .log = log_}, {.tick = 1h}, {chore("erase", 1h)});
  std::thread thread([&] { keeper.run(); });
  keeper.request("erase");
  // Only the request can end the hour's wait; stop() alone would leave nothing done.
  while (metrics_.render().find("scalestyle_maintenance_seconds_count{chore=\"erase\"} 1") == std::string::npos) std::this_thread::yield();
  keeper.stop();
  thread.join();
  EXPECT_THAT(done(), ElementsAre("erase"));
}

TEST(BackoffTest, DoublesToItsLongestWithHalfOfItRandom) {
  Backoff delay({.first = 100ms, .longest = 1s}, 7);
  Backoff same({.first = 100ms, .longest = 1s}, 7);
  std::chrono::milliseconds whole = 100ms;
  for (int i = 0; i < 60; ++i) {
    const auto next = delay.next();
    EXPECT_EQ(next, same.next());
    EXPECT_GE(next, whole / 2) << i;
    EXPECT_LE(next, whole) << i;
    whole = std::min(2 * whole, std::chrono::milliseconds(1'000));
  }
  delay.reset();
  EXPECT_LE(delay.next(), 100ms);
}

}  // namespace
}  // namespace scalestyle::consumer
