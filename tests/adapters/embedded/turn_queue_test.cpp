#include "adapters/embedded/turn_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/running_pool.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using core::Deadline;
using core::ErrorCode;
using Taken = core::Result<TurnQueue::Turn>;
using namespace std::chrono_literals;

class TurnQueueTest : public ::testing::Test {
 protected:
  Taken take(TurnQueue& queue) { return core::sync_wait(queue.take(Deadline::never())); }

  support::FakeClock clock_;
  support::RunningPool pool_{2};
};

// A taker in the background.
struct Taker {
  Taker(TurnQueue& queue, Deadline deadline)
      : operation(core::start(queue.take(deadline), [this](Taken&& result) {
          taken.emplace(std::move(result));
          done.release();
        })) {}
  Taken& wait() {
    done.acquire();
    return *taken;
  }
  std::optional<Taken> taken;
  std::binary_semaphore done{0};
  core::Operation operation;
};

TEST_F(TurnQueueTest, TurnsGoRoundInOrder) {
  TurnQueue queue({.turns = 1, .max_waiting = 2}, *pool_, clock_);
  auto first = take(queue);
  ASSERT_TRUE(first);
  Taker second(queue, Deadline::never());
  Taker third(queue, Deadline::never());
  EXPECT_EQ(queue.waiting(), 2U);
  const auto refused = take(queue);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  { const TurnQueue::Turn given = std::move(*first); }
  ASSERT_TRUE(second.wait());
  EXPECT_FALSE(third.taken);
  { const TurnQueue::Turn given = std::move(*second.taken).value(); }
  ASSERT_TRUE(third.wait());
  { const TurnQueue::Turn given = std::move(*third.taken).value(); }
  EXPECT_TRUE(take(queue));
}

TEST_F(TurnQueueTest, OverdueWaitsEnd) {
  TurnQueue queue({.turns = 1, .max_waiting = 2}, *pool_, clock_);
  const auto first = take(queue);
  Taker late(queue, Deadline::after(1s, clock_));
  Taker patient(queue, Deadline::never());
  queue.end_overdue();
  EXPECT_EQ(queue.waiting(), 2U);
  clock_.advance(2s);
  queue.end_overdue();
  const Taken& outcome = late.wait();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST_F(TurnQueueTest, ADroppedTakerLeavesTheQueue) {
  TurnQueue queue({.turns = 1, .max_waiting = 1}, *pool_, clock_);
  auto first = take(queue);
  {
    Taker dropped(queue, Deadline::never());
    EXPECT_EQ(queue.waiting(), 1U);
    dropped.operation.cancel();
    EXPECT_FALSE(dropped.taken);
  }
  EXPECT_EQ(queue.waiting(), 0U);
  { const TurnQueue::Turn given = std::move(*first); }
  EXPECT_TRUE(take(queue));
}

// Takers that come, wait, give up and go on, from several threads: no turn is lost, none is given twice.
TEST_F(TurnQueueTest, NoTurnIsLost) {
  TurnQueue queue({.turns = 2, .max_waiting = 3}, *pool_, clock_);
  std::atomic<int> holding{0};
  std::atomic<int> most{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t round = 0; round < 200; ++round) {
          if ((round + thread) % 3 == 0) {
            auto operation = core::start(queue.take(Deadline::never()), [](const Taken&) {});
            operation.cancel();
            continue;
          }
          const auto turn = take(queue);
          if (!turn) continue;
          const int now = ++holding;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          --holding;
        }
      });
    }
  }
  EXPECT_LE(most, 2);
  // A cancelled taker's turn may still be on its way back.
  while (true) {
    const auto one = take(queue);
    const auto two = take(queue);
    if (one && two) break;
  }
  EXPECT_EQ(queue.waiting(), 0U);
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
