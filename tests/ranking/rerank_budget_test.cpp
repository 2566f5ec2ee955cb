#include "ranking/rerank_budget.hpp"

#include <gtest/gtest.h>

namespace scalestyle::ranking {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

const RerankBudgetOptions kDefaults;

TEST(RerankBudget, TheUsualRequestHasTheBudgetAndWhatTheMachineAffordsInIt) {
  const auto plan = plan_rerank(kDefaults, milliseconds(560), 100, {});
  EXPECT_EQ(plan.time, milliseconds(250));
  EXPECT_EQ(plan.planned, 20U);  // 0.85 × 25, in steps
  EXPECT_EQ(plan_rerank(kDefaults, milliseconds(560), 10'000, {}).planned, 50U);
  EXPECT_EQ(plan_rerank(kDefaults, milliseconds(560), 2, {}).planned, 5U);  // fewer never
  EXPECT_EQ(plan_rerank(kDefaults, milliseconds(560), 0, {}).planned, 50U);  // not known
}

TEST(RerankBudget, AHurriedRequestPlansTheSameInLessTime) {
  const auto plan = plan_rerank(kDefaults, milliseconds(30), 100, {});
  EXPECT_EQ(plan.time, milliseconds(30));
  EXPECT_EQ(plan.planned, 20U);
  EXPECT_EQ(plan_rerank(kDefaults, nanoseconds(0), 100, {}).time, nanoseconds(0));
}

TEST(RerankBudget, MoreTimeThanUsualGoesToReranking) {
  const auto plan = plan_rerank(kDefaults, milliseconds(1'350), 40, {});
  EXPECT_EQ(plan.time, milliseconds(1'000));
  EXPECT_EQ(plan.planned, 30U);
  EXPECT_EQ(plan_rerank(kDefaults, milliseconds(4'000), 40, {}).planned, 50U);  // the setting's depth at most
  const auto unbounded = plan_rerank(kDefaults, nanoseconds::max(), 1, {});
  EXPECT_EQ(unbounded.time, nanoseconds::max());
  EXPECT_EQ(unbounded.planned, 50U);
}

TEST(RerankBudget, ADepthAskedForIsPlannedAsItIs) {
  const auto plan = plan_rerank(kDefaults, milliseconds(500), 1, 120);
  EXPECT_EQ(plan.planned, 120U);
  EXPECT_EQ(plan.time, milliseconds(500));
  EXPECT_EQ(plan_rerank(kDefaults, milliseconds(500), 1, 10'000).planned, kMaxRerankDepth);
}

TEST(RerankBudget, MoreTimeOrSpeedNeverPlansLess) {
  std::size_t before = 0;
  for (int left = 1; left < 3'000; left += 7) {
    const auto plan = plan_rerank(kDefaults, milliseconds(left), 30, {});
    EXPECT_GE(plan.planned, before);
    before = plan.planned;
  }
  before = 0;
  for (int rate = 1; rate < 500; ++rate) {
    const auto plan = plan_rerank(kDefaults, milliseconds(600), rate, {});
    EXPECT_GE(plan.planned, before);
    before = plan.planned;
  }
}

TEST(RerankBudget, OptionsAreChecked) {
  EXPECT_TRUE(kDefaults.validate());
  RerankBudgetOptions options;
  options.depth = 201;
  EXPECT_EQ(options.validate().error().field, "rerank_depth");
  options = {};
  options.budget = milliseconds(0);
  EXPECT_EQ(options.validate().error().field, "rerank_budget_ms");
}

}  // namespace
}  // namespace scalestyle::ranking
