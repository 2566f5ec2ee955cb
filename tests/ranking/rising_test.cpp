// Which articles rise.
#include "ranking/rising.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace scalestyle::ranking {
namespace {

TEST(Rising, IsTheSmoothedRatioAndItsLowerBound) {
  const RisingOptions options{.smoothing = 2, .dispersion = 3, .z = 1.645};
  const Rise rise = rise_of(10, 12, 6, options);
  EXPECT_DOUBLE_EQ(rise.ratio, 12.0 / ((12.0 + 12.0) / 6.0));
  EXPECT_NEAR(rise.bound, std::log(3.0) - 1.645 * std::sqrt(3.0 * (1.0 / 12.0 + 1.0 / 24.0)), 1e-12);
}

TEST(Rising, FewEventsProveNothing) {
  const RisingOptions options;
  EXPECT_LT(rise_of(1, 0, 6, options).bound, 0);    // a first click
  EXPECT_LT(rise_of(5, 0, 6, options).bound, 0);    // a single purchase
  EXPECT_GT(rise_of(10, 0, 6, options).bound, 0);   // two
  EXPECT_LT(rise_of(100, 600, 6, options).bound, 0);  // as ever
  EXPECT_GT(rise_of(200, 600, 6, options).bound, 0);
  // Many that doubled before few that tripled.
  EXPECT_GT(rise_of(400, 1'200, 6, options).bound, rise_of(9, 18, 6, options).bound);
}

TEST(Rising, GrowsWithNowAndFallsWithBefore) {
  const RisingOptions options;
  for (int now = 0; now < 50; ++now) {
    EXPECT_GT(rise_of(now + 1, 20, 23, options).bound, rise_of(now, 20, 23, options).bound);
    EXPECT_LT(rise_of(20, now + 1, 23, options).bound, rise_of(20, now, 23, options).bound);
  }
}

TEST(Rising, ScoresFollowTheBound) {
  double last = 0;
  for (const double bound : {1e-9, 0.1, 0.5, 2.0, 20.0}) {
    const double score = rising_score(bound);
    EXPECT_GT(score, last);
    EXPECT_LE(score, 1);
    last = score;
  }
}

TEST(Rising, BelowNothingIsNothing) {
  const RisingOptions options;
  EXPECT_EQ(rise_of(4, -1e-9, 6, options).bound, rise_of(4, 0, 6, options).bound);
  EXPECT_EQ(rise_of(-3, 5, 6, options).bound, rise_of(0, 5, 6, options).bound);
}

TEST(Rising, SettingsAreChecked) {
  EXPECT_TRUE(RisingOptions().validate());
  EXPECT_EQ(RisingOptions{.smoothing = 0}.validate().error().field, "smoothing");
  EXPECT_EQ(RisingOptions{.dispersion = 0.5}.validate().error().field, "dispersion");
  EXPECT_EQ(RisingOptions{.z = NAN}.validate().error().field, "z");
}

}  // namespace
}  // namespace scalestyle::ranking
