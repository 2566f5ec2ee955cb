#include "ranking/popularity.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace scalestyle::ranking {
namespace {

TEST(PurchasePrior, IsWhatASteadyRateHolds) {
  // 5 · 1000/year · 48 h / ln 2.
  EXPECT_NEAR(purchase_prior(1'000, {}), 5.0 * 1'000 * 2 / 365 / std::log(2.0), 1e-9);
  EXPECT_EQ(purchase_prior(0, {}), 0);
  // A simulation of the same rate: one purchase every hour for 200 days, decayed hour by hour.
  const double decay = std::exp2(-1.0 / 48);
  double live = 0;
  for (int hour = 0; hour < 200 * 24; ++hour) live = live * decay + 5;
  const double prior = purchase_prior(200 * 24, {.period_seconds = 200 * 86'400.0});
  EXPECT_NEAR(prior / live, 1, 0.01);
}

TEST(PurchasePrior, IsLinearInCountAndRate) {
  const double one = purchase_prior(1, {.purchase_weight = 5, .half_life_seconds = 3'600, .period_seconds = 86'400});
  EXPECT_NEAR(purchase_prior(10, {.purchase_weight = 5, .half_life_seconds = 3'600, .period_seconds = 864'000}), one, 1e-15);
  EXPECT_NEAR(purchase_prior(1, {.purchase_weight = 10, .half_life_seconds = 7'200, .period_seconds = 86'400}), 4 * one, 1e-12);
}

TEST(PurchasePeriod, CountsBothDays) {
  EXPECT_EQ(purchase_period_seconds("2020-09-16", "2020-09-22").value(), 7 * 86'400.0);
  EXPECT_EQ(purchase_period_seconds("2020-02-28", "2020-03-01").value(), 3 * 86'400.0);
  EXPECT_EQ(purchase_period_seconds("2020-09-16", "2020-09-16").value(), 86'400.0);
  EXPECT_EQ(purchase_period_seconds("", "").value(), 365 * 86'400.0);
}

TEST(PurchasePeriod, WhatIsNoPeriodIsNamed) {
  EXPECT_EQ(purchase_period_seconds("yesterday", "2020-01-01").error().field, "purchases_from");
  EXPECT_EQ(purchase_period_seconds("2020-01-01", "2020-02-30").error().field, "purchases_to");
  EXPECT_EQ(purchase_period_seconds("2020-01-02", "2020-01-01").error().field, "purchases_to");
}

TEST(PopularityScore, IsMonotoneWithinZeroAndOne) {
  EXPECT_EQ(popularity_score(80, 80), 1);
  EXPECT_NEAR(popularity_score(1, 1), std::log(2.0) / std::log(51.0), 1e-12);
  EXPECT_GT(popularity_score(0, 10), 0);
  double previous = 0;
  for (const double popularity : {0.0, 1e-6, 0.3, 1.0, 7.0, 50.0, 99.0, 1e5}) {
    const double score = popularity_score(popularity, 1e5);
    EXPECT_GT(score, previous);
    EXPECT_LE(score, 1);
    previous = score;
  }
}

}  // namespace
}  // namespace scalestyle::ranking
