// What is shown to be learned of, and the settings of recommendations.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "search/exploration.hpp"
#include "search/recommendation_fixture.hpp"

namespace scalestyle::search {
namespace {

using ranking::Source;
using testing::HasSubstr;

std::vector<catalog::RowIndex> rows_below(std::uint32_t count) {
  std::vector<catalog::RowIndex> rows;
  for (std::uint32_t i = 0; i < count; ++i) rows.push_back({i});
  return rows;
}

TEST(Exploration, TheShareOfAnswersIsTheRate) {
  for (const double rate : {0.05, 0.3, 1.0}) {
    const ExplorationOptions options{.rate = rate, .positions = {3}};
    int explored = 0;
    constexpr int kRequests = 4'000;
    for (int i = 0; i < kRequests; ++i) explored += explores(options, "request " + std::to_string(i)) ? 1 : 0;
    const double deviation = std::sqrt(rate * (1 - rate) * kRequests);
    EXPECT_NEAR(explored, rate * kRequests, 4 * deviation + 1e-9) << rate;
  }
  EXPECT_FALSE(explores({.rate = 0}, "request"));
  EXPECT_FALSE(explores({.rate = 1}, ""));  // what cannot be noted is not tried out
}

TEST(Exploration, EveryArticleOfThePoolHasTheChanceThatIsTold) {
  const ExplorationOptions options{.rate = 0.5, .positions = {2, 7}};
  constexpr std::uint32_t kPool = 8;
  constexpr int kRequests = 4'000;
  std::map<std::size_t, std::map<std::uint32_t, int>> shown;
  for (int i = 0; i < kRequests; ++i) {
    const std::string id = "request " + std::to_string(i);
    if (!explores(options, id)) continue;
    const auto drawn = draw(options, id, rows_below(kPool), 10);
    ASSERT_EQ(drawn.size(), 2U);
    EXPECT_NE(drawn[0].row.value, drawn[1].row.value);
    for (const ExploredRow& one : drawn) {
      EXPECT_EQ(one.probability, 0.5 / kPool);
      ++shown[one.position][one.row.value];
    }
  }
  const double expected = kRequests * 0.5 / kPool;
  for (const std::size_t position : {2U, 7U}) {
    double squares = 0;
    for (std::uint32_t row = 0; row < kPool; ++row) squares += std::pow(shown[position][row] - expected, 2) / expected;
    EXPECT_LT(squares, 26.0) << position;  // chi-square of eight cells: beyond this once in a thousand and rarer
  }
}

TEST(Exploration, APositionBeyondThePageIsNotDrawnFor) {
  const ExplorationOptions options{.rate = 1, .positions = {2, 7, 12}};
  EXPECT_EQ(draw(options, "r", rows_below(9), 10).size(), 2U);
  EXPECT_EQ(draw(options, "r", rows_below(1), 10).size(), 1U);
  EXPECT_TRUE(draw(options, "r", {}, 10).empty());
}

class ExplorationTest : public RecommendationFixture {
 protected:
  static SearchOptions exploring() {
    SearchOptions options = weighing("own=1,variant=0.5");
    options.recommendation.exploration = {.rate = 1, .positions = {1, 3}};
    return options;
  }
  static ForYouRequest numbered(const std::string& id, std::size_t k = 10) {
    auto wanted = for_you("u");
    wanted.request_id = core::RequestId(id);
    wanted.k = k;
    return wanted;
  }
};

TEST_F(ExplorationTest, NewAndRareArticlesStandAtTheirPlacesAndAreNoted) {
  touched("u", {{12, events::EventType::kPurchase}, {40, events::EventType::kClick}, {30, events::EventType::kClick}});
  auto& service = recommend(exploring());
  const auto outcome = run(service, numbered("r-1"));
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->items.size(), 5U);  // three of their own, two drawn
  for (std::size_t i = 0; i < outcome->items.size(); ++i) {
    const AnswerItem& item = outcome->items[i];
    ASSERT_EQ(item.exploration.has_value(), i == 0 || i == 2) << i;
    if (!item.exploration) continue;
    EXPECT_EQ(*item.exploration, 1.0 / 17);  // one of the products that nothing else brought
    EXPECT_TRUE(item.pinned_by.empty());
    EXPECT_EQ(item.reason, "Among the newest articles.");
  }
  const auto noted = impressions_.impressions();
  ASSERT_EQ(noted.size(), 1U);
  ASSERT_EQ(noted[0].items.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(noted[0].items[i].probability, outcome->items[i].exploration);
  EXPECT_EQ(ids(run(service, numbered("r-1"))), ids(outcome));
  std::set<std::string> drawn;
  for (int i = 0; i < 20; ++i) drawn.insert(ids(run(service, numbered("r-" + std::to_string(i))))[0]);
  EXPECT_GT(drawn.size(), 5U);
  EXPECT_FALSE(run(service, for_you("u"))->items[0].exploration);  // without an id
}

TEST_F(ExplorationTest, TheNextPageLosesNothing) {
  touched("u", {{12, events::EventType::kPurchase}, {40, events::EventType::kClick}, {30, events::EventType::kClick}});
  auto& service = recommend(exploring());
  auto wanted = numbered("r-1", 3);
  const auto first = run(service, wanted);
  ASSERT_EQ(first->items.size(), 3U);
  wanted.cursor = first->cursor;
  wanted.request_id = core::RequestId("r-2");
  const auto second = run(service, wanted);
  ASSERT_EQ(second->items.size(), 2U);
  std::set<int> products;
  for (const auto* page : {&first, &second}) {
    for (const AnswerItem& item : (*page)->items) EXPECT_TRUE(products.insert(product_of(number_of(item.article.id()))).second);
  }
  for (const int own : {12, 40, 30}) EXPECT_TRUE(products.contains(product_of(own)));
  for (const AnswerItem& item : second->items) EXPECT_FALSE(item.exploration);
}

TEST(RecommendationOptions, WeightsAreReadAndCheckedByName) {
  const auto defaults = ranking::ForYouOptions::default_weights();
  const auto read = [&](std::string_view text) { return parse_source_weights(text, "for_you_weights", defaults); };
  EXPECT_EQ(read("").value(), defaults);
  const auto changed = read("own=2, popular = 0.25").value();
  EXPECT_EQ(changed[static_cast<std::size_t>(Source::kOwn)], 2.0F);
  EXPECT_EQ(changed[static_cast<std::size_t>(Source::kPopular)], 0.25F);
  EXPECT_EQ(changed[static_cast<std::size_t>(Source::kVariant)], defaults[static_cast<std::size_t>(Source::kVariant)]);
  for (const char* text : {"own", "own=", "own=x", "own=-1", "own=1001", "own=nan", "own=1,own=2", "own=1,", "ownn=1"}) {
    const auto fault = read(text);
    ASSERT_FALSE(fault) << text;
    EXPECT_EQ(fault.error().field, "for_you_weights");
    EXPECT_EQ(fault.error().code, core::ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(read("varient=1").error().message, HasSubstr("\"variant\""));
  EXPECT_FALSE(parse_source_weights("own=0", "for_you_weights", {}));  // nothing is left
}

TEST(RecommendationOptions, LimitsAreChecked) {
  const auto field_of = [](auto change) {
    RecommendationOptions options;
    change(options);
    const auto valid = options.validate();
    return valid ? std::string() : valid.error().field;
  };
  EXPECT_EQ(field_of([](RecommendationOptions&) {}), "");
  EXPECT_EQ(field_of([](auto& o) { o.exploration.rate = 1.5; }), "exploration_rate");
  EXPECT_EQ(field_of([](auto& o) { o.exploration.positions = {}; }), "exploration_positions");
  EXPECT_EQ(field_of([](auto& o) { o.exploration.positions = {3, 3}; }), "exploration_positions");
  EXPECT_EQ(field_of([](auto& o) { o.exploration.positions = {0}; }), "exploration_positions");
  EXPECT_EQ(field_of([](auto& o) { o.item_half_life_days = 0; }), "for_you_item_half_life_days");
  EXPECT_EQ(field_of([](auto& o) { o.similar_weights[static_cast<std::size_t>(Source::kOwn)] = 1; }), "similar_weights");
  EXPECT_EQ(field_of([](auto& o) { o.for_you_weights = {}; }), "for_you_weights");
  EXPECT_EQ(parse_exploration_positions("2, 5,9").value(), (std::vector<std::size_t>{2, 5, 9}));
  EXPECT_EQ(parse_exploration_positions("2,x").error().field, "exploration_positions");
}

}  // namespace
}  // namespace scalestyle::search
