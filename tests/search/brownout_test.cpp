#include "search/brownout.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "support/fake_clock.hpp"

namespace scalestyle::search {
namespace {

using namespace std::chrono_literals;
using enum BrownoutStep;

class BrownoutTest : public testing::Test {
 protected:
  // Requests every 10 ms for so long.
  BrownoutStep pass(std::chrono::milliseconds time, double pressure) {
    for (auto passed = 0ms; passed < time; passed += 10ms) {
      clock_.advance(10ms);
      brownout_.observe(pressure);
    }
    return brownout_.step();
  }

  support::FakeClock clock_;
  Brownout brownout_{{}, clock_};
};

TEST_F(BrownoutTest, StepsComeInTheirOrderAndGoInTheOppositeOne) {
  std::vector<BrownoutStep> seen{kNone};
  const auto look = [&](BrownoutStep step) {
    if (seen.back() != step) seen.push_back(step);
  };
  for (int i = 0; i < 100; ++i) look(pass(50ms, 1.0));
  EXPECT_EQ(seen, (std::vector{kNone, kLessRerank, kNoRerank, kNoPictures, kNoMeaning}));
  for (int i = 0; i < 100; ++i) look(pass(50ms, 0.1));
  EXPECT_EQ(seen, (std::vector{kNone, kLessRerank, kNoRerank, kNoPictures, kNoMeaning, kNoPictures, kNoRerank, kLessRerank, kNone}));
}

TEST_F(BrownoutTest, AShortRushChangesNothing) {
  pass(10s, 0.3);
  EXPECT_EQ(pass(400ms, 1.0), kNone);
  EXPECT_EQ(pass(5s, 0.3), kNone);
}

TEST_F(BrownoutTest, BetweenTheBoundsItStays) {
  EXPECT_EQ(pass(1'000ms, 1.0), kLessRerank);
  EXPECT_EQ(pass(60s, 0.6), kLessRerank);
}

TEST_F(BrownoutTest, PressureThatFlickersAroundTheBoundMovesSeldom) {
  int moves = 0;
  BrownoutStep before = brownout_.step();
  for (int i = 0; i < 6'000; ++i) {  // a minute
    clock_.advance(10ms);
    const BrownoutStep step = brownout_.observe(i % 2 == 0 ? 1.0 : 0.4);
    if (step != before) ++moves;
    before = step;
  }
  EXPECT_EQ(moves, 0);  // 0.7 on average
}

TEST_F(BrownoutTest, WhoComesAfterAQuietTimeGetsEverything) {
  EXPECT_EQ(pass(5s, 1.0), kNoMeaning);
  clock_.advance(10s);
  EXPECT_EQ(brownout_.observe(0), kNone);
}

TEST_F(BrownoutTest, OffMeansOff) {
  Brownout off({.enabled = false}, clock_);
  for (int i = 0; i < 1'000; ++i) {
    clock_.advance(10ms);
    EXPECT_EQ(off.observe(1.0), kNone);
  }
}

}  // namespace
}  // namespace scalestyle::search
