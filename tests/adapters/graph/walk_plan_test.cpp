#include "adapters/graph/walk_plan.hpp"

#include <gtest/gtest.h>

namespace scalestyle::adapters::graph {
namespace {

TEST(WalkPlan, BeginsWhereAWalkCostsAtMostHalfOfTheScan) {
  const WalkOptions options{.breadth = 200, .rows_a_step = 50};
  // All eligible: 200 steps of 50 against n rows.
  EXPECT_FALSE(plan_walk({.rows = 19'999, .eligible = 19'999, .wanted = 100}, options).walk);
  const auto all = plan_walk({.rows = 20'000, .eligible = 20'000, .wanted = 100}, options);
  EXPECT_TRUE(all.walk);
  EXPECT_EQ(all.breadth, 200U);
  EXPECT_EQ(all.most_steps, 400U);
  // A tenth of a million: 2,000 steps cost 100,000, as much as the scan. Half of it is reached at a share of √0.02.
  EXPECT_FALSE(plan_walk({.rows = 1'000'000, .eligible = 100'000, .wanted = 100}, options).walk);
  EXPECT_FALSE(plan_walk({.rows = 1'000'000, .eligible = 141'421, .wanted = 100}, options).walk);
  const auto some = plan_walk({.rows = 1'000'000, .eligible = 141'422, .wanted = 100}, options);
  EXPECT_TRUE(some.walk);
  EXPECT_EQ(some.most_steps, 2'828U);
}

TEST(WalkPlan, IsAsBroadAsTheQueryNeeds) {
  const WalkOptions options{.breadth = 200, .rows_a_step = 50};
  EXPECT_EQ(plan_walk({.rows = 1'000'000, .eligible = 1'000'000, .wanted = 1'000}, options).breadth, 1'250U);
  EXPECT_EQ(plan_walk({.rows = 1'000'000, .eligible = 1'000'000, .wanted = 10}, options).breadth, 200U);
  // More wanted, dearer walks: the scan.
  EXPECT_FALSE(plan_walk({.rows = 100'000, .eligible = 100'000, .wanted = 1'000}, options).walk);
}

TEST(WalkPlan, WithoutACostEveryQueryWalksThatCanFindSomething) {
  const WalkOptions options{.breadth = 64, .rows_a_step = 0};
  EXPECT_FALSE(plan_walk({.rows = 0, .eligible = 0, .wanted = 10}, options).walk);
  EXPECT_FALSE(plan_walk({.rows = 10, .eligible = 0, .wanted = 10}, options).walk);
  const auto plan = plan_walk({.rows = 10, .eligible = 1, .wanted = 1'000}, options);
  EXPECT_TRUE(plan.walk);
  EXPECT_EQ(plan.breadth, 64U);
  EXPECT_EQ(plan.most_steps, 10U);
}

}  // namespace
}  // namespace scalestyle::adapters::graph
