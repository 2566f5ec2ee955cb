#include "search/generation_reporter.hpp"

#include <gtest/gtest.h>

#include "support/fake_catalog_store.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_generation_use.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/running_pool.hpp"

namespace scalestyle::search {
namespace {

using namespace std::chrono_literals;

class GenerationReporterTest : public testing::Test {
 protected:
  void publish(const std::string& generation) {
    store_.publish(support::make_snapshot(generation, {support::make_article("1", "shirt")}, encoder_.info()));
    ASSERT_TRUE(core::sync_wait(holder_.refresh(core::Deadline::never())));
  }
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    timers_.run_due();
  }
  [[nodiscard]] std::set<core::GenerationId> used() { return core::sync_wait(held_.used(core::Deadline::never())).value(); }

  support::RunningPool pool_{1};
  support::FakeTextEncoder encoder_{*pool_};
  support::FakeCatalogStore store_;
  support::FakeVectorIndex index_{store_, *pool_};
  SnapshotHolder holder_{store_, index_, encoder_.info()};
  support::FakeClock clock_;
  core::TimerQueue timers_{clock_};
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock_};
  support::FakeGenerationUse held_{clock_};
  GenerationReporter reporter_{{.use = held_, .holder = holder_, .timers = timers_, .clock = clock_, .log = log_},
                               {.gateway = "gateway-1", .interval = 5s, .ttl = 60s}};
};

TEST_F(GenerationReporterTest, SaysWhatIsServedAgainAndAgain) {
  reporter_.start();
  pass(0ms);
  EXPECT_TRUE(used().empty()) << "nothing is served yet";
  publish("a");
  pass(5s);
  EXPECT_EQ(used(), (std::set<core::GenerationId>{core::GenerationId("a")}));
  for (int i = 0; i < 30; ++i) pass(5s);
  EXPECT_EQ(used(), (std::set<core::GenerationId>{core::GenerationId("a")})) << "prolonged";
  publish("b");
  for (int i = 0; i < 13; ++i) pass(5s);
  EXPECT_EQ(used(), (std::set<core::GenerationId>{core::GenerationId("b")}));
}

TEST_F(GenerationReporterTest, GoesOnAfterAFailureAndEndsWithAStop) {
  publish("a");
  held_.fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  reporter_.start();
  pass(0ms);
  held_.fail_with(std::nullopt);
  EXPECT_TRUE(used().empty());
  pass(5s);
  EXPECT_EQ(used().size(), 1U);
  reporter_.stop();
  pass(61s);
  EXPECT_TRUE(used().empty());
}

}  // namespace
}  // namespace scalestyle::search
