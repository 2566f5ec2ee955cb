#include "ranking/price_ranges.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace scalestyle::ranking {
namespace {

TEST(PriceRanges, RoundNumbersAreOneTwoOrFive) {
  EXPECT_EQ(nearest_round_number(1), 1);
  EXPECT_EQ(nearest_round_number(1000), 1000);
  EXPECT_EQ(nearest_round_number(14), 10);
  EXPECT_EQ(nearest_round_number(15), 20);
  EXPECT_EQ(nearest_round_number(34), 50);
  EXPECT_EQ(nearest_round_number(0.0169), 0.02);
  EXPECT_EQ(nearest_round_number(999), 1000);
}

TEST(PriceRanges, BoundsLieNearTheFifths) {
  std::vector<double> prices;
  for (int i = 1; i <= 100; ++i) prices.push_back(i);
  EXPECT_EQ(price_bounds(prices), (std::vector<double>{20, 50}));
  std::vector<double> spread{1, 1, 2, 2, 11, 12, 19, 55, 600, 700};
  EXPECT_EQ(price_bounds(spread), (std::vector<double>{2, 10, 20, 500}));
}

TEST(PriceRanges, NothingToSplitHasNoBounds) {
  std::vector<double> alike{7, 7, 7};
  EXPECT_TRUE(price_bounds(alike).empty());
  std::vector<double> none;
  EXPECT_TRUE(price_bounds(none).empty());
  std::vector<double> free{0, 0, 0, 0};
  EXPECT_TRUE(price_bounds(free).empty());
}

}  // namespace
}  // namespace scalestyle::ranking
