#include "ranking/ranker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace scalestyle::ranking {
namespace {

using catalog::Attribute;
using catalog::RowIndex;
using testing::HasSubstr;

std::size_t place(RankerFeature feature) { return static_cast<std::size_t>(feature); }

// Rows 0 … 3: two colours of product p (ladies, dress), one of q (ladies, shoe), one of r (men, dress, no price).
catalog::Catalog articles() {
  struct Made {
    const char* id;
    const char* product;
    const char* section;
    const char* type;
    const char* colour;
    std::optional<double> price;
  };
  catalog::CatalogBuilder builder;
  for (const Made& one : {Made{"1", "p", "ladies", "dress", "red", 10.0}, Made{"2", "p", "ladies", "dress", "blue", 10.0},
                          Made{"3", "q", "ladies", "shoe", "red", 40.0}, Made{"4", "r", "men", "dress", "green", {}}}) {
    catalog::Article article{.id = catalog::ArticleId::parse(one.id).value()};
    article.product_code = one.product;
    article[Attribute::kSection] = one.section;
    article[Attribute::kProductType] = one.type;
    article[Attribute::kColour] = one.colour;
    article.price = one.price;
    EXPECT_TRUE(builder.add(article).has_value());
  }
  return std::move(builder).build().value();
}

// Scores that rise with the row, of one source or two.
Candidates candidates(std::size_t count) {
  Candidates all;
  for (std::uint32_t row = 0; row < count; ++row) {
    all.rows.push_back({row});
    SourceScores scores{};
    scores[static_cast<std::size_t>(Source::kPopular)] = static_cast<float>(row + 1) / static_cast<float>(count);
    if (row % 2 == 1) scores[static_cast<std::size_t>(Source::kOwn)] = 0.5F;
    scores[static_cast<std::size_t>(Source::kContent)] = 0.1F;
    all.scores.push_back(scores);
  }
  return all;
}

class RankerFeaturesTest : public testing::Test {
 protected:
  [[nodiscard]] float value(std::uint32_t row, RankerFeature feature) const {
    const RankerContext context{.articles = &articles_, .items = items_, .popularity = popularity_};
    return ranker_features(candidates_, context, ForYouOptions::default_weights())[row * kRankerFeatureCount + place(feature)];
  }

  catalog::Catalog articles_ = articles();
  Candidates candidates_ = candidates(4);
  std::vector<SubjectItem> items_{{.row = {1}, .age_days = 1, .weight = 5, .bought = true, .times = 3},
                                  {.row = {2}, .age_days = 4, .weight = 5, .bought = true}};
  std::vector<CandidatePopularity> popularity_{{0, 10, 20}, {5, 10, 40}, {10, 0, 30}, {0, 0, 0}};
};

TEST_F(RankerFeaturesTest, NamesAreDistinctAndInOrder) {
  const auto& names = ranker_feature_names();
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), kRankerFeatureCount);
  EXPECT_EQ(names[0], "own");
  EXPECT_EQ(names[place(RankerFeature::kBlend)], "blend");
  EXPECT_EQ(names[place(RankerFeature::kItemsAge)], "items_age_days");
}

TEST_F(RankerFeaturesTest, TellsSourcesPopularityAndPrice) {
  EXPECT_EQ(value(0, RankerFeature::kSources), 1);  // similar_text does not count
  EXPECT_EQ(value(1, RankerFeature::kSources), 2);
  EXPECT_FLOAT_EQ(value(1, RankerFeature::kBlend),
                  static_cast<float>(blend(candidates_.scores, ForYouOptions::default_weights())[1]));
  EXPECT_EQ(value(2, RankerFeature::kPopularityWeek), 0);
  EXPECT_FLOAT_EQ(value(1, RankerFeature::kPopularityDay), static_cast<float>(std::log(6.0) / std::log(51.0)));
  EXPECT_GT(value(2, RankerFeature::kPopularityDay), value(1, RankerFeature::kPopularityDay));
  EXPECT_FLOAT_EQ(value(0, RankerFeature::kPrice), static_cast<float>(std::log(11.0)));
  EXPECT_FLOAT_EQ(value(2, RankerFeature::kPriceRatio), static_cast<float>(std::log(40.0 / 25.0)));
  EXPECT_TRUE(std::isnan(value(3, RankerFeature::kPrice)));
  EXPECT_EQ(value(0, RankerFeature::kNewness), 0);
  EXPECT_EQ(value(3, RankerFeature::kNewness), 1);
  popularity_[2] = {};  // not known to be sold: its price is not known either
  EXPECT_TRUE(std::isnan(value(2, RankerFeature::kPrice)));
  EXPECT_TRUE(std::isnan(value(2, RankerFeature::kPriceRatio)));
}

TEST_F(RankerFeaturesTest, TellsWhatTheSubjectDid) {
  EXPECT_EQ(value(1, RankerFeature::kOwnAge), 1);
  EXPECT_EQ(value(1, RankerFeature::kOwnTimes), 3);
  EXPECT_TRUE(std::isnan(value(0, RankerFeature::kOwnAge)));
  EXPECT_EQ(value(0, RankerFeature::kVariantAge), 1);
  EXPECT_TRUE(std::isnan(value(1, RankerFeature::kVariantAge)));  // itself is no other variant
  const double strength = 1 / (1 + std::exp2(-1.0));             // of the newer item: three days are one half-life
  EXPECT_FLOAT_EQ(value(0, RankerFeature::kSectionShare), 1);
  EXPECT_FLOAT_EQ(value(0, RankerFeature::kTypeShare), static_cast<float>(strength));
  EXPECT_FLOAT_EQ(value(0, RankerFeature::kColourShare), static_cast<float>(1 - strength));
  EXPECT_EQ(value(3, RankerFeature::kSectionShare), 0);
  EXPECT_EQ(value(3, RankerFeature::kItems), 2);
  EXPECT_EQ(value(3, RankerFeature::kItemsAge), 1);
}

TEST_F(RankerFeaturesTest, TheNewestOfSeveralVariantsCounts) {
  items_ = {{.row = {0}, .age_days = 3}, {.row = {1}, .age_days = 2}};
  EXPECT_EQ(value(0, RankerFeature::kVariantAge), 2);
  EXPECT_EQ(value(1, RankerFeature::kVariantAge), 3);
}

TEST_F(RankerFeaturesTest, OfAStrangerItTellsNothing) {
  items_.clear();
  for (const RankerFeature feature : {RankerFeature::kOwnAge, RankerFeature::kOwnTimes, RankerFeature::kVariantAge,
                                      RankerFeature::kSectionShare, RankerFeature::kTypeShare, RankerFeature::kColourShare,
                                      RankerFeature::kPriceRatio, RankerFeature::kItemsAge}) {
    EXPECT_TRUE(std::isnan(value(1, feature))) << ranker_feature_names()[place(feature)];
  }
  EXPECT_EQ(value(1, RankerFeature::kItems), 0);
}

// One tree: what is popular in the week is better.
Ranker ranker() {
  const auto feature = static_cast<std::uint16_t>(RankerFeature::kPopularityWeek);
  return {.id = "2020-09-20-0123abcd",
          .trees = TreeEnsemble::make({{{.value = 0.5F, .left = 1, .feature = feature}, {.value = -1}, {.value = 1}}},
                                      kRankerFeatureCount, 0.5F)
                       .value(),
          .weights = ForYouOptions::default_weights(),
          .verdict = {.difference = 0.01, .low = 0.001, .high = 0.02}};
}

TEST(RankerTest, TreesJudgeTheBestOfTheBlendAndTheOthersStayBehind) {
  catalog::CatalogBuilder builder;
  constexpr std::uint32_t kRows = 400;
  for (std::uint32_t i = 0; i < kRows; ++i) {
    EXPECT_TRUE(builder.add({.id = catalog::ArticleId::parse(std::to_string(i + 1)).value()}).has_value());
  }
  const catalog::Catalog many = std::move(builder).build().value();
  const Candidates all = candidates(kRows);
  std::vector<CandidatePopularity> popularity(kRows);
  for (std::uint32_t row = 0; row < kRows; row += 3) popularity[row].week = 100;
  const std::vector<SubjectItem> items{{.row = {7}, .age_days = 1}};
  const RankerContext context{.articles = &many, .items = items, .popularity = popularity};
  const Ranker learned = ranker();
  const auto scores = learned.score(all, context);
  const auto judged = judged_candidates(all, learned.weights);
  ASSERT_EQ(judged.size(), kMaxLearned);
  const std::set<std::uint32_t> by_trees(judged.begin(), judged.end());
  const auto blended = blend(all.scores, learned.weights);
  for (std::uint32_t row = 0; row < kRows; ++row) {
    EXPECT_GT(scores[row], 0);
    EXPECT_LE(scores[row], 1);
    EXPECT_EQ(scores[row] > 0.5, by_trees.contains(row)) << row;
    const double expected = by_trees.contains(row) ? 0.5 + 0.5 / (1 + std::exp(row % 3 == 0 ? -1.5 : 0.5)) : blended[row] / 2;
    EXPECT_DOUBLE_EQ(scores[row], expected);
  }
  EXPECT_TRUE(learned.score({}, {.articles = &many}).empty());
  EXPECT_EQ(learned.score(all, {.articles = &many, .popularity = popularity}), blended);  // of a stranger
}

TEST(RankerTest, TheOrderOfCandidatesDoesNotMatter) {
  const catalog::Catalog all = articles();
  const std::vector<SubjectItem> items{{.row = {1}, .age_days = 1}};
  Candidates forward = candidates(4);
  Candidates backward = forward;
  std::ranges::reverse(backward.rows);
  std::ranges::reverse(backward.scores);
  std::vector<CandidatePopularity> popularity{{0, 10, 20}, {5, 100, 40}, {10, 0, 30}, {0, 0, 0}};
  const auto scores = ranker().score(forward, {.articles = &all, .items = items, .popularity = popularity});
  std::ranges::reverse(popularity);
  auto reversed = ranker().score(backward, {.articles = &all, .items = items, .popularity = popularity});
  std::ranges::reverse(reversed);
  EXPECT_EQ(reversed, scores);
}

TEST(RankerTest, ItsVerdictIsTheLowerEndOfTheInterval) {
  EXPECT_TRUE(ranker().verdict.beats_blend());
  EXPECT_FALSE((RankerVerdict{.difference = 0.01, .low = 0, .high = 0.02}).beats_blend());
  EXPECT_FALSE((RankerVerdict{.difference = 0.01, .low = -0.001, .high = 0.02}).beats_blend());
}

TEST(RankerTest, BytesGiveTheSameRankerAndNoDamagedOne) {
  const Ranker written = ranker();
  const std::string bytes = encode_ranker(written);
  const auto read = parse_ranker(bytes);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->id, written.id);
  EXPECT_EQ(read->weights, written.weights);
  EXPECT_EQ(read->verdict, written.verdict);
  EXPECT_EQ(read->item_half_life_days, written.item_half_life_days);
  EXPECT_EQ(encode_ranker(*read), bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_FALSE(parse_ranker(wrong).has_value()) << i;
    EXPECT_FALSE(parse_ranker(std::string_view(bytes).substr(0, i)).has_value()) << i;
  }
  std::string newer = bytes;
  newer[8] = 2;
  EXPECT_EQ(parse_ranker(newer).error().code, core::ErrorCode::kUnsupported);
  EXPECT_THAT(parse_ranker(newer).error().message, HasSubstr("version 2"));
}

TEST(RankerTest, IdsAreNamesOfFoldersOnly) {
  for (const char* id : {"a", "2020-09-20-0123abcd", "A_b.c"}) EXPECT_TRUE(check_ranker_id(id).has_value()) << id;
  for (const std::string& id : {std::string(), std::string("."), std::string("../x"), std::string("a/b"), std::string("a b"),
                                std::string(65, 'a')}) {
    EXPECT_EQ(check_ranker_id(id).error().field, "ranker") << id;
  }
}

}  // namespace
}  // namespace scalestyle::ranking
