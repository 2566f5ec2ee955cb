#include "ranking/behavior_boost.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "ranking/boost_candidates.hpp"

namespace scalestyle::ranking {
namespace {

using testing::ElementsAre;

struct Applied {
  BoostedList list;
  std::vector<BoostParts> parts;
};

Applied boosted(const BehaviorBoostOptions& options, const BoostCandidates& candidates) {
  const BehaviorBoost boost(options);
  Applied applied;
  boost.apply(candidates, applied.list);
  for (std::size_t i = 0; i < candidates.rows.size(); ++i) {
    applied.parts.push_back(boost.explain(candidates, applied.list, i));
    EXPECT_EQ(applied.list.scores[i], candidates.base_scores[i] * applied.parts[i].factor) << i;
  }
  return applied;
}

Applied boosted(const BehaviorBoostOptions& options, const std::vector<TestCandidate>& candidates) {
  const TestCandidates owner(candidates);
  return boosted(options, owner.view());
}

BehaviorBoostOptions without_floor() { return {.popularity_floor = 0}; }

TEST(BehaviorBoost, ARecentClickAloneGivesExactlyItsFactor) {
  const auto applied = boosted({}, {{.base = 0.25, .recent_click = true}, {.base = 0.25}});
  EXPECT_EQ(applied.list.scores[0], 0.375);
  EXPECT_EQ(applied.list.scores[1], 0.25);
  EXPECT_EQ(applied.parts[0].factor, 1.5);
  EXPECT_EQ(applied.parts[0].reason, BoostReason::kRecentClick);
  EXPECT_EQ(applied.parts[1].reason, BoostReason::kNone);
}

TEST(BehaviorBoost, TheCapBindsWithRaisedFactors) {
  EXPECT_EQ(boosted({.recent_click_factor = 5, .cap = 2}, {{.base = 10, .recent_click = true}}).list.scores[0], 20);
  EXPECT_EQ(boosted({.recent_click_factor = 1.5, .cap = 3}, {{.base = 10, .recent_click = true}}).list.scores[0], 15);
  EXPECT_EQ(boosted({.category_weight = 3, .cap = 2.5}, {{.base = 10, .affinity = 1e9}}).list.scores[0], 25);
  const std::vector<TestCandidate> clicked{{.base = 1, .recent_click = true}};
  EXPECT_EQ(boosted({.recent_click_factor = 10, .cap = 3}, clicked).list.scores[0], 3);
  EXPECT_EQ(boosted({.recent_click_factor = 10, .cap = 5}, clicked).list.scores[0], 5);
  // The parts are shown as they are, what acted is capped.
  const auto applied = boosted({.recent_click_factor = 4, .category_weight = 1}, {{.base = 1, .recent_click = true, .affinity = 3}});
  EXPECT_EQ(applied.parts[0].recent_click, 4);
  EXPECT_EQ(applied.parts[0].category_affinity, 1.75);
  EXPECT_EQ(applied.parts[0].factor, 3);
}

TEST(BehaviorBoost, TheDefaultsReachButDoNotPass243) {
  const auto applied = boosted({}, {{.base = 1, .recent_click = true, .affinity = std::numeric_limits<double>::infinity(), .sums = {1e6, 1e6, 1e6}}});
  EXPECT_NEAR(applied.list.scores[0], 2.43, 1e-12);
}

TEST(BehaviorBoost, AffinityAfterHalfLives) {
  // 4 now, 2 after one half-life, 1 after two: 1 + 0.2 · a/(a+1).
  const auto applied = boosted({}, {{.base = 1, .affinity = 4}, {.base = 1, .affinity = 2}, {.base = 1, .affinity = 1}, {.base = 1}});
  EXPECT_NEAR(applied.list.scores[0], 1.16, 1e-15);
  EXPECT_NEAR(applied.list.scores[1], 1 + 0.4 / 3, 1e-15);
  EXPECT_NEAR(applied.list.scores[2], 1.1, 1e-15);
  EXPECT_EQ(applied.list.scores[3], 1);
  EXPECT_THAT(applied.list.order, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(applied.parts[0].reason, BoostReason::kCategoryAffinity);
}

TEST(BehaviorBoost, PopularityOfTheCandidatesThemselves) {
  // The published example of the formula without a floor.
  const auto applied = boosted(without_floor(), {{.base = 1, .sums = {12, 20, 25}}, {.base = 1, .sums = {0, 1, 40}}});
  EXPECT_NEAR(applied.parts[0].online_popularity, 1.3438674, 5e-8);
  EXPECT_NEAR(applied.parts[1].online_popularity, 1.0727670, 5e-8);
  EXPECT_EQ(applied.parts[0].reason, BoostReason::kOnlinePopularity);
  EXPECT_EQ(applied.parts[1].reason, BoostReason::kOnlinePopularity);
  // A click on what everybody looks at: 1.5 × 1.35.
  const auto both = boosted(without_floor(), {{.base = 1, .recent_click = true, .sums = {7, 7, 7}}});
  EXPECT_NEAR(both.parts[0].factor, 2.025, 1e-12);
  EXPECT_EQ(both.parts[0].reason, BoostReason::kRecentClick);
}

TEST(BehaviorBoost, HotInEveryWindowOutranksASevenDaySignal) {
  const auto applied = boosted({}, {{.base = 0.5, .sums = {0, 0, 30}}, {.base = 0.5, .sums = {10, 20, 30}}});
  EXPECT_THAT(applied.list.order, ElementsAre(1, 0));
  EXPECT_GT(applied.parts[0].online_popularity, 1);
}

TEST(BehaviorBoost, TheFloorKeepsALukewarmArticleFromTheWholeBudget) {
  const auto one_click = boosted({}, {{.base = 1, .sums = {1, 1, 1}}, {.base = 1}});
  EXPECT_NEAR(one_click.list.scores[0], 1 + 0.35 * std::log(2.0) / std::log(51.0), 1e-12);
  const auto without = boosted(without_floor(), {{.base = 1, .sums = {1, 1, 1}}, {.base = 1}});
  EXPECT_NEAR(without.list.scores[0], 1.35, 1e-12);
  const auto above = boosted({}, {{.base = 1, .sums = {100, 0, 0}}, {.base = 1, .sums = {10, 0, 0}}});
  EXPECT_NEAR(above.list.scores[0], 1.2, 1e-12);
  EXPECT_NEAR(above.list.scores[1], 1 + 0.2 * std::log(11.0) / std::log(101.0), 1e-12);
}

TEST(BehaviorBoost, WithoutAnySignalEveryBitStays) {
  std::mt19937_64 random(7);
  std::vector<TestCandidate> candidates;
  for (int i = 0; i < 500; ++i) {
    candidates.push_back({.base = std::uniform_real_distribution<double>(1e-300, 1)(random)});
  }
  const TestCandidates owner(candidates);
  for (const auto& options : {BehaviorBoostOptions{}, without_floor()}) {
    for (const bool empty_spans : {false, true}) {
      const BoostCandidates view = empty_spans ? BoostCandidates{.rows = owner.rows, .base_scores = owner.base_scores} : owner.view();
      const auto applied = boosted(options, view);
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(applied.list.scores[i]), std::bit_cast<std::uint64_t>(candidates[i].base));
        ASSERT_EQ(applied.parts[i].reason, BoostReason::kNone);
      }
    }
  }
}

TEST(BehaviorBoost, SpansMayBeMissingOneByOne) {
  const TestCandidates owner({{.base = 0.5, .recent_click = true, .affinity = 1, .sums = {60, 60, 60}}, {.base = 0.5}});
  BoostCandidates view = owner.view();
  view.window_logs[1] = {};
  const auto applied = boosted({}, view);
  EXPECT_NEAR(applied.list.scores[0], 0.5 * 1.5 * 1.1 * 1.25, 1e-12);
  EXPECT_EQ(applied.list.scores[1], 0.5);
}

TEST(BehaviorBoost, AffinitiesThatAreNoNumbersCountAsNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto applied = boosted({}, {{.base = 0.5, .affinity = nan}, {.base = 0.5, .affinity = -3}});
  EXPECT_EQ(applied.list.scores[0], 0.5);
  EXPECT_EQ(applied.list.scores[1], 0.5);
}

// The formula as the header writes it, in another order and precision.
TEST(BehaviorBoost, AgreesWithTheFormulaAndNeverDemotes) {
  std::mt19937_64 random(20);
  std::uniform_real_distribution<double> unit(0, 1);
  for (const std::size_t count : {1U, 2U, 3U, 5U, 100U, 1000U}) {
    std::vector<TestCandidate> candidates(count);
    for (auto& candidate : candidates) {
      candidate.base = std::nextafter(unit(random), 2);
      candidate.recent_click = random() % 4 == 0;
      candidate.affinity = random() % 2 == 0 ? 0 : 20 * unit(random);
      for (double& sum : candidate.sums) sum = random() % 3 == 0 ? 0 : 1000 * unit(random);
    }
    BehaviorBoostOptions options;
    options.cap = 1 + 2 * unit(random);
    const auto applied = boosted(options, candidates);
    std::array<long double, kBoostWindows> greatest{50, 50, 50};
    for (const auto& candidate : candidates) {
      for (std::size_t w = 0; w < kBoostWindows; ++w) greatest[w] = std::max<long double>(greatest[w], candidate.sums[w]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto& candidate = candidates[i];
      long double popularity = 1;
      for (std::size_t w = 0; w < kBoostWindows; ++w) {
        popularity += options.popularity_weights[w] * std::log(1 + static_cast<long double>(candidate.sums[w])) / std::log(1 + greatest[w]);
      }
      long double factor = popularity * (candidate.recent_click ? 1.5L : 1.0L);
      factor *= 1 + 0.2L * candidate.affinity / (candidate.affinity + 1.0L);
      const long double expected = candidate.base * std::min<long double>(factor, options.cap);
      EXPECT_NEAR(static_cast<double>(expected), applied.list.scores[i], 1e-13);
      EXPECT_GE(applied.list.scores[i], candidate.base);
    }
    ASSERT_EQ(applied.list.order.size(), count);
    for (std::size_t i = 1; i < count; ++i) {
      EXPECT_GE(applied.list.scores[applied.list.order[i - 1]], applied.list.scores[applied.list.order[i]]);
    }
  }
}

TEST(BehaviorBoost, AListIsFilledAnew) {
  const BehaviorBoost boost({});
  const TestCandidates many({{.base = 0.1}, {.base = 0.9, .recent_click = true}, {.base = 0.5}});
  const TestCandidates one(std::vector<TestCandidate>{{.base = 0.3}});
  BoostedList list;
  boost.apply(many.view(), list);
  EXPECT_THAT(list.order, ElementsAre(1, 2, 0));
  boost.apply(one.view(), list);
  EXPECT_THAT(list.scores, ElementsAre(0.3));
  EXPECT_THAT(list.order, ElementsAre(0));
  boost.apply({}, list);
  EXPECT_TRUE(list.order.empty());
}

TEST(OrderByScore, IsTotalWhateverTheOrderOfInput) {
  std::mt19937 random(3);
  for (const std::size_t count : {0U, 1U, 2U, 63U, 64U, 65U, 257U, 1000U, 5000U}) {
    std::vector<double> scores(count);
    std::vector<catalog::RowIndex> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
      rows[i].value = static_cast<std::uint32_t>(i * 7 + 1);
      scores[i] = random() % 3 == 0 ? 0.5 : std::uniform_real_distribution<double>(1e-9, 3)(random);
    }
    std::ranges::shuffle(rows, random);
    std::vector<std::uint32_t> order;
    order_by_score(scores, rows, order);
    std::vector<std::uint32_t> expected(count);
    for (std::size_t i = 0; i < count; ++i) expected[i] = static_cast<std::uint32_t>(i);
    std::ranges::sort(expected, [&](std::uint32_t a, std::uint32_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : rows[a] < rows[b];
    });
    EXPECT_EQ(order, expected) << count;
  }
}

TEST(OrderByScore, TakesScoresOfEverySignAndSize) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> scores{-1, 0, -0.0, 1e-310, 5, -infinity, infinity, 5, -2};
  std::vector<catalog::RowIndex> rows;
  for (std::uint32_t i = 0; i < scores.size(); ++i) rows.push_back({9 - i});
  std::vector<std::uint32_t> order;
  order_by_score(scores, rows, order);
  EXPECT_THAT(order, ElementsAre(6, 7, 4, 3, 2, 1, 0, 8, 5));
}

TEST(BehaviorBoostOptions, EachBadSettingIsNamed) {
  EXPECT_TRUE(BehaviorBoostOptions{}.validate());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto field = [](const BehaviorBoostOptions& options) { return options.validate().error().field; };
  EXPECT_EQ(field({.recent_click_factor = 0.9}), "boost_recent_click");
  EXPECT_EQ(field({.recent_click_factor = nan}), "boost_recent_click");
  EXPECT_EQ(field({.category_weight = -0.1}), "boost_category");
  EXPECT_EQ(field({.popularity_weights = {-1, 0, 0}}), "boost_popularity_1h");
  EXPECT_EQ(field({.popularity_weights = {0, nan, 0}}), "boost_popularity_24h");
  EXPECT_EQ(field({.popularity_weights = {0, 0, -1}}), "boost_popularity_7d");
  EXPECT_EQ(field({.popularity_floor = -1}), "boost_popularity_floor");
  EXPECT_EQ(field({.cap = 0.5}), "boost_cap");
  EXPECT_EQ(field({.cap = std::numeric_limits<double>::infinity()}), "boost_cap");
}

TEST(BoostReason, HasTheNamesOfThePublicAnswer) {
  EXPECT_EQ(to_string(BoostReason::kNone), "");
  EXPECT_EQ(to_string(BoostReason::kRecentClick), "recent_click");
  EXPECT_EQ(to_string(BoostReason::kCategoryAffinity), "category_affinity");
  EXPECT_EQ(to_string(BoostReason::kOnlinePopularity), "online_popularity");
}

}  // namespace
}  // namespace scalestyle::ranking
