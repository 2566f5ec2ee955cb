// What completes an outfit with one article. Of the shop: article n is a dress, shirt, pair of socks or trousers by n % 4, its
// product n / 3 is for nobody known (Divided), kids, men or women, and what was bought with it is of products seven and eleven further.
#include <gmock/gmock.h>

#include <algorithm>

#include "search/look_request.hpp"
#include "search/recommendation_fixture.hpp"

namespace scalestyle::search {
namespace {

using testing::IsEmpty;

class LookListTest : public RecommendationFixture {
 protected:
  using RecommendationFixture::run;
  static SearchOutcome run(SearchService& service, LookRequest wanted) { return core::sync_wait(service.complete_the_look(std::move(wanted))); }
  static LookRequest with(int number) {
    LookRequest wanted;
    wanted.article_id = id_of(number);
    return wanted;
  }
  static std::string name_of(int number) { return "“Name " + std::to_string(number * 37 % kArticles) + "”"; }
  static bool has_stage(const SearchOutcome& outcome, Stage stage) {
    return std::ranges::any_of(outcome.value().stages, [&](const StageReport& report) { return report.stage == stage; });
  }
};

TEST_F(LookListTest, OneArticleOfASlotWithWhatBroughtIt) {
  auto& service = recommend();
  auto wanted = with(13);  // a blue shirt
  wanted.explain = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  // Trousers 35 are another variant of the product of socks 34, so 47 are taken; 46 are socks too.
  EXPECT_EQ(ids(outcome), (std::vector{id_of(34), id_of(47)}));
  EXPECT_EQ(outcome->total, 2U);
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  EXPECT_FALSE(outcome->fallback_source);
  EXPECT_THAT(outcome->degradations, IsEmpty());
  const AnswerItem& socks = outcome->items[0];
  EXPECT_EQ(socks.slot, "hosiery");
  EXPECT_EQ(socks.reason, "Bought by shoppers who bought " + name_of(13) + ".");
  EXPECT_EQ(socks.explanation->look->source, "bought_together");
  EXPECT_FLOAT_EQ(static_cast<float>(socks.explanation->look->together), 1.0F);
  EXPECT_FLOAT_EQ(static_cast<float>(socks.explanation->look->colour), 0.9F);
  EXPECT_NEAR(socks.score, 0.9, 1e-6);
  const AnswerItem& trousers = outcome->items[1];
  EXPECT_EQ(trousers.slot, "bottom");
  EXPECT_EQ(trousers.reason, "Bought by shoppers who bought another variant of " + name_of(13) + ".");
  EXPECT_EQ(trousers.explanation->look->source, "variant_bought_together");
  EXPECT_EQ(report_of(outcome, "bought_together")->articles, 2U);
  EXPECT_EQ(report_of(outcome, "chosen_together")->articles, 0U);
  wanted.per_slot = 2;
  EXPECT_EQ(ids(run(service, wanted)), (std::vector{id_of(34), id_of(46)}));
  wanted.k = 1;
  const auto first = run(service, wanted);
  EXPECT_EQ(ids(first), (std::vector{id_of(34)}));
  EXPECT_EQ(first->total, 2U);
  wanted.cursor = first->cursor;
  EXPECT_EQ(ids(run(service, wanted)), (std::vector{id_of(46)}));
}

TEST_F(LookListTest, WithoutPurchasesWhatIsPopularOfEachPart) {
  auto& service = recommend();
  auto wanted = with(9);  // a red shirt for women: what was bought with it is for men
  wanted.explain = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(ids(outcome), (std::vector{id_of(35), id_of(22)}));
  EXPECT_EQ(outcome->fallback_source, FallbackSource::kGlobalPopular);
  EXPECT_THAT(outcome->degradations, IsEmpty());
  EXPECT_TRUE(has_stage(outcome, Stage::kFallback));
  for (const AnswerItem& item : outcome->items) {
    EXPECT_EQ(section_of(number_of(item.article.id())), "Women");
    EXPECT_EQ(item.explanation->look->source, "popular_in_slot");
    EXPECT_EQ(item.reason, "Goes with " + name_of(9) + ".");
  }
  EXPECT_EQ(report_of(outcome, "bought_together")->articles, 0U);
  EXPECT_EQ(report_of(outcome, "popular_in_slot")->articles, 2U);
}

TEST_F(LookListTest, OnlyWhatIsAvailableAndPassesTheFilters) {
  auto list = shop();
  list[34].available = false;
  open("without", list);
  auto& service = recommend();
  EXPECT_EQ(ids(run(service, with(13))), (std::vector{id_of(35), id_of(46)}));
  auto wanted = with(13);
  wanted.filter[catalog::FilterField::kType] = {"trousers"};
  EXPECT_EQ(ids(run(service, wanted)), (std::vector{id_of(35)}));
  wanted.filter[catalog::FilterField::kType] = {"shirt"};
  const auto nothing = run(service, wanted);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->total, 0U);  // no shirt completes a shirt
  EXPECT_FALSE(nothing->fallback_source);
}

TEST_F(LookListTest, UnknownArticlesAreToldApart) {
  auto& service = recommend();
  auto wanted = with(13);
  wanted.article_id = "0000009999";
  EXPECT_EQ(run(service, wanted).error().error.code, core::ErrorCode::kNotFound);
  wanted.article_id = "no such/id";
  EXPECT_EQ(run(service, wanted).error().error.field, "id");
  wanted = with(13);
  wanted.k = kMaxLookItems + 1;
  EXPECT_EQ(run(service, wanted).error().error.field, "k");
  wanted = with(13);
  wanted.per_slot = 0;
  EXPECT_EQ(run(service, wanted).error().error.field, "per_slot");
}

TEST_F(LookListTest, TheSameForEverybodyButForBoosts) {
  auto& service = recommend();
  touched("u", {{47, events::EventType::kClick}});
  auto wanted = with(13);
  wanted.user_id = core::UserId("u");
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->personalized);
  EXPECT_EQ(outcome->total, 2U);
  const AnswerItem* const trousers = item_of(outcome, product_of(47));
  ASSERT_NE(trousers, nullptr);
  EXPECT_TRUE(trousers->behavior_score);
}

}  // namespace
}  // namespace scalestyle::search
