#include "evaluation/gradient_boosting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace scalestyle::evaluation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// Lists of 15 rows and three features; the right ones are where the first is large, or the second is missing.
RankingRows lists(std::uint32_t seed, std::size_t count) {
  constexpr std::size_t kRows = 15;
  std::mt19937 random(seed);
  const auto share = [&random] { return static_cast<float>(random() % 1'000) / 1'000.0F; };
  RankingRows rows{.features = 3};
  for (std::size_t list = 0; list < count; ++list) {
    for (std::size_t i = 0; i < kRows; ++i) {
      const float first = share();
      const float second = random() % 6 == 0 ? kMissing : share();
      rows.values.insert(rows.values.end(), {first, second, share()});
      rows.labels.push_back(first > 0.85F || std::isnan(second) ? 1.0F : 0.0F);
    }
    rows.lists.push_back(kRows);
  }
  return rows;
}

BoostingOptions few_trees() {
  BoostingOptions options;
  options.max_trees = 20;
  options.max_depth = 3;
  options.learning_rate = 0.3;
  return options;
}

// One tree of a split on feature 1 at 0.5 (missing goes left) whose children are the last two nodes, in the wrong order for us.
std::string model(std::string_view left = "[2,-1,-1]") {
  std::string text = R"({"learner":{"learner_model_param":{"base_score":"5E-1"},"gradient_booster":{"model":{"trees":[{)"
                     R"("left_children":LEFT,"right_children":[1,-1,-1],"split_indices":[1,0,0],"split_conditions":[5E-1,2,1],)"
                     R"("default_left":[1,0,0],"loss_changes":[7,0,0]}]}}}})";
  text.replace(text.find("LEFT"), 4, left);
  return text;
}

TEST(XgboostModelTest, BecomesTreesWithChildrenSideBySide) {
  const auto converted = convert_xgboost_model(model(), 2, 1);
  ASSERT_TRUE(converted.has_value()) << converted.error().message;
  EXPECT_THAT(converted->trees.sums(std::vector<float>{0, 0.25F, 0, 0.5F, 0, kMissing}), ElementsAre(1.5F, 2.5F, 1.5F));
  EXPECT_THAT(converted->gains, ElementsAre(0, 7));
}

TEST(XgboostModelTest, WhatIsNoModelIsRefused) {
  const auto refused = [](std::string_view text, std::size_t features, std::size_t count) {
    const auto converted = convert_xgboost_model(text, features, count);
    return converted ? core::ErrorCode::kInternal : converted.error().code;
  };
  EXPECT_EQ(refused("", 2, 1), core::ErrorCode::kDataLoss);
  EXPECT_EQ(refused("{}", 2, 1), core::ErrorCode::kDataLoss);
  EXPECT_EQ(refused(model(), 2, 2), core::ErrorCode::kDataLoss);  // too few trees
  EXPECT_EQ(refused(model(), 1, 1), core::ErrorCode::kDataLoss);  // too few features
  EXPECT_EQ(refused(model("[9,-1,-1]"), 2, 1), core::ErrorCode::kDataLoss);
  EXPECT_EQ(refused(model("[0,-1,-1]"), 2, 1), core::ErrorCode::kDataLoss);  // a node that is its own child
  EXPECT_EQ(refused(model("7"), 2, 1), core::ErrorCode::kDataLoss);
}

TEST(GradientBoostingTest, OptionsOutsideTheirBoundsAreNamed) {
  const auto field = [](const auto& change) {
    BoostingOptions options;
    change(options);
    const auto valid = options.validate();
    return valid ? std::string() : valid.error().field;
  };
  EXPECT_EQ(field([](BoostingOptions&) {}), "");
  EXPECT_EQ(field([](BoostingOptions& options) { options.objective = "reg:squarederror"; }), "objective");
  EXPECT_EQ(field([](BoostingOptions& options) { options.max_trees = 501; }), "max_trees");
  EXPECT_EQ(field([](BoostingOptions& options) { options.max_depth = 0; }), "max_depth");
  EXPECT_EQ(field([](BoostingOptions& options) { options.learning_rate = std::nan(""); }), "learning_rate");
  EXPECT_EQ(field([](BoostingOptions& options) { options.min_child_weight = -1; }), "min_child_weight");
  EXPECT_EQ(field([](BoostingOptions& options) { options.patience = 0; }), "patience");
}

TEST(GradientBoostingTest, WithoutXgboostItSaysSo) {
  if (can_learn_trees()) return;
  const auto learned = learn_trees(lists(1, 1), lists(2, 1), few_trees());
  ASSERT_FALSE(learned.has_value());
  EXPECT_EQ(learned.error().code, core::ErrorCode::kUnsupported);
  EXPECT_THAT(learned.error().message, HasSubstr("libxgboost-dev"));
}

class LearnTreesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_learn_trees()) GTEST_SKIP() << "this build has no xgboost";
  }
};

TEST_F(LearnTreesTest, OursScoreAsXgboostDoesWhateverIsMissing) {
  for (const char* objective : {"rank:ndcg", "rank:map", "rank:pairwise"}) {
    BoostingOptions options = few_trees();
    options.objective = objective;
    const auto learned = learn_trees(lists(1, 40), lists(2, 40), options);
    ASSERT_TRUE(learned.has_value()) << learned.error().message;
    EXPECT_LE(learned->largest_difference, 1e-5);
    EXPECT_GE(learned->trees.trees(), 1U);
    EXPECT_LE(learned->trees.trees(), options.max_trees);
    EXPECT_EQ(learned->trees.features(), 3U);
    EXPECT_GT(learned->stop_map, 0.95);
    EXPECT_NEAR(learned->gains[0] + learned->gains[1] + learned->gains[2], 1, 1e-9);
    EXPECT_LT(learned->gains[2], 0.2) << "it says nothing";
  }
}

TEST_F(LearnTreesTest, WhatMustRiseRises) {
  const RankingRows train = lists(1, 40);
  RankingRows turned = train;
  for (std::size_t i = 0; i < turned.values.size(); i += 3) turned.values[i] = 1 - turned.values[i];
  BoostingOptions options = few_trees();
  options.rising = {true, false, false};
  const auto learned = learn_trees(turned, turned, options);
  ASSERT_TRUE(learned.has_value()) << learned.error().message;
  std::vector<float> rising;
  for (int i = 0; i <= 20; ++i) rising.insert(rising.end(), {static_cast<float>(i) / 20, 0.5F, 0.5F});
  const auto sums = learned->trees.sums(rising);
  EXPECT_TRUE(std::ranges::is_sorted(sums));
  options.rising = {true};
  EXPECT_EQ(learn_trees(train, train, options).error().field, "rising");
}

TEST_F(LearnTreesTest, TheSameRowsGiveTheSameTrees) {
  const auto once = learn_trees(lists(1, 20), lists(2, 20), few_trees());
  const auto again = learn_trees(lists(1, 20), lists(2, 20), few_trees());
  ASSERT_TRUE(once.has_value() && again.has_value());
  EXPECT_EQ(once->trees.encode(), again->trees.encode());
}

TEST_F(LearnTreesTest, RowsThatDoNotFitAreRefused) {
  const auto refusal = [](const RankingRows& train, const RankingRows& stop) {
    const auto learned = learn_trees(train, stop, few_trees());
    EXPECT_FALSE(learned.has_value());
    return learned ? std::string() : learned.error().message;
  };
  RankingRows wrong = lists(1, 3);
  wrong.lists.pop_back();
  EXPECT_THAT(refusal(wrong, lists(2, 3)), HasSubstr("in lists of"));
  EXPECT_THAT(refusal(lists(1, 3), {}), HasSubstr("no list to stop by"));
  RankingRows other{.features = 1, .values = {1, 2}, .labels = {0, 1}, .lists = {2}};
  EXPECT_THAT(refusal(lists(1, 3), other), HasSubstr("differ in their features"));
}

}  // namespace
}  // namespace scalestyle::evaluation
