// What is like one article.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "search/recommendation_fixture.hpp"

namespace scalestyle::search {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class SimilarTest : public RecommendationFixture {
 protected:
  static SimilarRequest by(SimilarRequest wanted, bool text, bool picture, bool bought) {
    wanted.by = {.text = text, .picture = picture, .bought = bought};
    return wanted;
  }
  // The numbers of all articles but the given product, the nearest to `point` first.
  template <class TextOf>
  std::vector<std::string> nearest(const std::string& point, int without, TextOf describe) const {
    const auto dimension = encoder_.info().dimension;
    const auto query = support::vector_of_text(point, dimension);
    std::vector<std::pair<double, std::string>> all;
    for (int i = 0; i < kArticles; ++i) {
      const auto text = describe(i);
      if (product_of(i) == without || !text) continue;
      const auto vector = support::vector_of_text(*text, dimension);
      double cosine = 0;
      for (std::size_t j = 0; j < dimension; ++j) cosine += static_cast<double>(query[j]) * static_cast<double>(vector[j]);
      all.emplace_back(-cosine, id_of(i));
    }
    std::ranges::sort(all);
    std::vector<std::string> list;
    for (auto& [cosine, id] : all) list.push_back(std::move(id));
    return list;
  }
  static std::optional<std::string> text_of(int number) { return "Name " + std::to_string(number * 37 % kArticles); }
};

TEST_F(SimilarTest, OneSourceOrdersAsItDoesItself) {
  auto& service = recommend();
  auto wanted = by(like(12), true, false, false);
  wanted.collapse = false;
  const auto by_text = run(service, wanted);
  ASSERT_TRUE(by_text);
  EXPECT_EQ(ids(by_text), nearest(*text_of(12), product_of(12), text_of));
  EXPECT_EQ(by_text->items[0].reason, "Similar to “" + *text_of(12) + "”.");
  EXPECT_EQ(report_of(by_text, "similar_picture"), nullptr);
  wanted = by(wanted, false, true, false);
  const auto by_picture = run(service, wanted);
  EXPECT_EQ(ids(by_picture), nearest(photo_of(12), product_of(12), [](int i) { return has_photo(i) ? std::optional(photo_of(i)) : std::nullopt; }));
  EXPECT_EQ(by_picture->items[0].reason, "Looks like “" + *text_of(12) + "”.");
  wanted = by(wanted, false, false, true);
  const auto bought = run(service, wanted);
  EXPECT_EQ(ids(bought), (std::vector{id_of(33), id_of(45)}));
  EXPECT_EQ(bought->total, 2U);
  EXPECT_EQ(bought->total_relation, TotalRelation::kEqual);
  EXPECT_EQ(bought->items[0].reason, "Bought by shoppers who bought “" + *text_of(12) + "”.");
}

TEST_F(SimilarTest, TheBlendIsWhatExplainSaysAndNeverTheProductItself) {
  auto& service = recommend();
  auto wanted = like(12);
  wanted.explain = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 19U);
  EXPECT_EQ(item_of(outcome, product_of(12)), nullptr);
  for (const AnswerItem& item : outcome->items) {
    double blend = 0;
    for (const auto& share : item.explanation->sources) blend += share.score * share.weight;
    EXPECT_NEAR(item.explanation->fused_score, blend / (1.0 + 0.8 + 0.6), 1e-6);
  }
  wanted.variants = true;
  wanted.collapse = false;
  const auto with_variants = run(service, wanted);
  EXPECT_EQ(with_variants->total, 59U);
  EXPECT_THAT(ids(with_variants), Contains(id_of(13)));
  EXPECT_THAT(ids(with_variants), testing::Not(Contains(id_of(12))));
}

TEST_F(SimilarTest, UnknownArticlesAreToldApart) {
  auto& service = recommend();
  auto wanted = like(12);
  wanted.article_id = "0000009999";
  auto outcome = run(service, wanted);
  EXPECT_EQ(outcome.error().error.code, core::ErrorCode::kNotFound);
  EXPECT_EQ(outcome.error().error.field, "id");
  EXPECT_FALSE(outcome.error().reason);
  wanted.article_id = "no such/id";
  outcome = run(service, wanted);
  EXPECT_EQ(outcome.error().error.code, core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(outcome.error().error.field, "id");
  EXPECT_EQ(run(service, by(like(12), false, false, false)).error().error.field, "by");
}

TEST_F(SimilarTest, WithoutAPhotoThereIsNoPictureSource) {
  auto& service = recommend();
  const auto outcome = run(service, by(like(9), false, true, false));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 0U);  // an honest empty
  EXPECT_THAT(outcome->degradations, IsEmpty());
  EXPECT_EQ(report_of(outcome, "similar_picture")->outcome, StageOutcome::kSkipped);
  const auto all = run(service, like(9));
  EXPECT_EQ(all->total, 19U);
  EXPECT_EQ(report_of(all, "similar_text")->outcome, StageOutcome::kOk);
}

TEST_F(SimilarTest, ASourceThatFailsIsLeftOutAndNamed) {
  auto& service = recommend();
  index_.fail_search_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto outcome = run(service, like(12));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->degradations, (std::vector{DegradationReason::kRetrievalUnavailable}));
  EXPECT_EQ(report_of(outcome, "similar_text")->outcome, StageOutcome::kFailed);
  EXPECT_EQ(report_of(outcome, "similar_picture")->outcome, StageOutcome::kOk);
  EXPECT_FALSE(outcome->fallback_source);
  auto wanted = by(like(12), true, false, false);
  wanted.filter[catalog::FilterField::kSection] = {"men"};
  const auto popular = run(service, wanted);
  ASSERT_TRUE(popular);
  EXPECT_EQ(popular->degradations, (std::vector{DegradationReason::kRetrievalUnavailable}));
  EXPECT_EQ(popular->fallback_source, FallbackSource::kGlobalPopular);
  EXPECT_FALSE(popular->items.empty());
  for (const AnswerItem& item : popular->items) EXPECT_EQ(section_of(number_of(item.article.id())), "Men");
  const auto nothing = run(recommend({.fallback = FallbackSteps::parse("words,cached").value()}), wanted);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().error.code, core::ErrorCode::kUnavailable);
  EXPECT_EQ(nothing.error().reason, DegradationReason::kRetrievalUnavailable);
}

TEST_F(SimilarTest, AFullQueueIsNoFaultOfTheIndex) {
  auto& service = recommend();
  index_.fail_search_with(core::Error{core::ErrorCode::kResourceExhausted, "the compute queue is full; try again later"});
  const auto full = run(service, like(12));
  ASSERT_TRUE(full);
  EXPECT_EQ(full->degradations, (std::vector{DegradationReason::kDownstreamCapacityRejected}));
  EXPECT_EQ(report_of(full, "similar_text")->outcome, StageOutcome::kRefused);
  EXPECT_FALSE(full->items.empty());
  index_.fail_search_with(core::Error{core::ErrorCode::kDeadlineExceeded, "late"});
  const auto late = run(service, like(13));
  ASSERT_TRUE(late);
  EXPECT_EQ(late->degradations, (std::vector{DegradationReason::kRetrievalUnavailable}));
  index_.fail_search_with(core::Error{core::ErrorCode::kCircuitOpen, "open"});
  const auto open = run(service, like(14));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->degradations, (std::vector{DegradationReason::kDownstreamCircuitOpen}));
}

TEST_F(SimilarTest, FiltersAreSearchedInside) {
  auto& service = recommend();
  auto wanted = by(like(12), true, false, false);
  wanted.collapse = false;
  wanted.filter[catalog::FilterField::kColour] = {"red"};
  auto expected = nearest(*text_of(12), product_of(12), text_of);
  std::erase_if(expected, [](const std::string& id) { return number_of(id) % 3 != 0; });
  EXPECT_EQ(ids(run(service, wanted)), expected);
}

TEST_F(SimilarTest, TheShoppersBehaviourBoosts) {
  auto& service = recommend();
  const auto plain = run(service, like(12));
  touched("u", {{45, events::EventType::kClick}});
  const auto outcome = run(service, like(12, "u"));
  EXPECT_TRUE(outcome->personalized);
  const AnswerItem* const before = item_of(plain, product_of(45));
  const AnswerItem* const after = item_of(outcome, product_of(45));
  ASSERT_TRUE(before != nullptr && after != nullptr);
  EXPECT_TRUE(after->behavior_score);
  EXPECT_THAT(after->reason, HasSubstr("you showed interest in it recently"));
  features_.fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto without = run(service, like(12, "u"));
  EXPECT_EQ(ids(without), ids(plain));
  EXPECT_THAT(without->degradations, Contains(DegradationReason::kPersonalizationUnavailable));
}

TEST_F(SimilarTest, WhatIsDoneTogetherNowCounts) {
  auto& service = recommend();
  const auto wanted = by(like(12), false, false, true);
  EXPECT_EQ(run(service, wanted)->total, 2U);
  for (const char* name : {"a", "b", "c"}) bought_together(name, {12, 51});
  const auto outcome = run(service, wanted);
  EXPECT_EQ(outcome->total, 3U);
  const AnswerItem* const item = item_of(outcome, product_of(51));
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->reason, "Of interest to shoppers along with “" + *text_of(12) + "”.");
  touched("u", {{12, events::EventType::kClick}});
  const auto for_one = run(recommend(weighing("bought_together=1")), for_you("u"));
  EXPECT_NE(item_of(for_one, product_of(51)), nullptr);
}

TEST_F(SimilarTest, WhatWasFoundIsKeptForTheNext) {
  auto& service = recommend();
  const auto first = run(service, like(12));
  const auto searches = index_.batch_sizes().size();
  expect_same_list(run(service, like(12)), first);
  EXPECT_EQ(index_.batch_sizes().size(), searches);
  const auto stats = service.near_cache_stats();
  EXPECT_EQ(stats.entries, 2U);
  EXPECT_EQ(stats.hits, 2U);
  EXPECT_EQ(stats.misses, 2U);
  SearchOptions options;
  options.recommendation.near_cache_bytes = 0;
  auto& keeping_nothing = recommend(options);
  expect_same_list(run(keeping_nothing, like(12)), first);
  EXPECT_EQ(keeping_nothing.near_cache_stats().entries, 0U);
}

}  // namespace
}  // namespace scalestyle::search
