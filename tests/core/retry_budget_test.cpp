#include "core/retry_budget.hpp"

#include <gtest/gtest.h>

namespace scalestyle::core {
namespace {

TEST(RetryBudget, HoldsAReserveAndATenthOfTheCalls) {
  RetryBudget budget({.per_call = 0.1, .reserve = 3});
  int taken = 0;
  for (int i = 0; i < 1'000; ++i) {
    budget.count_call();
    if (budget.take()) ++taken;
  }
  EXPECT_GE(taken, 100);
  EXPECT_LE(taken, 103);
}

TEST(RetryBudget, NoMoreIsSavedThanTheReserve) {
  RetryBudget budget({.per_call = 0.5, .reserve = 2});
  for (int i = 0; i < 100; ++i) budget.count_call();
  EXPECT_DOUBLE_EQ(budget.left(), 2);
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
}

TEST(RetryBudget, WithoutAReserveOneIsGatheredAllTheSame) {
  RetryBudget budget({.per_call = 0.25, .reserve = 0});
  EXPECT_FALSE(budget.take());
  for (int i = 0; i < 4; ++i) budget.count_call();
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
}

}  // namespace
}  // namespace scalestyle::core
