#include "recommend/popularity.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "recommend/board_samples.hpp"
#include "recommend/windowed_store.hpp"
#include "support/fake_clock.hpp"

namespace scalestyle::recommend {
namespace {

using events::Window;
using testing::ElementsAre;
using testing::IsEmpty;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class PopularityTest : public testing::Test {
 protected:
  support::FakeClock clock_;
  WindowedStore store_;
  Popularity popularity_{store_, clock_};

  [[nodiscard]] events::EpochMs now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall_now().time_since_epoch()).count();
  }
  std::shared_ptr<PopularityBoard> prepare(const std::vector<std::uint64_t>& purchases, std::size_t first = 1) {
    return core::sync_wait(popularity_.prepare(make_catalog(purchases, first), core::Deadline::never()));
  }
  core::Status follow(const std::shared_ptr<PopularityBoard>& board) {
    return core::sync_wait(popularity_.follow(board, core::Deadline::never()));
  }
  core::Status refresh() { return core::sync_wait(popularity_.refresh(core::Deadline::never())); }
  std::array<double, 3> sums(const PopularityBoard& board, std::uint32_t row) {
    return {board.window_sum(Window::k1h, {row}), board.window_sum(Window::k24h, {row}), board.window_sum(Window::k7d, {row})};
  }
};

TEST_F(PopularityTest, PreparedBoardsHaveWhatTheStoreKnows) {
  store_.add(article_id(2), 3, now());
  const auto board = prepare({0, 0});
  EXPECT_THAT(sums(*board, 1), ElementsAre(3, 3, 3));
  EXPECT_NEAR(board->global({1}, now()), 3, 1e-12);
  EXPECT_EQ(popularity_.last_error(), "");
}

TEST_F(PopularityTest, AnEventCountsInTheNextRequest) {
  const auto board = prepare({0, 0});
  store_.add(article_id(1), 1, now());
  ASSERT_TRUE(follow(board));
  EXPECT_THAT(sums(*board, 0), ElementsAre(1, 1, 1));
  store_.add(article_id(1), 3, now());
  store_.add(article_id(2), 5, now());
  ASSERT_TRUE(follow(board));
  EXPECT_THAT(sums(*board, 0), ElementsAre(4, 4, 4));
  EXPECT_THAT(sums(*board, 1), ElementsAre(5, 5, 5));
  EXPECT_THAT(store_.calls(), ElementsAre(0, 1, 2)) << "each asks only for what is new";
}

TEST_F(PopularityTest, SumsFallWithTimeAlone) {
  store_.add(article_id(1), 8, now());
  const auto board = prepare({0});
  clock_.advance(minutes(54));
  ASSERT_TRUE(refresh());
  EXPECT_THAT(sums(*board, 0), ElementsAre(8, 8, 8));
  clock_.advance(minutes(11));  // past the hour and its bucket
  ASSERT_TRUE(refresh());
  EXPECT_THAT(sums(*board, 0), ElementsAre(0, 8, 8));
  clock_.advance(hours(24));
  ASSERT_TRUE(refresh());
  EXPECT_THAT(sums(*board, 0), ElementsAre(0, 0, 8));
  clock_.advance(hours(7 * 24));
  ASSERT_TRUE(refresh());
  EXPECT_THAT(sums(*board, 0), ElementsAre(0, 0, 0));
  EXPECT_GT(board->global({0}, now()), 0) << "all-time popularity decays and never ends";
}

TEST_F(PopularityTest, ARequestLeavesANewBucketToTheTimer) {
  store_.add(article_id(1), 8, now());
  const auto board = prepare({0});
  clock_.advance(std::chrono::milliseconds(popularity_.next_bucket_ms() - now()));
  const std::size_t calls = store_.calls().size();
  ASSERT_TRUE(follow(board));
  EXPECT_EQ(store_.calls().size(), calls);
  ASSERT_TRUE(refresh());
  store_.add(article_id(1), 1, now());
  ASSERT_TRUE(follow(board));
  EXPECT_THAT(sums(*board, 0), ElementsAre(9, 9, 9));
}

TEST_F(PopularityTest, WhatWasReadLastStaysWhileTheStoreFails) {
  store_.add(article_id(2), 4, now());
  const auto board = prepare({9, 0});
  store_.fail_with(core::Error{core::ErrorCode::kUnavailable, "the store is away"});
  EXPECT_FALSE(follow(board));
  clock_.advance(minutes(30));
  EXPECT_FALSE(refresh());
  EXPECT_EQ(popularity_.last_error(), "the store is away");
  EXPECT_THAT(sums(*board, 1), ElementsAre(4, 4, 4));
  EXPECT_EQ(board->fallback(nullptr, 5, now()).list.rows.front().row.value, 1U);
  store_.fail_with(std::nullopt);
  clock_.advance(hours(2));
  EXPECT_TRUE(refresh());
  EXPECT_EQ(popularity_.last_error(), "");
  EXPECT_THAT(sums(*board, 1), ElementsAre(0, 4, 4));
}

TEST_F(PopularityTest, AGenerationPreparedWhileTheStoreFailsInheritsTheNumbers) {
  store_.add(article_id(3), 4, now());
  const auto first = prepare({0, 0, 0});
  store_.fail_with(core::Error{core::ErrorCode::kUnavailable, "the store is away"});
  const auto second = prepare({7, 0}, 2);  // articles 2 and 3
  EXPECT_EQ(popularity_.last_error(), "the store is away");
  EXPECT_THAT(sums(*second, 1), ElementsAre(4, 4, 4));
  EXPECT_GT(second->prior({0}), 0);
  store_.fail_with(std::nullopt);
  store_.add(article_id(2), 1, now());
  ASSERT_TRUE(refresh());
  EXPECT_THAT(sums(*second, 0), ElementsAre(1, 1, 1));
  EXPECT_THAT(sums(*first, 1), ElementsAre(1, 1, 1)) << "a generation that is still in use follows too";
}

TEST_F(PopularityTest, WithoutAnyBoardOrStorePriorsRemain) {
  store_.fail_with(core::Error{core::ErrorCode::kUnavailable, "the store is away"});
  const auto board = prepare({3, 5});
  const auto found = board->fallback(nullptr, 5, now());
  EXPECT_EQ(found.tier, PopularityTier::kGlobal);
  EXPECT_EQ(found.list.rows.front().row.value, 1U);
  EXPECT_TRUE(follow(board)) << "an unread board is the timer's";
}

TEST_F(PopularityTest, BoardsDieWithTheirUsers) {
  auto board = prepare({0});
  const std::weak_ptr<PopularityBoard> watch = board;
  board.reset();
  EXPECT_TRUE(watch.expired());
  const std::size_t calls = store_.calls().size();
  EXPECT_TRUE(refresh());
  EXPECT_EQ(store_.calls().size(), calls);
}

// Requests, refreshes and readers at once: every number seen is one that the store had, and in the end all are there.
TEST_F(PopularityTest, ReadersAndUpdatesAtOnce) {
  constexpr std::size_t kArticles = 200;
  constexpr int kEvents = 600;
  constexpr int kRounds = 100;  // of each thread, at least
  const auto board = prepare(std::vector<std::uint64_t>(kArticles, 1));
  std::atomic<bool> done{false};
  std::atomic<int> violations{0};
  std::array<std::atomic<int>, 3> rounds{};
  std::vector<std::thread> threads;
  for (std::size_t reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      std::vector<catalog::RowIndex> rows;
      for (std::uint32_t row = 0; row < kArticles; ++row) rows.push_back({row});
      WindowLogs logs;
      while (!done.load()) {
        if (!follow(board)) ++violations;
        board->gather(rows, logs);
        for (const double log : logs.values[0]) {
          const double sum = std::expm1(log);
          if (std::abs(sum - std::round(sum)) > 1e-6 || sum > kEvents) ++violations;
        }
        const auto top = board->top(Window::k1h, nullptr, 10);
        for (std::size_t i = 1; i < top.rows.size(); ++i) {
          if (top.rows[i - 1].popularity < top.rows[i].popularity) ++violations;
        }
        if (board->fallback(nullptr, 10, now()).list.rows.size() != 10) ++violations;
        ++rounds[reader];
      }
    });
  }
  threads.emplace_back([&] {
    while (!done.load()) {
      clock_.advance(seconds(150));
      if (!refresh()) ++violations;
      ++rounds[2];
    }
  });
  for (int i = 0; i < kEvents; ++i) {
    store_.add(article_id(1 + static_cast<std::size_t>(i) % kArticles), 1, now());
    const auto behind = [&](const std::atomic<int>& round) { return round.load() < i * kRounds / kEvents; };
    while (std::ranges::any_of(rounds, behind)) std::this_thread::yield();
  }
  done.store(true);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(violations.load(), 0);
  ASSERT_TRUE(refresh());
  const auto expected = prepare(std::vector<std::uint64_t>(kArticles, 1));
  for (std::uint32_t row = 0; row < kArticles; ++row) {
    EXPECT_EQ(sums(*board, row), sums(*expected, row)) << row;
    EXPECT_NEAR(board->global({row}, now()), expected->global({row}, now()), 1e-9);
  }
}

}  // namespace
}  // namespace scalestyle::recommend
