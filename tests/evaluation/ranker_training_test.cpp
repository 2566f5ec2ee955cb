#include "evaluation/ranker_training.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>

#include "catalog/date.hpp"
#include "evaluation/ranker_day.hpp"

namespace scalestyle::evaluation {
namespace {

using catalog::ArticleId;
using std::chrono::days;
using std::chrono::sys_days;
using testing::HasSubstr;

constexpr std::size_t kArticles = 60;
constexpr std::size_t kCustomers = 120;

sys_days day(int number) { return *catalog::parse_date("2020-09-01") + days(number - 1); }
ArticleId id(std::size_t number) { return ArticleId::parse(std::to_string(number + 1)).value(); }

// Products of three colours, in two sections.
std::shared_ptr<const catalog::Catalog> articles() {
  catalog::CatalogBuilder builder;
  for (std::size_t i = 0; i < kArticles; ++i) {
    catalog::Article article{.id = id(i)};
    article.product_code = std::to_string(i / 3);
    article[catalog::Attribute::kSection] = i < kArticles / 2 ? "ladies" : "men";
    article.price = 10 + static_cast<double>(i);
    EXPECT_TRUE(builder.add(article).has_value());
  }
  return std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
}

// Six days. Who bought yesterday buys the next colour of the same product today; others buy anything.
catalog::Purchases purchases() {
  std::mt19937 random(5);
  catalog::Purchases all;
  for (std::size_t i = 0; i < kArticles; ++i) all.articles.push_back(id(i));
  for (std::size_t i = 0; i < kCustomers; ++i) all.customers.push_back("customer-" + std::to_string(i));
  std::vector<std::uint32_t> last(kCustomers, UINT32_MAX);
  for (int number = 1; number <= 6; ++number) {
    for (std::uint32_t customer = 0; customer < kCustomers; ++customer) {
      if (random() % 2 == 0) continue;
      std::uint32_t& article = last[customer];
      article = article == UINT32_MAX ? static_cast<std::uint32_t>(random() % kArticles) : article / 3 * 3 + (article + 1) % 3;
      all.purchases.push_back({customer, article, day(number)});
    }
  }
  return all;
}

RankerTrainingOptions training() {
  RankerTrainingOptions options;
  options.first_day = day(2);
  options.last_day = day(4);
  options.boosting.max_trees = 15;
  options.boosting.max_depth = 3;
  options.boosting.learning_rate = 0.3;
  options.negatives = 20;
  options.resamples = 500;
  return options;
}

bool equal(const AskedList& a, const AskedList& b) {
  const auto same_popularity = [](const ranking::CandidatePopularity& one, const ranking::CandidatePopularity& other) {
    return one.day == other.day && one.week == other.week && one.decayed == other.decayed;
  };
  return a.candidates.rows == b.candidates.rows && a.candidates.scores == b.candidates.scores && a.items.size() == b.items.size() &&
         std::ranges::equal(a.popularity, b.popularity, same_popularity);
}

TEST(RankerDayTest, WhatIsBoughtOnTheDayAndLaterIsNotKnown) {
  const auto all = purchases();
  auto until = all;
  std::erase_if(until.purchases, [](const catalog::Purchase& one) { return one.day > day(4); });
  auto other = all;
  for (catalog::Purchase& one : other.purchases) {
    if (one.day >= day(4)) one.article = (one.article + 7) % kArticles;
  }
  const auto made = [](const catalog::Purchases& some) {
    return RankerDay::make(some, articles(), day(4), PurchaseModelOptions(), ranking::ForYouOptions()).value();
  };
  auto whole = made(all);
  auto cut = made(until);
  auto changed = made(other);
  ASSERT_EQ(whole.buyers().size(), cut.buyers().size());
  ASSERT_EQ(whole.buyers().size(), changed.buyers().size());
  for (std::size_t i = 0; i < whole.buyers().size(); ++i) {
    const auto list = whole.ask(whole.buyers()[i]);
    EXPECT_TRUE(equal(*list, *cut.ask(cut.buyers()[i])));
    EXPECT_TRUE(equal(*list, *changed.ask(changed.buyers()[i])));
    EXPECT_EQ(list->items.empty(), whole.buyers()[i].history.empty());
  }
  EXPECT_EQ(whole.known_purchases(), changed.known_purchases());
}

TEST(RankerDayTest, CountsPurchasesOfItemsAndWindows) {
  catalog::Purchases few;
  few.articles = {id(0), id(1)};
  few.customers = {"ann", "bob"};
  few.purchases = {{0, 0, day(1)}, {0, 0, day(8)}, {1, 1, day(8)}, {0, 0, day(9)}, {0, 1, day(10)}, {1, 1, day(10)}};
  auto asked = RankerDay::make(few, articles(), day(10), PurchaseModelOptions(), ranking::ForYouOptions()).value();
  const auto ann = asked.ask(asked.buyers()[0]);
  ASSERT_EQ(ann->items.size(), 1U);
  EXPECT_EQ(ann->items[0].times, 3U);
  EXPECT_EQ(ann->items[0].age_days, 1);
  const auto place = std::ranges::find(ann->candidates.rows, catalog::RowIndex{0}) - ann->candidates.rows.begin();
  const ranking::CandidatePopularity& popularity = ann->popularity[static_cast<std::size_t>(place)];
  EXPECT_EQ(popularity.day, 5);    // the 9th
  EXPECT_EQ(popularity.week, 10);  // the 8th and the 9th; the 1st lies nine days back
  EXPECT_GT(popularity.decayed, 5);
}

TEST(RankerTrainingOptionsTest, NamesWhatIsWrong) {
  const auto field = [](const auto& change) {
    auto options = training();
    change(options);
    const auto valid = options.validate();
    return valid ? std::string() : valid.error().field;
  };
  EXPECT_EQ(field([](RankerTrainingOptions&) {}), "");
  EXPECT_EQ(field([](RankerTrainingOptions& options) { options.first_day = day(5); }), "train_until");
  EXPECT_EQ(field([](RankerTrainingOptions& options) { options.last_day = day(500); }), "train_days");
  EXPECT_EQ(field([](RankerTrainingOptions& options) { options.negatives = 1; }), "negatives");
  EXPECT_EQ(field([](RankerTrainingOptions& options) { options.resamples = 1; }), "resamples");
  EXPECT_EQ(field([](RankerTrainingOptions& options) { options.boosting.max_trees = 0; }), "max_trees");
}

class TrainRankerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_learn_trees()) GTEST_SKIP() << "this build has no xgboost";
  }
};

TEST_F(TrainRankerTest, LearnsWhatTheBlendDoesNotKnow) {
  const auto trained = train_ranker(purchases(), articles(), training());
  ASSERT_TRUE(trained.has_value()) << trained.error().message;
  const RankerReport& report = trained->report;
  const auto& all = report.groups[static_cast<std::size_t>(RankedGroup::kAll)];
  const auto& known = report.groups[static_cast<std::size_t>(RankedGroup::kKnown)];
  const auto& cold = report.groups[static_cast<std::size_t>(RankedGroup::kCold)];
  EXPECT_EQ(all.buyers, known.buyers + cold.buyers);
  EXPECT_GT(known.map.learned.mean, known.map.blend.mean);  // the other colour, not the same article
  EXPECT_EQ(cold.map.learned.mean, cold.map.blend.mean);
  EXPECT_EQ(report.verdict.low, all.map.difference.difference.low);
  EXPECT_EQ(report.verdict, trained->ranker.verdict);
  EXPECT_TRUE(report.verdict.beats_blend());
  EXPECT_LE(report.largest_difference, 1e-5);
  EXPECT_EQ(report.id, trained->ranker.id);
  EXPECT_TRUE(ranking::check_ranker_id(report.id).has_value());
  EXPECT_THAT(report.id, testing::StartsWith("2020-09-06-"));
  EXPECT_EQ(report.lists > 0 && report.right >= report.lists && report.rows > report.right, true);

  const auto json = boost::json::parse(to_json(report)).as_object();
  EXPECT_EQ(json.at("days").at("judged").as_string(), "2020-09-06");
  EXPECT_EQ(json.at("beats_blend").as_bool(), true);
  EXPECT_EQ(json.at("buyers").at("known").at("buyers").to_number<std::size_t>(), known.buyers);
  EXPECT_EQ(json.at("gains").as_object().size(), ranking::kRankerFeatureCount);
  EXPECT_THAT(to_text(report), HasSubstr("learned from 2020-09-02 … 2020-09-04"));
  EXPECT_THAT(to_text(report), HasSubstr("it beats the blend"));
}

TEST_F(TrainRankerTest, TheSameInputGivesTheSameRankerAndTheJudgedDayTeachesNothing) {
  const auto once = train_ranker(purchases(), articles(), training());
  const auto again = train_ranker(purchases(), articles(), training());
  ASSERT_TRUE(once.has_value() && again.has_value());
  EXPECT_EQ(ranking::encode_ranker(once->ranker), ranking::encode_ranker(again->ranker));
  EXPECT_EQ(to_json(once->report), to_json(again->report));
  auto other = purchases();
  for (catalog::Purchase& one : other.purchases) {
    if (one.day == day(6)) one.article = (one.article + 11) % kArticles;
  }
  const auto changed = train_ranker(other, articles(), training());
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->ranker.trees.encode(), once->ranker.trees.encode());
  EXPECT_FALSE(changed->report.verdict == once->report.verdict);
}

TEST_F(TrainRankerTest, SaysWhichDayHasNoPurchases) {
  auto options = training();
  options.last_day = day(7);
  EXPECT_THAT(train_ranker(purchases(), articles(), options).error().message, HasSubstr("2020-09-06"));
  options = training();
  options.first_day = day(1);
  EXPECT_THAT(train_ranker(purchases(), articles(), options).error().message, HasSubstr("up to 2020-08-31"));
}

}  // namespace
}  // namespace scalestyle::evaluation
