#include "ranking/diversity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace scalestyle::ranking {
namespace {

std::vector<DiversityKeys> of_types(const std::vector<std::uint32_t>& types) {
  std::vector<DiversityKeys> items;
  for (const std::uint32_t type : types) items.push_back({type, 0});
  return items;
}

using Order = std::vector<std::uint32_t>;

TEST(Diversity, DefersWhatIsOverTheLimit) {
  const auto items = of_types({1, 1, 1, 2, 1, 3, 2});
  EXPECT_EQ(diversify(items, {.max_per_type = 1, .window = 3}, 7), (Order{0, 3, 5, 1, 6, 2, 4}));
  EXPECT_EQ(diversify(items, {.max_per_type = 2, .window = 4}, 7), (Order{0, 1, 3, 5, 2, 4, 6}));
}

TEST(Diversity, WithoutLimitsNothingMoves) {
  EXPECT_EQ(diversify(of_types({1, 1, 2}), {}, 3), (Order{0, 1, 2}));
  EXPECT_EQ(diversify({}, {.max_per_type = 1}, 3), Order());
}

TEST(Diversity, OneTypeAloneFillsItsWindowsAnyway) {
  EXPECT_EQ(diversify(of_types({4, 4, 4, 4, 4}), {.max_per_type = 1, .window = 2}, 5), (Order{0, 1, 2, 3, 4}));
}

TEST(Diversity, TypesAndSectionsCountEachForItself) {
  const std::vector<DiversityKeys> items{{1, 1}, {2, 1}, {1, 2}, {3, 3}};
  EXPECT_EQ(diversify(items, {.max_per_type = 1, .max_per_section = 1, .window = 2}, 2), (Order{0, 3, 1, 2}));
}

TEST(Diversity, LooksAtTheHeadOnlyAndDropsNothing) {
  std::vector<std::uint32_t> types(kDiversityDepth + 50, 1);
  types[kDiversityDepth] = 2;  // behind what is looked at
  const auto order = diversify(of_types(types), {.max_per_type = 1, .window = 10}, 100);
  Order expected(types.size());
  std::iota(expected.begin(), expected.end(), 0U);
  EXPECT_EQ(order, expected);
}

TEST(Diversity, LimitsAreChecked) {
  EXPECT_TRUE(DiversityLimits{}.validate());
  EXPECT_FALSE(DiversityLimits{}.active());
  EXPECT_EQ((DiversityLimits{.max_per_type = 101}).validate().error().field, "max_per_type");
  EXPECT_EQ((DiversityLimits{.max_per_section = 101}).validate().error().field, "max_per_section");
  EXPECT_EQ((DiversityLimits{.window = 0}).validate().error().field, "diversity_window");
}

}  // namespace
}  // namespace scalestyle::ranking
