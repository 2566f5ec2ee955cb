#include "ranking/side_blend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace scalestyle::ranking {
namespace {

using catalog::RowIndex;
using testing::DoubleNear;
using testing::ElementsAre;

std::vector<RowIndex> rows(std::initializer_list<std::uint32_t> values) {
  std::vector<RowIndex> list;
  for (const std::uint32_t value : values) list.push_back({value});
  return list;
}

TEST(SideBlend, ScalesToOne) {
  EXPECT_THAT(scale_to_one(std::vector{3.0, 1.0, 2.0}), ElementsAre(1, 0, 0.5));
  EXPECT_THAT(scale_to_one(std::vector{-0.5, -0.5}), ElementsAre(1, 1));
  EXPECT_THAT(scale_to_one(std::vector{0.0}), ElementsAre(1));
  EXPECT_TRUE(scale_to_one({}).empty());
}

TEST(SideBlend, AddsWhatTheSidesGive) {
  const auto text_rows = rows({4, 2, 9});
  const std::vector text_scores{0.9, 0.5, 0.1};
  const auto image_rows = rows({9, 7, 2});
  const std::vector image_scores{0.8, 0.7, 0.6};
  const Side text{.rows = text_rows, .scores = text_scores, .weight = 1};
  const Side image{.rows = image_rows, .scores = image_scores, .weight = 3};
  const auto list = blend(text, image);
  EXPECT_EQ(list.rows, rows({9, 7, 4, 2}));
  EXPECT_THAT(list.scores, ElementsAre(DoubleNear(0.75, 1e-12), DoubleNear(0.375, 1e-12), DoubleNear(0.25, 1e-12), DoubleNear(0.125, 1e-12)));
  EXPECT_EQ(list.sides[1].text, 0);
  EXPECT_NEAR(list.sides[1].image, 0.5, 1e-12);
  EXPECT_THAT(list.text_places, ElementsAre(2, BlendedList::kNowhere, 0, 1));
  EXPECT_THAT(list.image_places, ElementsAre(0, 1, BlendedList::kNowhere, 2));
  // A side that found nothing has no weight, and one that found something alone decides.
  EXPECT_EQ(blend({}, image).scores.front(), 1);
  EXPECT_EQ(blend(text, {.weight = 0.5}).rows, text_rows);
  EXPECT_EQ(blend({.rows = text_rows, .scores = text_scores, .weight = 0}, {}).rows, text_rows);
  EXPECT_TRUE(blend({}, {}).rows.empty());
}

TEST(SideBlend, PinnedRowsComeFirstAndDoNotScale) {
  const auto text_rows = rows({8, 3, 1, 2});
  const std::vector text_scores{1.0, 1.0, 0.2, 0.1};
  const auto image_rows = rows({2, 3});
  const std::vector image_scores{0.9, 0.8};
  const auto list = blend({.rows = text_rows, .scores = text_scores, .weight = 0.5, .pinned = 2},
                          {.rows = image_rows, .scores = image_scores, .weight = 0.5});
  EXPECT_EQ(list.rows, rows({8, 3, 1, 2}));
  EXPECT_THAT(list.scores, ElementsAre(1, 1, 0.5, 0.5));
  EXPECT_EQ(list.sides[2].text, 1);
}

TEST(SideBlend, EqualsTheDefinitionOverRandomLists) {
  std::mt19937 random(11);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::vector<RowIndex>> found(2);
    std::vector<std::vector<double>> scores(2);
    std::map<RowIndex, double> expected;
    const std::vector<double> weights{0.25, 0.75};
    for (std::size_t side = 0; side < 2; ++side) {
      for (std::uint32_t row = 0; row < 300; ++row) {
        if (random() % 3 != 0) continue;
        found[side].push_back({row});
        scores[side].push_back(static_cast<double>(random() % 20) / 4);
      }
      const auto [least, greatest] = std::ranges::minmax(scores[side]);
      for (std::size_t i = 0; i < found[side].size(); ++i) {
        expected[found[side][i]] += weights[side] * (scores[side][i] - least) / (greatest - least);
      }
    }
    const auto list = blend({.rows = found[0], .scores = scores[0], .weight = 1}, {.rows = found[1], .scores = scores[1], .weight = 3});
    ASSERT_EQ(list.rows.size(), expected.size());
    for (std::size_t i = 0; i < list.rows.size(); ++i) {
      EXPECT_NEAR(list.scores[i], std::max(1e-6, expected[list.rows[i]]), 1e-9);
      if (i == 0 || list.scores[i] <= 1e-6) continue;
      EXPECT_TRUE(list.scores[i - 1] > list.scores[i] || list.rows[i - 1] < list.rows[i]);
    }
  }
}

}  // namespace
}  // namespace scalestyle::ranking
