#include "ranking/fusion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace scalestyle::ranking {
namespace {

using catalog::RowIndex;
using testing::DoubleNear;
using testing::ElementsAre;

struct Found {
  std::vector<RowIndex> rows;
  std::vector<float> scores;
  LegResult result(Leg leg, std::optional<double> floor = {}) const { return {leg, rows, scores, floor}; }
};

std::vector<RowIndex> rows(std::initializer_list<std::uint32_t> values) {
  std::vector<RowIndex> list;
  for (const std::uint32_t value : values) list.push_back({value});
  return list;
}

TEST(Fusion, WeightedSumByHand) {
  const Found words{rows({7, 3, 5}), {8, 4, 2}};
  const Found meaning{rows({3, 9, 7}), {0.9F, 0.8F, 0.5F}};
  const std::array legs{words.result(Leg::kLexical, 0), meaning.result(Leg::kDense)};
  const auto list = fuse({.legs = legs, .with_ranks = true}, {.method = FusionMethod::kWeightedSum, .dense_weight = 0.6});
  EXPECT_EQ(list.rows, rows({3, 9, 7, 5}));
  EXPECT_THAT(list.scores, ElementsAre(DoubleNear(0.4 * 0.5 + 0.6, 1e-6), DoubleNear(0.6 * 0.75, 1e-6), DoubleNear(0.4, 1e-6),
                                       DoubleNear(0.1, 1e-6)));
  EXPECT_THAT(list.ranks[0], ElementsAre(2, 1, 0));
  EXPECT_THAT(list.ranks[1], ElementsAre(0, 2, 0));
  EXPECT_THAT(list.ranks[3], ElementsAre(3, 0, 0));
}

TEST(Fusion, ReciprocalRankByHand) {
  const Found words{rows({7, 3}), {8, 4}};
  const Found meaning{rows({3, 9}), {0.9F, 0.8F}};
  const std::array legs{words.result(Leg::kLexical), meaning.result(Leg::kDense)};
  const FusionOptions options{.method = FusionMethod::kReciprocalRank, .dense_weight = 0.5, .reciprocal_rank_constant = 60};
  const auto list = fuse({.legs = legs}, options);
  EXPECT_EQ(list.rows, rows({3, 7, 9}));
  EXPECT_THAT(list.scores, ElementsAre(DoubleNear(0.5 * 61 / 62 + 0.5, 1e-9), DoubleNear(0.5, 1e-9), DoubleNear(0.5 * 61 / 62, 1e-9)));
  EXPECT_TRUE(list.ranks.empty());
}

TEST(Fusion, ALegAloneGivesScoresUpToOne) {
  const Found words{rows({2, 1}), {8, 4}};
  for (const FusionMethod method : {FusionMethod::kWeightedSum, FusionMethod::kReciprocalRank}) {
    for (const double weight : {0.0, 0.3, 1.0}) {
      const std::array legs{words.result(Leg::kLexical), LegResult{.leg = Leg::kDense}};
      const auto list = fuse({.legs = legs}, {.method = method, .dense_weight = weight});
      EXPECT_EQ(list.rows, rows({2, 1}));
      EXPECT_DOUBLE_EQ(list.scores[0], 1);
      EXPECT_GT(list.scores[1], 0);
    }
  }
}

TEST(Fusion, PreferencesActOnTheSumAndLeaveNamedRowsFirst) {
  const Found words{rows({7, 3, 5}), {8, 4, 2}};
  const std::array legs{words.result(Leg::kLexical)};
  const auto named = rows({9, 5});
  const auto prefer = [](std::span<const RowIndex> asked, std::span<float> preferences) {
    for (std::size_t i = 0; i < asked.size(); ++i) preferences[i] = asked[i].value == 3 ? 1.0F : asked[i].value == 9 ? 0.25F : 0.0F;
  };
  const FusionOptions options{.preference_weight = 1};
  const auto list = fuse({.legs = legs, .named_rows = named, .with_ranks = true, .prefer = prefer}, options);
  EXPECT_EQ(list.rows, rows({9, 5, 3, 7}));
  EXPECT_THAT(list.scores, ElementsAre(1, 1, DoubleNear(61.0 / 62, 1e-9), DoubleNear(0.5, 1e-9)));
  EXPECT_THAT(list.preferences, ElementsAre(0.25F, 0, 1, 0));

  const auto strong = fuse({.legs = legs, .prefer = prefer, .preference_strength = 3}, options);
  EXPECT_THAT(strong.scores, ElementsAre(DoubleNear(61.0 / 62, 1e-9), DoubleNear(0.25, 1e-9), DoubleNear(61.0 / 63 / 4, 1e-9)));

  const auto equal = fuse({.legs = legs, .prefer = prefer}, {.preference_weight = 0});
  EXPECT_EQ(equal.scores, fuse({.legs = legs}, {}).scores);
  EXPECT_TRUE(equal.preferences.empty());
  const FusionOptions negative{.preference_weight = -1};
  EXPECT_EQ(negative.validate().error().field, "preference_weight");
}

TEST(Fusion, EqualScoresAreInTheOrderOfRows) {
  const Found words{rows({9, 4, 6}), {3, 3, 3}};
  const std::array legs{words.result(Leg::kLexical)};
  EXPECT_EQ(fuse({.legs = legs}, {.method = FusionMethod::kWeightedSum}).rows, rows({4, 6, 9}));
  EXPECT_TRUE(fuse({}, {}).rows.empty());
}

TEST(Fusion, NamedRowsComeFirstOnce) {
  const Found words{rows({9, 4, 6}), {3, 2, 1}};
  const std::array legs{words.result(Leg::kLexical)};
  const auto named = rows({6, 2});
  const auto list = fuse({.legs = legs, .named_rows = named, .with_ranks = true}, {});
  EXPECT_EQ(list.rows, rows({6, 2, 9, 4}));
  EXPECT_THAT(list.scores, ElementsAre(1, 1, 1, testing::Gt(0)));
  EXPECT_THAT(list.ranks[0], ElementsAre(3, 0, 0));
  EXPECT_THAT(list.ranks[1], ElementsAre(0, 0, 0));
}

TEST(Fusion, EqualsTheDefinitionOverRandomLists) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::array<Found, kLegCount> found;
    for (Found& leg : found) {
      std::vector<std::uint32_t> all(200);
      for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
      std::ranges::shuffle(all, random);
      const std::size_t size = std::uniform_int_distribution<std::size_t>(0, 120)(random);
      for (std::size_t i = 0; i < size; ++i) {
        leg.rows.push_back({all[i]});
        leg.scores.push_back(static_cast<float>(std::uniform_int_distribution<int>(0, 40)(random)) / 8);
      }
      std::ranges::sort(leg.scores, std::greater<>());
    }
    const bool by_rank = round % 2 == 0;
    const FusionOptions options{.method = by_rank ? FusionMethod::kReciprocalRank : FusionMethod::kWeightedSum, .dense_weight = 0.25, .image_leg_weight = 0.5};
    const std::array weights{0.75, 0.25, 0.5};
    std::map<RowIndex, double> expected;
    double sum = 0;
    for (std::size_t leg = 0; leg < kLegCount; ++leg) sum += found[leg].rows.empty() ? 0 : weights[leg];
    for (std::size_t leg = 0; leg < kLegCount; ++leg) {
      for (std::size_t i = 0; i < found[leg].rows.size(); ++i) {
        const double high = found[leg].scores.front();
        const double low = found[leg].scores.back();
        const double share = high > low ? (static_cast<double>(found[leg].scores[i]) - low) / (high - low) : 1;
        expected[found[leg].rows[i]] += weights[leg] / sum * (by_rank ? 61.0 / (61.0 + static_cast<double>(i)) : share);
      }
    }
    // Their order does not matter.
    const std::array legs{found[2].result(Leg::kImage), found[1].result(Leg::kDense), found[0].result(Leg::kLexical)};
    const auto list = fuse({.legs = legs}, options);
    ASSERT_EQ(list.rows.size(), expected.size());
    for (std::size_t i = 0; i < list.rows.size(); ++i) {
      EXPECT_NEAR(list.scores[i], std::max(1e-6, expected[list.rows[i]]), 1e-9);
      EXPECT_GT(list.scores[i], 0);
      EXPECT_LE(list.scores[i], 1);
      if (i == 0 || list.scores[i] == 1e-6) continue;
      EXPECT_GE(list.scores[i - 1], list.scores[i]);
      EXPECT_TRUE(list.scores[i - 1] > list.scores[i] || list.rows[i - 1] < list.rows[i]);
    }
  }
}

TEST(Fusion, OptionsAndNamesAreChecked) {
  EXPECT_TRUE(FusionOptions{}.validate());
  EXPECT_EQ((FusionOptions{.dense_weight = 1.5}).validate().error().field, "dense_weight");
  EXPECT_EQ((FusionOptions{.reciprocal_rank_constant = -1}).validate().error().field, "reciprocal_rank_constant");
  for (const Leg leg : kLegs) EXPECT_EQ(leg_named(to_string(leg)), leg);
  EXPECT_FALSE(leg_named("photo"));
  EXPECT_EQ((FusionOptions{.image_leg_weight = -0.1}).validate().error().field, "image_leg_weight");
  EXPECT_EQ(fusion_method("reciprocal_rank"), FusionMethod::kReciprocalRank);
  EXPECT_FALSE(fusion_method("rrf"));
}

}  // namespace
}  // namespace scalestyle::ranking
