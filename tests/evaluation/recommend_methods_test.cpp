#include "evaluation/recommend_methods.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "catalog/date.hpp"
#include "evaluation/blend_tuning.hpp"

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

// Articles a1 a2 (one product, section s), b1 (s), c1 c2 (one product, section t).
std::shared_ptr<const catalog::Catalog> small_catalog() {
  catalog::CatalogBuilder builder;
  for (const std::string name : {"a1", "a2", "b1", "c1", "c2"}) {
    catalog::Article article{.id = id(name)};
    article.product_code = name.substr(0, 1);
    article[catalog::Attribute::kSection] = name[0] == 'c' ? "t" : "s";
    EXPECT_TRUE(builder.add(article));
  }
  return std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
}

// ann bought a1, then b1; bob b1 and c1 together; cat c1 twice; ann, bob and dan buy on day 4.
catalog::Purchases purchases() {
  catalog::Purchases all;
  all.customers = {"ann", "bob", "cat", "dan"};
  all.articles = {id("c1"), id("b1"), id("a1"), id("a2"), id("x9")};
  all.purchases = {{0, 2, day(1)}, {2, 0, day(1)}, {0, 1, day(2)}, {1, 1, day(2)}, {1, 0, day(2)}, {2, 0, day(3)},
                   {0, 3, day(4)}, {0, 1, day(4)}, {1, 0, day(4)}, {3, 4, day(4)}};
  return all;
}

class MethodsTest : public testing::Test {
 protected:
  static PurchaseModelOptions options() {
    PurchaseModelOptions options;
    options.popularity_half_life_days = 1;
    options.neighbours.shrinkage = 0;
    return options;
  }
  std::vector<std::string> list(std::string_view name, std::string_view customer, bool show_own = true) const {
    MethodOptions methods;
    methods.show_own = show_own;
    for (const NamedRecommender& one : source_methods(models_, methods)) {
      if (one.name != name) continue;
      for (const Buyer& buyer : held_out_.buyers()) {
        if (buyer.customer == customer) return texts(one.recommend(customer, buyer.history, 12).value());
      }
    }
    return {"no such list"};
  }

  HeldOutPurchases held_out_ = HeldOutPurchases::split(purchases(), day(3)).value();
  std::shared_ptr<const PurchaseModels> models_ = PurchaseModels::make(held_out_, small_catalog(), options()).value();
};

TEST_F(MethodsTest, ModelsSayWhatThePurchasesDo) {
  // Day 3 is the last known: c1 1/4 + 1/2 + 1, b1 1/2 + 1/2, a1 1/4.
  ASSERT_EQ(models_->popular().size(), 3U);
  EXPECT_EQ(models_->popular()[0].row, small_catalog()->find(id("c1")));
  EXPECT_FLOAT_EQ(models_->popular()[0].score, 1.75F);
  EXPECT_FLOAT_EQ(models_->popular()[1].score, 1.0F);
  EXPECT_EQ(models_->known().size(), 6U);
  const auto items = models_->items_of(held_out_.buyers()[0].history);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].row, small_catalog()->find(id("b1")));
  EXPECT_EQ(items[0].age_days, 2.0F);  // bought on day 2, seen from day 4
  EXPECT_TRUE(items[0].bought);
  const auto sections = models_->sections_of(items);
  ASSERT_EQ(sections.size(), 2U);  // both of section s
  EXPECT_FLOAT_EQ(sections[0].score, 1.0F);
  const auto newest = PurchaseModels::make(held_out_, small_catalog(), {.ages_from_newest = true}).value();
  EXPECT_EQ(newest->items_of(held_out_.buyers()[0].history)[0].age_days, 1.0F);
}

TEST_F(MethodsTest, ListsAreOfTheirSources) {
  EXPECT_THAT(list("popularity of own sections", "ann"), ElementsAre("b1", "a1", "c1"));
  EXPECT_THAT(list("own purchases, popularity", "ann"), ElementsAre("b1", "a1", "c1"));
  EXPECT_THAT(list("own purchases, colours, popularity", "ann"), ElementsAre("b1", "a1", "a2", "c1"));
  EXPECT_THAT(list("bought together", "bob"), ElementsAre("a1"));  // of b1; b1 and c1 are bob's own
  EXPECT_THAT(list("own purchases, popularity", "dan"), ElementsAre("c1", "b1", "a1"));
  EXPECT_THAT(list("own purchases, popularity", "ann", false), ElementsAre("no such list"));
  EXPECT_THAT(list("blend", "ann", false), ElementsAre("a2", "c1"));
  EXPECT_THAT(list("blend", "dan"), ElementsAre("c1", "b1", "a1"));
  MethodOptions plain;
  plain.has_attributes = false;
  for (const NamedRecommender& one : source_methods(models_, plain)) EXPECT_EQ(one.name.find("colours"), std::string::npos);
}

TEST_F(MethodsTest, ACatalogueOfThePurchasesHasEachArticleAsAProduct) {
  const auto articles = catalog_of_purchases(held_out_).value();
  EXPECT_EQ(articles.size(), 5U);
  EXPECT_EQ(articles.product_count(), 5U);
}

TEST_F(MethodsTest, TuningFindsWeightsThatOrderBetter) {
  TuningOptions options;
  options.start.weights = {};
  options.start.weights[static_cast<std::size_t>(ranking::Source::kOwn)] = 0.2F;
  options.start.weights[static_cast<std::size_t>(ranking::Source::kVariant)] = 0.5F;
  options.start.weights[static_cast<std::size_t>(ranking::Source::kPopular)] = 1.0F;
  options.rounds = 8;
  const TuningSplit split{&held_out_, models_};
  const auto tuned = tune_blend(std::span(&split, 1), options).value();
  EXPECT_EQ(tuned.buyers, 2U);
  EXPECT_GT(tuned.map, tuned.start_map);
  EXPECT_EQ(std::ranges::max(tuned.best.weights), 1.0F);
  EXPECT_EQ(tuned.best.weights[static_cast<std::size_t>(ranking::Source::kNeighbour)], 0.0F);
  EXPECT_THAT(to_text(tuned), HasSubstr("2 buyers with a history"));
  // The figure is that of the evaluation.
  const NamedRecommender blend{"blend", blend_recommender(models_, tuned.best)};
  const auto judged = evaluate_recommenders(held_out_, std::span(&blend, 1), 5, {.resamples = 100}).value();
  EXPECT_NEAR(judged.recommenders[0].groups[static_cast<std::size_t>(BuyerGroup::kKnown)].means[0].mean, tuned.map, 1e-12);
  options.factors = {0};
  EXPECT_EQ(tune_blend(std::span(&split, 1), options).error().field, "factors");
}

TEST_F(MethodsTest, AlsShowsStrangersWhatIsPopular) {
  AlsOptions options;
  options.factors = 4;
  const auto als = als_recommender(models_, options, true).value();
  EXPECT_THAT(texts(als("dan", {}, 2).value()), ElementsAre("c1", "b1"));
  const auto own = texts(als("ann", held_out_.buyers()[0].history, 3).value());
  EXPECT_THAT(own, testing::UnorderedElementsAre("a1", "b1", "c1"));
  const auto others = als_recommender(models_, options, false).value();
  EXPECT_THAT(texts(others("ann", held_out_.buyers()[0].history, 3).value()), ElementsAre("c1"));
}

// Two groups of customers who buy two groups of items: the factors must tell them apart, and be the same every time.
TEST(ImplicitAls, TellsGroupsApart) {
  std::vector<BoughtItem> bought;
  for (std::uint32_t customer = 0; customer < 40; ++customer) {
    for (std::uint32_t item = 0; item < 10; ++item) {
      if ((customer + item) % 3 != 0) bought.push_back({customer, customer % 2 * 10 + item});
    }
  }
  AlsOptions options;
  options.factors = 8;
  const auto als = ImplicitAls::fit(bought, 40, 20, options).value();
  const auto scores = als.scores(std::vector<std::uint32_t>{0, 1});
  ASSERT_EQ(scores.size(), 20U);
  double own = 0;
  double others = 0;
  for (std::size_t item = 0; item < scores.size(); ++item) (item < 10 ? own : others) += std::abs(static_cast<double>(scores[item]));
  EXPECT_GT(own, 10 * others);
  EXPECT_TRUE(als.scores({}).empty());
  auto repeated = bought;
  repeated.insert(repeated.end(), bought.rbegin(), bought.rend());
  EXPECT_EQ(ImplicitAls::fit(repeated, 40, 20, options).value().scores(std::vector<std::uint32_t>{0, 1}), scores);
  EXPECT_EQ(ImplicitAls::fit({{40, 0}}, 40, 20, options).error().field, "bought");
  options.factors = 0;
  EXPECT_EQ(ImplicitAls::fit(bought, 40, 20, options).error().field, "factors");
}

}  // namespace
}  // namespace scalestyle::evaluation
