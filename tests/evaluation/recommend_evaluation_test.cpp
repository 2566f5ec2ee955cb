#include "evaluation/recommend_evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

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

TEST_F(HeldOutTest, TwoFilesAreOneSplit) {
  catalog::Purchases known;
  known.customers = {"ann", "bob"};
  known.articles = {id("q"), id("p")};
  known.purchases = {{0, 0, day(1)}, {1, 1, day(3)}};
  catalog::Purchases tested;
  tested.customers = {"dan", "ann"};
  tested.articles = {id("r"), id("q")};
  tested.purchases = {{1, 0, day(4)}, {0, 1, day(5)}};
  const auto joined = HeldOutPurchases::join(known, tested).value();
  ASSERT_EQ(joined.buyers().size(), 2U);
  EXPECT_EQ(joined.buyers()[0].customer, "ann");
  EXPECT_EQ(joined.buyers()[0].history[0].article->text(), "q");
  EXPECT_EQ(joined.buyers()[0].bought, (Grades{{id("r"), 1}}));
  EXPECT_EQ(joined.buyers()[1].bought, (Grades{{id("q"), 1}}));
  EXPECT_EQ(joined.last_known(), day(3));
  tested.purchases.insert(tested.purchases.begin(), {0, 0, day(3)});
  EXPECT_THAT(HeldOutPurchases::join(known, tested).error().message, HasSubstr("must come after"));
}

TEST_F(HeldOutTest, TheLastDayOfEachCustomerIsHidden) {
  const auto held_out = HeldOutPurchases::hide_last_days(purchases()).value();
  // ann: days 1, 2, 3 known, 5 hidden (4 is known too); bob: day 1 known, 6 hidden; cat and dan bought on one day.
  ASSERT_EQ(held_out.buyers().size(), 2U);
  EXPECT_EQ(held_out.buyers()[0].history.size(), 4U);
  EXPECT_EQ(held_out.buyers()[0].bought, (Grades{{id("p"), 1}, {id("r"), 1}}));
  EXPECT_EQ(held_out.buyers()[1].bought, (Grades{{id("s"), 1}}));
  EXPECT_EQ(held_out.known().size(), 7U);
  EXPECT_EQ(held_out.tested(), 3U);
  EXPECT_EQ(held_out.last_known(), day(4));
  auto single = purchases();
  std::erase_if(single.purchases, [](const catalog::Purchase& one) { return one.day != day(1); });
  EXPECT_FALSE(HeldOutPurchases::hide_last_days(std::move(single)));
}

TEST_F(HeldOutTest, OneArticleOfEachBasketIsHidden) {
  bool saw_p = false;
  bool saw_r = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto baskets = split(3, 5).hide_one_of_each_basket(seed).value();  // only ann's of day 5 has two articles
    ASSERT_EQ(baskets.buyers().size(), 1U);
    const Buyer& ann = baskets.buyers()[0];
    ASSERT_EQ(ann.history.size(), 1U);
    ASSERT_EQ(ann.bought.size(), 1U);
    const bool hides_p = ann.bought.contains(id("p"));
    EXPECT_EQ(ann.history[0].article->text(), hides_p ? "r" : "p");
    saw_p = saw_p || hides_p;
    saw_r = saw_r || !hides_p;
    EXPECT_EQ(split(3, 5).hide_one_of_each_basket(seed).value().buyers()[0].bought, ann.bought);
    EXPECT_EQ(baskets.known().size(), 5U);
  }
  EXPECT_TRUE(saw_p && saw_r);
  EXPECT_FALSE(split(5).hide_one_of_each_basket(1));
}

TEST_F(HeldOutTest, SeveralSplitsAreJudgedTogether) {
  const HeldOutPurchases first = split(3, 4);
  const HeldOutPurchases second = split(4, 5);
  const auto perfect = [](const HeldOutPurchases& held_out) {
    return NamedRecommender{"perfect", [&held_out](std::string_view customer, auto, std::size_t) {
                              std::vector<ArticleId> list;
                              for (const Buyer& buyer : held_out.buyers()) {
                                if (buyer.customer == customer) {
                                  for (const auto& [article, grade] : buyer.bought) list.push_back(article);
                                }
                              }
                              return core::Result<std::vector<ArticleId>>(list);
                            }};
  };
  const NamedRecommender popular{"popular", fixed_list({id("q")})};
  const std::vector<RecommendSplit> splits{{"day 4", &first, {popular, perfect(first)}}, {"day 5", &second, {popular, perfect(second)}}};
  options_.against = "perfect";
  const auto result = evaluate_recommenders(splits, 4, options_).value();
  EXPECT_EQ(result.buyers, (std::array<std::size_t, 3>{3, 2, 1}));  // ann and cat, then ann
  EXPECT_EQ(result.known_purchases, 5U + 7U);
  EXPECT_EQ(result.recommenders[1].groups[0].means[0].mean, 1.0);
  ASSERT_EQ(result.recommenders[0].by_split.size(), 2U);
  EXPECT_NEAR(result.recommenders[0].by_split[0][0], 0.5, 1e-12);
  EXPECT_EQ(result.recommenders[0].by_split[1][0], 0.0);
  EXPECT_NEAR(result.recommenders[0].groups[0].comparison.difference.mean, 1.0 / 3 - 1, 1e-12);
  // q was bought twice of 5 purchases, then thrice of 7, four articles, each once more.
  EXPECT_NEAR(result.recommenders[0].novelty_bits, (2 * std::log2(9.0 / 3) + std::log2(11.0 / 4)) / 3, 1e-12);
  EXPECT_THAT(to_text(result), HasSubstr("day 5"));
  const auto json = boost::json::parse(to_json(result)).as_object();
  EXPECT_EQ(json.at("recommenders").as_array()[0].at("splits").as_array().size(), 2U);
  options_.against = "nobody";
  EXPECT_EQ(evaluate_recommenders(splits, 4, options_).error().field, "against");
  options_.against = {};
  const std::vector<RecommendSplit> uneven{splits[0], {"day 5", &second, {popular}}};
  EXPECT_THAT(evaluate_recommenders(uneven, 4, options_).error().message, HasSubstr("other recommenders"));
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
