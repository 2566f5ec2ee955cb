#include "adapters/embedded/borrowed_team.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/running_pool.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using support::RunningPool;

// Runs phases until another thread has computed a chunk; a helper that never came would end this by its time limit.
void run_until_helped(nn::Team& team) {
  std::atomic<bool> helped{false};
  const auto leader = std::this_thread::get_id();
  while (!helped.load()) {
    team.run(8, [&](std::size_t) {
      if (std::this_thread::get_id() != leader) helped.store(true);
      std::this_thread::yield();
    });
  }
}

TEST(BorrowedTeam, AHelperComesAndComesBackAfterTheWorkThatCalledItAway) {
  RunningPool pool(2);
  const BorrowedTeam team(*pool);
  ASSERT_NE(team.get(), nullptr);
  for (int round = 0; round < 3; ++round) {
    run_until_helped(*team.get());
    std::atomic<int> done{0};
    for (int job = 0; job < 4; ++job) ASSERT_TRUE(pool->submit([&] { ++done; }));
    while (done.load() < 4) std::this_thread::yield();
  }
  run_until_helped(*team.get());
}

TEST(BorrowedTeam, APoolOfOneThreadHasNone) {
  RunningPool pool(1);
  const BorrowedTeam team(*pool);
  EXPECT_EQ(team.get(), nullptr);
}

TEST(BorrowedTeam, ATeamThatEndsBeforeItsHelperComesIsNoTrouble) {
  RunningPool pool(2);
  for (int i = 0; i < 1'000; ++i) {
    const BorrowedTeam team(*pool);
    int sum = 0;
    if (i % 2 == 0) team.get()->run(1, [&](std::size_t) { ++sum; });
    EXPECT_EQ(sum, i % 2 == 0 ? 1 : 0);
  }
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
