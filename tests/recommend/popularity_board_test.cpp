#include "recommend/popularity_board.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "ranking/popularity.hpp"
#include "recommend/board_samples.hpp"

namespace scalestyle::recommend {
namespace {

using events::Window;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr events::EpochMs kDayMs = 86'400'000;

std::vector<std::uint32_t> rows_in(const PopularRows& list) {
  std::vector<std::uint32_t> rows;
  for (const PopularRow& row : list.rows) rows.push_back(row.row.value);
  return rows;
}

events::ItemPopularity live(std::size_t number, std::array<double, 3> windows, double global = 0, events::EpochMs time_ms = kNowMs) {
  return {.item_id = article_id(number), .windows = windows, .global = {.value = global, .time_ms = time_ms}};
}

ports::PopularityChanges everything(std::vector<events::ItemPopularity> items, std::uint64_t version = 1) {
  return {.complete = true, .version = version, .items = std::move(items)};
}
ports::PopularityChanges changed(std::vector<events::ItemPopularity> items, std::uint64_t version) {
  return {.complete = false, .version = version, .items = std::move(items)};
}

TEST(PopularityBoard, BeforeAnyEventPurchasesRank) {
  const PopularityBoard board(make_catalog({7, 0, 900, 7, 30}), {});
  const PopularRows all = board.top_global(nullptr, 10, kNowMs);
  EXPECT_THAT(rows_in(all), ElementsAre(2, 4, 0, 3));  // equal counts by row; nothing for what nobody bought
  EXPECT_EQ(all.matching, 4U);
  EXPECT_NEAR(all.rows[0].popularity, ranking::purchase_prior(900, {}), 1e-12);
  for (const Window window : {Window::k1h, Window::k24h, Window::k7d}) {
    EXPECT_THAT(board.top(window, nullptr, 10).rows, IsEmpty());
  }
  EXPECT_EQ(board.state().bucket, -1);
}

TEST(PopularityBoard, PriorsGoByThePeriodOfThePurchases) {
  auto week = std::make_shared<ports::CatalogSnapshot>(*make_catalog({10}));
  week->info.purchases_from = "2020-09-16";
  week->info.purchases_to = "2020-09-22";
  const PopularityBoard board(week, {});
  EXPECT_NEAR(board.prior({0}), 5.0 * 10 / 7 * 2 / std::log(2.0), 1e-9);
  const PopularityBoard undated(make_catalog({10}), {});
  EXPECT_NEAR(undated.prior({0}), 5.0 * 10 / 365 * 2 / std::log(2.0), 1e-9);
  const PopularityBoard heavy(week, {.purchase_weight = 10, .global_half_life_seconds = 86'400});
  EXPECT_NEAR(heavy.prior({0}), board.prior({0}), 1e-9);
}

TEST(PopularityBoard, OneScaleForPurchasesAndLiveEvents) {
  // 1,000 purchases a year are worth 39.5 weights of now: eight purchases just made outrank them, and fall back.
  PopularityBoard board(make_catalog({1'000, 0}), {});
  ASSERT_TRUE(board.take(everything({live(2, {40, 40, 40}, 40)}), 0, kNowMs));
  EXPECT_THAT(rows_in(board.top_global(nullptr, 2, kNowMs)), ElementsAre(1, 0));
  EXPECT_THAT(rows_in(board.top_global(nullptr, 2, kNowMs + kDayMs)), ElementsAre(0, 1));
}

TEST(PopularityBoard, LiveScoresHalveEveryHalfLife) {
  PopularityBoard board(make_catalog({100, 0, 0}), {});
  ASSERT_TRUE(board.take(everything({live(1, {}, 8, kNowMs), live(2, {}, 8, kNowMs - 2 * kDayMs), live(3, {}, 8, kNowMs + 60'000)}),
                         0, kNowMs));
  for (int half_lives = 0; half_lives < 4; ++half_lives) {
    const events::EpochMs now = kNowMs + half_lives * 2 * kDayMs;
    EXPECT_THAT(board.global({0}, now), DoubleNear(board.prior({0}) + 8 / std::exp2(half_lives), 1e-9));
    EXPECT_THAT(board.global({1}, now), DoubleNear(4 / std::exp2(half_lives), 1e-9));
    EXPECT_THAT(board.global({2}, now), DoubleNear(8 / std::exp2(half_lives), 1e-9));  // never more than its value
  }
  EXPECT_EQ(board.global({1}, kNowMs - 10 * kDayMs), board.global({1}, kNowMs));  // a clock set back
}

TEST(PopularityBoard, TakesChangesAndCompleteAnswers) {
  PopularityBoard board(make_catalog({0, 0, 0, 0}), {});
  ASSERT_TRUE(board.take(everything({live(1, {1, 2, 3}), live(2, {4, 5, 6}), live(77, {9, 9, 9})}, 5), 0, kNowMs));
  EXPECT_EQ(board.state().version, 5U);
  EXPECT_THAT(rows_in(board.top(Window::k1h, nullptr, 9)), ElementsAre(1, 0));
  ASSERT_TRUE(board.take(changed({live(1, {7, 7, 7}), live(3, {5, 5, 5})}, 9), 5, kNowMs + 1));
  EXPECT_EQ(board.state().version, 9U);
  EXPECT_THAT(rows_in(board.top(Window::k1h, nullptr, 9)), ElementsAre(0, 2, 1));
  EXPECT_EQ(board.window_sum(Window::k24h, {1}), 5);
  // What a complete answer lacks has nothing.
  ASSERT_TRUE(board.take(everything({live(4, {1, 0, 1})}, 10), 0, kNowMs + 2));
  EXPECT_THAT(rows_in(board.top(Window::k1h, nullptr, 9)), ElementsAre(3));
  EXPECT_THAT(board.top(Window::k24h, nullptr, 9).rows, IsEmpty());
  WindowLogs logs;
  const std::vector<catalog::RowIndex> rows{{3}, {0}};
  board.gather(rows, logs);
  EXPECT_THAT(logs.values[0], ElementsAre(std::log1p(1.0), 0.0));
}

TEST(PopularityBoard, LeavesOutWhatDoesNotFollow) {
  PopularityBoard board(make_catalog({0}), {});
  EXPECT_FALSE(board.take(changed({live(1, {1, 1, 1})}, 3), 2, kNowMs)) << "changes of a board that has nothing yet";
  ASSERT_TRUE(board.take(everything({live(1, {2, 2, 2})}, 5), 0, kNowMs));
  EXPECT_FALSE(board.take(changed({live(1, {9, 9, 9})}, 4), 3, kNowMs)) << "another caller's newer answer came first";
  EXPECT_FALSE(board.take(changed({live(1, {9, 9, 9})}, 8), 7, kNowMs)) << "changes between 5 and 7 are missing";
  EXPECT_FALSE(board.take(changed({live(1, {9, 9, 9})}, 6), 5, kNowMs + kShortestBucketMs)) << "another bucket";
  EXPECT_FALSE(board.take(everything({live(1, {9, 9, 9})}, 6), 5, kNowMs + kShortestBucketMs)) << "another bucket";
  EXPECT_EQ(board.window_sum(Window::k1h, {0}), 2);
  EXPECT_TRUE(board.take(changed({live(1, {3, 3, 3})}, 6), 4, kNowMs + kShortestBucketMs - 1)) << "holds all since 4";
  EXPECT_EQ(board.window_sum(Window::k1h, {0}), 3);
}

TEST(PopularityBoard, GatherGivesTheLogsOfTheSums) {
  PopularityBoard board(make_catalog(std::vector<std::uint64_t>(300)), {});
  std::vector<events::ItemPopularity> items;
  for (std::size_t i = 0; i < 300; i += 2) items.push_back(live(i + 1, {0.3 * static_cast<double>(i), 1, static_cast<double>(i)}));
  ASSERT_TRUE(board.take(everything(items), 0, kNowMs));
  std::vector<catalog::RowIndex> rows;
  for (std::uint32_t row = 300; row-- > 0;) rows.push_back({row});
  WindowLogs logs;
  board.gather(rows, logs);
  for (std::size_t w = 0; w < 3; ++w) {
    ASSERT_EQ(logs.values[w].size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(logs.values[w][i], std::log1p(board.window_sum(static_cast<Window>(w), rows[i])));
    }
  }
}

// Every list against a sort of everything, with ties, filters and limits.
TEST(PopularityBoard, WhatRisesIsOfTheWindowAgainstTheTimeBefore) {
  PopularityBoard board(make_catalog(std::vector<std::uint64_t>(6)), {});
  ASSERT_TRUE(board.take(everything({live(1, {0, 100, 160}), live(2, {40, 40, 40}), live(3, {0, 300, 2'100}), live(4, {0, 1, 1}),
                                     live(5, {0, 0, 90}), live(6, {40, 39.5, 40})}),
                         0, kNowMs));
  const auto day = board.rising(Window::k24h, nullptr, 10);
  ASSERT_EQ(day.rows.size(), 3U);
  EXPECT_EQ(day.matching, 3U);
  EXPECT_EQ(day.lengths, 6);
  EXPECT_EQ(day.rows[0].row, catalog::RowIndex{1});
  EXPECT_EQ(day.rows[1].row, catalog::RowIndex{5});
  EXPECT_EQ(day.rows[2].row, catalog::RowIndex{0});
  EXPECT_EQ(day.rows[2].before, 60);
  EXPECT_EQ(day.rows[2].rise.bound, ranking::rise_of(100, 60, 6, {}).bound);
  const auto hour = board.rising(Window::k1h, nullptr, 10);
  ASSERT_EQ(hour.rows.size(), 2U);
  EXPECT_EQ(hour.lengths, 23);
  EXPECT_EQ(hour.rows[0].before, 0);  // equal rows by row; buckets that are not aligned give no less than nothing
  EXPECT_EQ(hour.rows[1].before, 0);
  const auto only = rows_of(6, {0, 2});
  const auto eligible = board.rising(Window::k24h, &only, 10);
  ASSERT_EQ(eligible.rows.size(), 1U);
  EXPECT_EQ(eligible.rows[0].row, catalog::RowIndex{0});
  const auto cut = board.rising(Window::k24h, nullptr, 1);
  EXPECT_EQ(cut.rows.size(), 1U);
  EXPECT_EQ(cut.matching, 3U);
}

TEST(PopularityBoard, ListsAreThoseOfASort) {
  std::mt19937 random(9);
  for (const std::size_t size : {1U, 63U, 64U, 65U, 1'000U}) {
    std::vector<std::uint64_t> purchases(size);
    for (auto& count : purchases) count = random() % 3 == 0 ? 0 : random() % 20;
    PopularityBoard board(make_catalog(purchases), {});
    std::vector<events::ItemPopularity> items;
    for (std::size_t i = 0; i < size; ++i) {
      if (random() % 2 == 0) continue;
      const auto sum = [&] { return static_cast<double>(random() % 12); };
      items.push_back(live(i + 1, {sum(), sum(), sum()}, sum(), kNowMs - static_cast<events::EpochMs>(random() % 3) * kDayMs));
    }
    ASSERT_TRUE(board.take(everything(items), 0, kNowMs));
    for (const std::size_t step : {0U, 1U, 2U, 7U}) {
      catalog::Bitmap filter(size);
      for (std::uint32_t row = 0; step > 0 && row < size; row += static_cast<std::uint32_t>(step)) filter.set({row});
      const catalog::Bitmap* const eligible = step == 0 ? nullptr : &filter;
      for (const int list : {0, 1, 2, 3}) {
        std::vector<PopularRow> expected;
        for (std::uint32_t row = 0; row < size; ++row) {
          const double popularity = list == 3 ? board.global({row}, kNowMs) : board.window_sum(static_cast<Window>(list), {row});
          if (popularity > 0 && (eligible == nullptr || filter.test({row}))) expected.push_back({{row}, popularity});
        }
        std::ranges::stable_sort(expected, [](const auto& a, const auto& b) { return a.popularity > b.popularity; });
        for (const std::size_t limit : {0U, 1U, 2U, 10U, 100U, 5'000U}) {
          const PopularRows top = list == 3 ? board.top_global(eligible, limit, kNowMs)
                                            : board.top(static_cast<Window>(list), eligible, limit);
          EXPECT_EQ(top.matching, expected.size());
          auto first = expected;
          first.resize(std::min(limit, first.size()));
          EXPECT_EQ(top.rows, first) << size << " rows, step " << step << ", list " << list << ", limit " << limit;
        }
      }
    }
  }
}

class PopularityFallbackTest : public testing::Test {
 protected:
  // Ten articles that were bought; the live numbers are the test's.
  PopularityBoard board_{make_catalog({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), {.min_tier_rows = 3}};

  void take(std::size_t with_day, std::size_t with_week) {
    std::vector<events::ItemPopularity> items;
    for (std::size_t i = 0; i < std::max(with_day, with_week); ++i) {
      items.push_back(live(i + 1, {0, i < with_day ? 1.0 : 0.0, i < with_week ? 1.0 : 0.0}, 1));
    }
    ASSERT_TRUE(board_.take(everything(std::move(items)), 0, kNowMs));
  }
};

TEST_F(PopularityFallbackTest, TheDayAnswersWhenItHasRowsEnough) {
  take(3, 5);
  const auto found = board_.fallback(nullptr, 10, kNowMs);
  EXPECT_EQ(found.tier, PopularityTier::k24h);
  EXPECT_THAT(rows_in(found.list), ElementsAre(0, 1, 2));
}

TEST_F(PopularityFallbackTest, ElseTheWeekElseAllTime) {
  take(2, 4);
  EXPECT_EQ(board_.fallback(nullptr, 10, kNowMs).tier, PopularityTier::k7d);
  take(0, 1);
  const auto found = board_.fallback(nullptr, 4, kNowMs);
  EXPECT_EQ(found.tier, PopularityTier::kGlobal);
  EXPECT_THAT(rows_in(found.list), ElementsAre(0, 9, 8, 7));
  EXPECT_EQ(found.list.matching, 10U);
}

TEST_F(PopularityFallbackTest, FiltersAreObeyedInEveryTier) {
  take(3, 5);
  const auto two = rows_of(10, {1, 9});
  const auto found = board_.fallback(&two, 10, kNowMs);
  EXPECT_EQ(found.tier, PopularityTier::kGlobal);  // one row of the day, one of the week, both of all time
  EXPECT_THAT(rows_in(found.list), ElementsAre(1, 9));
  const auto one = rows_of(10, {2});
  EXPECT_EQ(board_.fallback(&one, 10, kNowMs).tier, PopularityTier::k24h);  // no later tier has more
  const auto none = rows_of(10, {});
  EXPECT_THAT(board_.fallback(&none, 10, kNowMs).list.rows, IsEmpty());
}

TEST_F(PopularityFallbackTest, WhereNothingWasEverBoughtOrTouchedThereIsNothing) {
  const PopularityBoard untouched(make_catalog({0, 0}), {});
  const auto found = untouched.fallback(nullptr, 10, kNowMs);
  EXPECT_EQ(found.tier, PopularityTier::kGlobal);
  EXPECT_THAT(found.list.rows, IsEmpty());
  EXPECT_EQ(found.list.matching, 0U);
}

TEST(PopularityBoard, TakesOverFromAnotherGenerationById) {
  PopularityBoard old_board(make_catalog({0, 0, 0}), {});
  ASSERT_TRUE(old_board.take(everything({live(1, {1, 1, 1}, 1), live(3, {3, 3, 3}, 3)}, 4), 0, kNowMs));
  PopularityBoard next(make_catalog({0, 0, 50}, 2), {});  // articles 2, 3, 4
  next.take_over(old_board);
  EXPECT_THAT(rows_in(next.top(Window::k24h, nullptr, 9)), ElementsAre(1));
  EXPECT_NEAR(next.global({1}, kNowMs), 3, 1e-12);
  EXPECT_EQ(next.global({2}, kNowMs), next.prior({2}));
  EXPECT_EQ(next.state().bucket, -1) << "it is read anew as soon as the store answers";
}

TEST(PopularityBoardOptions, BadOnesAreNamed) {
  EXPECT_TRUE(PopularityBoardOptions{}.validate());
  EXPECT_EQ(PopularityBoardOptions{.purchase_weight = -1}.validate().error().field, "weight_purchase");
  EXPECT_EQ(PopularityBoardOptions{.global_half_life_seconds = std::nan("")}.validate().error().field, "popularity_half_life");
}

}  // namespace
}  // namespace scalestyle::recommend
