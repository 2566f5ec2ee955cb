#include "evaluation/recommend_evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "catalog/date.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::evaluation {
namespace {

using catalog::ArticleId;
using testing::ElementsAre;
using testing::HasSubstr;

ArticleId id(std::string_view text) { return ArticleId::parse(text).value(); }
std::chrono::sys_days day(int number) { return *catalog::parse_date("2020-09-01") + std::chrono::days(number - 1); }

std::vector<std::string> texts(const std::vector<ArticleId>& ids) {
  std::vector<std::string> result;
  for (const ArticleId& one : ids) result.push_back(one.text());
  return result;
}

class HeldOutTest : public testing::Test {
 protected:
  // customers ann, bob, cat, dan; articles p, q, r, s
  static catalog::Purchases purchases() {
    catalog::Purchases all;
    all.customers = {"cat", "ann", "bob", "dan"};
    all.articles = {id("q"), id("p"), id("r"), id("s")};
    all.purchases = {{1, 0, day(1)}, {2, 0, day(1)}, {1, 1, day(2)}, {3, 1, day(3)}, {1, 1, day(3)},  // known
                     {1, 2, day(4)}, {0, 0, day(4)}, {1, 1, day(5)}, {1, 2, day(5)},                  // judged
                     {2, 3, day(6)}};
    return all;
  }
  static HeldOutPurchases split(int last_known, std::optional<int> last = {}) {
    return HeldOutPurchases::split(purchases(), day(last_known),
                                   last ? std::optional(day(*last)) : std::nullopt).value();
  }
  RecommendOptions options_{.measures = parse_measures("map@2,recall@2,hit@1").value(), .resamples = 1'000, .seed = 7};
};

TEST_F(HeldOutTest, SplitsByDayAndGroupsByCustomer) {
  const HeldOutPurchases held_out = split(3, 5);
  ASSERT_EQ(held_out.buyers().size(), 2U);  // bob's purchase is beyond the days judged; dan bought nothing
  const Buyer& ann = held_out.buyers()[0];
  EXPECT_EQ(ann.customer, "ann");
  ASSERT_EQ(ann.history.size(), 3U);
  EXPECT_EQ(ann.history[0].article->text(), "q");
  EXPECT_EQ(ann.history[2].day, day(3));
  EXPECT_EQ(ann.bought, (Grades{{id("p"), 1}, {id("r"), 1}}));
  EXPECT_EQ(held_out.buyers()[1].customer, "cat");
  EXPECT_TRUE(held_out.buyers()[1].history.empty());
  EXPECT_EQ(held_out.known().size(), 5U);
  EXPECT_EQ(held_out.tested(), 4U);
  EXPECT_EQ(held_out.known_articles(), 2U);
  EXPECT_EQ(split(3).buyers().size(), 3U);
}

TEST_F(HeldOutTest, BothPartsMustHavePurchases) {
  EXPECT_THAT(HeldOutPurchases::split(purchases(), day(6)).error().message, HasSubstr("no purchase after 2020-09-06"));
  EXPECT_THAT(HeldOutPurchases::split(purchases(), day(0)).error().message, HasSubstr("no purchase up to 2020-08-31"));
}

TEST_F(HeldOutTest, PopularityCountsPurchasesAndDecayPrefersRecentOnes) {
  const HeldOutPurchases held_out = split(4);
  // q: days 1, 1, 4; p: 2, 3, 3; r: 4. Equal counts go by id.
  EXPECT_THAT(texts(popular_articles(held_out)), ElementsAre("p", "q", "r"));
  // Half-life one day, at day 4: q 1/8 + 1/8 + 1 = 1.25; p 1/4 + 1/2 + 1/2 = 1.25; r 1.
  EXPECT_THAT(texts(popular_articles(held_out, 1)), ElementsAre("p", "q", "r"));
  // Half a day: q 2/64 + 1; p 1/16 + 2/4; r 1.
  EXPECT_THAT(texts(popular_articles(held_out, 0.5)), ElementsAre("q", "r", "p"));
}

TEST_F(HeldOutTest, OwnPurchasesComeLastFirstAndOnce) {
  const HeldOutPurchases held_out = split(3);
  const Buyer& ann = held_out.buyers()[0];
  const auto recommend = own_purchases_then({id("s"), id("q"), id("r")});
  EXPECT_THAT(texts(recommend(ann.customer, ann.history, 10).value()), ElementsAre("p", "q", "s", "r"));
  EXPECT_THAT(texts(recommend(ann.customer, ann.history, 3).value()), ElementsAre("p", "q", "s"));
  EXPECT_THAT(texts(recommend("new", {}, 2).value()), ElementsAre("s", "q"));
}

TEST_F(HeldOutTest, FiguresAreThoseComputedByHand) {
  const HeldOutPurchases held_out = split(3, 5);
  const std::vector<NamedRecommender> recommenders{{"popular", fixed_list({id("q"), id("p"), id("s")})},
                                                   {"perfect", [](std::string_view customer, auto, std::size_t) {
                                                      return core::Result<std::vector<ArticleId>>(
                                                          customer == "ann" ? std::vector{id("p"), id("r")} : std::vector{id("q")});
                                                    }}};
  const auto result = evaluate_recommenders(held_out, recommenders, 10, options_).value();
  EXPECT_EQ(result.buyers, (std::array<std::size_t, 3>{2, 1, 1}));
  const RecommenderFigures& popular = result.recommenders[0];
  // ann bought p and r: q p has precision 1/2 at rank 2, over 2: 1/4. cat bought q: 1.
  EXPECT_NEAR(popular.groups[0].means[0].mean, (0.25 + 1) / 2, 1e-12);
  EXPECT_NEAR(popular.groups[0].means[1].mean, (0.5 + 1) / 2, 1e-12);
  EXPECT_NEAR(popular.groups[0].means[2].mean, 0.5, 1e-12);
  EXPECT_NEAR(popular.groups[1].means[0].mean, 0.25, 1e-12);  // ann alone has a history
  EXPECT_EQ(popular.covered, 2U);                             // a list of two: s was never shown
  EXPECT_EQ(popular.groups[0].comparison.difference.mean, 0.0);
  const RecommenderFigures& perfect = result.recommenders[1];
  EXPECT_EQ(perfect.groups[0].means[0].mean, 1.0);
  EXPECT_NEAR(perfect.groups[0].comparison.difference.mean, 0.375, 1e-12);
  EXPECT_EQ(perfect.groups[0].comparison.wins, 1U);

  const std::string text = to_text(result);
  EXPECT_THAT(text, HasSubstr("all buyers: 2\n"));
  EXPECT_THAT(text, HasSubstr("buyers with a history: 1\n"));
  EXPECT_THAT(text, HasSubstr("popular: 2 (20.00 %)"));
  const auto json = boost::json::parse(to_json(result)).as_object();
  EXPECT_NEAR(json.at("recommenders").as_array()[0].at("all_buyers").at("measures").at("map@2").at("mean").as_double(), 0.625, 1e-12);
  const auto again = evaluate_recommenders(held_out, recommenders, 10, options_).value();
  EXPECT_EQ(to_json(again), to_json(result));
}

TEST_F(HeldOutTest, MistakesAreErrors) {
  const HeldOutPurchases held_out = split(3, 5);
  const std::vector<NamedRecommender> twice{{"a", fixed_list({})}, {"a", fixed_list({})}};
  EXPECT_THAT(evaluate_recommenders(held_out, twice, 10, options_).error().message, HasSubstr("two recommenders"));
  EXPECT_FALSE(evaluate_recommenders(held_out, {}, 10, options_));
  const std::vector<NamedRecommender> failing{{"a", [](std::string_view, auto, std::size_t) -> core::Result<std::vector<ArticleId>> {
                                                 return core::fail(core::ErrorCode::kUnavailable, "away");
                                               }}};
  EXPECT_EQ(evaluate_recommenders(held_out, failing, 10, options_).error().message, "a: customer ann: away");
  options_.measures = parse_measures("map@12:2").value();
  EXPECT_EQ(evaluate_recommenders(held_out, twice, 10, options_).error().field, "measures");
}

// The file's five days, 16–20 September: the first four known, the last judged. The figures were computed apart from this
// code, by a few lines of Python over the same file.
TEST(RealPurchases, BaselinesAreThoseComputedElsewhere) {
  const auto file = support::shared_dir() / "data" / "hm" / "transactions.parquet";
  SCALESTYLE_NEED(file);
  auto purchases = catalog::read_purchases(file, {}, {});
  ASSERT_TRUE(purchases) << purchases.error().message;
  EXPECT_EQ(purchases->purchases.size(), 175'315U);
  const auto held_out = HeldOutPurchases::split(std::move(*purchases), *catalog::parse_date("2020-09-19")).value();
  EXPECT_EQ(held_out.tested(), 31'489U);
  const auto decayed = popular_articles(held_out, 1.5);
  const std::vector<NamedRecommender> recommenders{{"popularity", fixed_list(popular_articles(held_out))},
                                                   {"decayed", fixed_list(decayed)},
                                                   {"own", own_purchases_then(decayed)}};
  const auto result = evaluate_recommenders(held_out, recommenders, 1, {.resamples = 100}).value();
  EXPECT_EQ(result.buyers, (std::array<std::size_t, 3>{9'384, 1'245, 8'139}));
  constexpr double kExpected[3][2][4] = {
      {{0.008362, 0.014357, 0.023126, 0.051790}, {0.010549, 0.016495, 0.029078, 0.048193}},
      {{0.009034, 0.014978, 0.023126, 0.051790}, {0.010359, 0.016400, 0.029078, 0.048193}},
      {{0.023714, 0.031996, 0.043172, 0.076939}, {0.121008, 0.144675, 0.180176, 0.237751}}};
  for (std::size_t recommender = 0; recommender < 3; ++recommender) {
    for (std::size_t group = 0; group < 2; ++group) {
      const auto& means = result.recommenders[recommender].groups[group].means;
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(means[i].mean, kExpected[recommender][group][i], 1e-6) << recommender << " " << group << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace scalestyle::evaluation
