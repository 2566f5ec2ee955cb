// The list for one shopper in the order of a learned ranker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ranking/ranker.hpp"
#include "recommend/ranker_file.hpp"
#include "search/recommendation_fixture.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::search {
namespace {

using testing::HasSubstr;

class LearnedOrderTest : public RecommendationFixture {
 protected:
  // The newer half of the catalogue comes first: the blend has no such wish.
  static ranking::Ranker newer_first(double low) {
    const auto feature = static_cast<std::uint16_t>(ranking::RankerFeature::kNewness);
    return {.id = "newer",
            .trees = ranking::TreeEnsemble::make({{{.value = 0.5F, .left = 1, .feature = feature}, {.value = -1}, {.value = 1}}},
                                                 ranking::kRankerFeatureCount, 0)
                         .value(),
            .weights = ranking::ForYouOptions::default_weights(),
            .verdict = {.difference = 0.01, .low = low, .high = 0.02}};
  }
  // The service looks for rankers in a folder with this one.
  SearchService& recommend_with(double low, const std::string& choice) {
    EXPECT_TRUE(recommend::write_ranker(folder_.path(), newer_first(low), "{}").has_value());
    file_ = recommend::RankerFile::open(folder_.path(), choice).value();
    ranker_file_ = file_.get();
    return recommend();
  }
  ForYouRequest wanted(bool explain) {
    touched("ann", {{3, events::EventType::kPurchase}, {40, events::EventType::kClick}});
    ForYouRequest request = for_you("ann");
    request.collapse = false;
    request.explain = explain;
    return request;
  }
  static std::vector<std::string> ids_of(const SearchOutcome& outcome) {
    std::vector<std::string> ids;
    for (const AnswerItem& item : outcome.value().items) ids.emplace_back(item.article.id());
    return ids;
  }

  support::TemporaryFolder folder_;
  std::unique_ptr<recommend::RankerFile> file_;
};

TEST_F(LearnedOrderTest, OrdersTheSameArticlesAndIsExplained) {
  const auto blended = run(recommend(), wanted(true));
  ASSERT_TRUE(blended.has_value());
  EXPECT_FALSE(blended->ranker.has_value());
  const auto learned = run(recommend_with(0.001, "auto"), wanted(true));
  ASSERT_TRUE(learned.has_value());
  const auto before = ids_of(blended);
  const auto after = ids_of(learned);
  EXPECT_EQ(std::set(before.begin(), before.end()), std::set(after.begin(), after.end()));
  EXPECT_NE(before, after);

  ASSERT_TRUE(learned->ranker.has_value());
  EXPECT_EQ(learned->ranker->id, "newer");
  EXPECT_THAT(learned->ranker->why, HasSubstr("it beats the blend"));
  bool is_older = false;
  for (const AnswerItem& item : learned->items) {
    const bool is_newer = number_of(item.article.id()) >= kArticles / 2;
    EXPECT_FALSE(is_newer && is_older) << item.article.id();
    is_older = is_older || !is_newer;
    ASSERT_TRUE(item.explanation->learned.has_value());
    EXPECT_EQ(item.explanation->learned->ranker, "newer");
    EXPECT_DOUBLE_EQ(item.explanation->learned->score, item.score);
    EXPECT_DOUBLE_EQ(item.explanation->base_score, item.score);
  }
  for (const AnswerItem& item : blended->items) {  // the blend is told as before
    const auto same = std::ranges::find(learned->items, item.article.id(), [](const AnswerItem& one) { return one.article.id(); });
    ASSERT_NE(same, learned->items.end());
    EXPECT_DOUBLE_EQ(same->explanation->fused_score, item.explanation->fused_score);
    EXPECT_FALSE(item.explanation->learned.has_value());
  }
}

TEST_F(LearnedOrderTest, WhereItDoesNotBeatTheBlendTheBlendOrders) {
  const auto blended = run(recommend(), wanted(false));
  const auto unsure = run(recommend_with(-0.001, "auto"), wanted(true));
  ASSERT_TRUE(blended.has_value() && unsure.has_value());
  EXPECT_EQ(ids_of(blended), ids_of(unsure));
  ASSERT_TRUE(unsure->ranker.has_value());
  EXPECT_EQ(unsure->ranker->id, "");
  EXPECT_THAT(unsure->ranker->why, HasSubstr("newer does not beat it for certain"));
  EXPECT_FALSE(unsure->items.front().explanation->learned.has_value());

  const auto forced = run(recommend_with(-0.001, "newer"), wanted(false));
  ASSERT_TRUE(forced.has_value());
  EXPECT_NE(ids_of(blended), ids_of(forced));
  EXPECT_FALSE(forced->ranker.has_value());  // nobody asked why
  const auto off = run(recommend_with(0.001, "off"), wanted(true));
  ASSERT_TRUE(off.has_value());
  EXPECT_EQ(ids_of(blended), ids_of(off));
  EXPECT_EQ(off->ranker->why, "the blend: ranker=off");
}

TEST_F(LearnedOrderTest, TheBlendOrdersForStrangers) {
  ForYouRequest stranger = for_you();
  stranger.explain = true;
  const auto blended = run(recommend(), stranger);
  const auto outcome = run(recommend_with(0.001, "auto"), stranger);
  ASSERT_TRUE(blended.has_value() && outcome.has_value());
  ASSERT_FALSE(outcome->items.empty());
  EXPECT_EQ(ids_of(blended), ids_of(outcome));
  EXPECT_EQ(outcome->ranker->id, "");
  EXPECT_EQ(outcome->ranker->why, "the blend: nothing is known of the shopper yet");
}

}  // namespace
}  // namespace scalestyle::search
