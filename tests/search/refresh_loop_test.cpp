#include "search/refresh_loop.hpp"

#include <gtest/gtest.h>

#include "support/fake_catalog_store.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::search {
namespace {

using std::chrono::milliseconds;

// Counts how often it is asked for the current generation, and fails until it is repaired.
class CountingStore final : public ports::CatalogStore {
 public:
  [[nodiscard]] core::Task<core::Result<core::GenerationId>> current(core::Deadline deadline) override {
    ++asked;
    if (is_broken) co_return core::fail(core::ErrorCode::kDataLoss, "damaged");
    co_return co_await inner.current(deadline);
  }
  [[nodiscard]] core::Task<core::Result<std::shared_ptr<const ports::CatalogSnapshot>>> load(core::GenerationId id,
                                                                                             core::Deadline deadline) override {
    return inner.load(std::move(id), deadline);
  }

  support::FakeCatalogStore inner;
  int asked = 0;
  bool is_broken = true;
};

class RefreshLoopTest : public testing::Test {
 protected:
  RefreshLoopTest() {
    store_.inner.publish(support::make_snapshot("a", {support::make_article("1000", "socks")}, encoder_.info()));
    loop_.start();
  }

  // Rounds begin a quarter of a second apart.
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      clock_.advance(milliseconds(250));
      timers_.run_due();
    }
  }

  support::FakeClock clock_;
  core::TimerQueue timers_{clock_};
  CountingStore store_;
  core::WorkerPool pool_{{1, 16}, clock_};  // without threads: nothing here is searched
  support::FakeTextEncoder encoder_{pool_};
  support::FakeVectorIndex index_{store_.inner, pool_};
  SnapshotHolder holder_{store_, index_, encoder_.info()};
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kJson}, clock_};
  int others_ = 0;
  RefreshLoop loop_{{.holder = holder_, .timers = timers_, .clock = clock_, .log = log_, .follow_others = [this] { ++others_; }}, {}};
};

TEST_F(RefreshLoopTest, WhatFailsIsTriedAgainAfterGrowingPauses) {
  rounds(40);  // ten seconds: asked after 0.25, 0.5, 1, 2, 4, 6, 8 and 10
  EXPECT_EQ(store_.asked, 8);
  EXPECT_EQ(others_, 40);
  EXPECT_EQ(holder_.serving(), nullptr);
}

TEST_F(RefreshLoopTest, OnceItWorksEachRoundAsksAgain) {
  rounds(10);
  store_.is_broken = false;
  rounds(8);
  ASSERT_NE(holder_.serving(), nullptr);
  EXPECT_EQ(holder_.serving()->info().id.value(), "a");
  const int before = store_.asked;
  rounds(10);
  EXPECT_EQ(store_.asked, before + 10);
}

}  // namespace
}  // namespace scalestyle::search
