#include "core/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/task.hpp"
#include "support/running_pool.hpp"

namespace scalestyle::core {
namespace {

using namespace std::chrono_literals;

Task<Result<std::thread::id>> where(WorkerPool& pool, Deadline deadline) {
  CORE_CO_CHECK(co_await pool.schedule(deadline));
  co_return std::this_thread::get_id();
}

TEST(WorkerPool, ScheduleContinuesOnAWorker) {
  support::RunningPool pool(2);
  const auto id = sync_wait(where(*pool, Deadline::never()));
  ASSERT_TRUE(id);
  EXPECT_NE(*id, std::this_thread::get_id());
}

TEST(WorkerPool, APassedDeadlineIsReported) {
  support::RunningPool pool(1);
  const auto result = sync_wait(where(*pool, Deadline::after(-1ms, pool.clock())));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(result.error().retryable);
}

TEST(WorkerPool, AFullQueueShedsAtOnceOnTheCallingThread) {
  const SystemClock clock;
  WorkerPool pool({.threads = 1, .queue_capacity = 2}, clock);  // nobody runs it
  ASSERT_TRUE(pool.submit([] {}));
  ASSERT_TRUE(pool.submit([] {}));
  const auto result = sync_wait(where(pool, Deadline::never()));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(pool.queued(), 2U);
}

TEST(WorkerPool, AStoppedTaskIsCancelledWhenItsTurnComes) {
  const SystemClock clock;
  WorkerPool pool({.threads = 1, .queue_capacity = 2}, clock);
  ErrorCode seen = ErrorCode::kInternal;
  const auto body = [&]() -> Task<int> {
    const auto status = co_await pool.schedule(Deadline::never());
    if (!status) seen = status.error().code;
    co_return 0;
  };
  { auto operation = start(body(), [](int) {}); }
  pool.stop();
  pool.run();  // drains the queue, then returns
  EXPECT_EQ(seen, ErrorCode::kCancelled);
}

TEST(WorkerPool, RefusesJobsAfterStop) {
  const SystemClock clock;
  WorkerPool pool({.threads = 1}, clock);
  pool.stop();
  const auto status = pool.submit([] {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
}

TEST(WorkerPool, ParallelForVisitsEachIndexOnce) {
  support::RunningPool pool(3);
  for (const std::size_t count : {0U, 1U, 2U, 7U, 1000U}) {
    std::vector<std::atomic<int>> visits(count);
    pool->parallel_for(count, [&](std::size_t index) { visits[index].fetch_add(1); });
    for (const auto& visit : visits) EXPECT_EQ(visit.load(), 1);
  }
}

TEST(WorkerPool, ParallelForUsesIdleWorkers) {
  support::RunningPool pool(2);
  std::latch both(2);  // passes only when two threads are inside at the same time
  pool->parallel_for(2, [&](std::size_t) { both.arrive_and_wait(); });
  EXPECT_TRUE(both.try_wait());
}

TEST(WorkerPool, ParallelForFromWorkersAtOnceDoesNotDeadlock) {
  support::RunningPool pool(2);
  std::atomic<int> total{0};
  std::latch done(8);
  for (int job = 0; job < 8; ++job) {
    ASSERT_TRUE(pool->submit([&] {
      pool->parallel_for(64, [&](std::size_t) { total.fetch_add(1); });
      done.count_down();
    }));
  }
  done.wait();
  EXPECT_EQ(total.load(), 8 * 64);
}

TEST(WorkerPool, LentHelpIsTakenWhenNoJobWaits) {
  const SystemClock clock;
  WorkerPool pool({.threads = 1, .queue_capacity = 4}, clock);
  std::string order;
  pool.lend([&] {
    order += 'a';
    ASSERT_TRUE(pool.submit([&] { order += 'j'; }));
  });
  pool.lend([&] { order += 'b'; });
  ASSERT_TRUE(pool.submit([&] { order += 'i'; }));
  EXPECT_EQ(pool.queued(), 1U);
  pool.lend([&] {
    order += 'c';
    pool.stop();
    pool.lend([&] { order += 'x'; });
  });
  pool.lend([&] { order += 'y'; });  // given up by the stop
  pool.run();
  EXPECT_EQ(order, "iajbc");
}

TEST(WorkerPool, MoreHelpThanItsLimitIsDropped) {
  const SystemClock clock;
  WorkerPool pool({.threads = 1}, clock);
  std::size_t helped = 0;
  for (std::size_t i = 0; i < WorkerPool::kLentAThread + 5; ++i) {
    pool.lend([&] {
      if (++helped == WorkerPool::kLentAThread) pool.stop();
    });
  }
  pool.run();
  EXPECT_EQ(helped, WorkerPool::kLentAThread);
}

}  // namespace
}  // namespace scalestyle::core
