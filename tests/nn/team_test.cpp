// A team computes every chunk once and sees its helpers' writes, whether they come early, late, often or never.
#include "nn/team.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace scalestyle::nn {
namespace {

// Phases that build on each other: chunk i adds to cell i what the leader wrote to its input between the phases. Plain
// memory on purpose: a thread sanitizer sees every missing edge.
std::vector<std::uint64_t> compute(Team& team, std::size_t phases) {
  std::vector<std::uint64_t> cells(64, 1);
  std::vector<std::uint64_t> input(64);
  for (std::size_t phase = 0; phase < phases; ++phase) {
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = cells[(i + 1) % cells.size()] + phase;
    team.run(1 + phase % cells.size(), [&](std::size_t chunk) { cells[chunk] = 3 * cells[chunk] + input[chunk]; });
  }
  return cells;
}

TEST(Team, ALeaderAloneDoesAll) {
  Team team;
  std::vector<int> order;
  team.run(5, [&](std::size_t chunk) { order.push_back(static_cast<int>(chunk)); });
  team.run(0, [&](std::size_t) { order.push_back(-1); });
  team.close();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Team, AHelperAfterTheEndReturnsAtOnce) {
  Team team;
  team.run(3, [](std::size_t) {});
  team.close();
  team.help();
  team.help();
}

TEST(Team, HelpersDoNotChangeTheResult) {
  constexpr std::size_t kPhases = 2000;
  Team nobody;
  const std::vector<std::uint64_t> expected = compute(nobody, kPhases);
  for (const std::size_t helpers : {1U, 2U, 3U}) {
    Team team;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < helpers; ++i) threads.emplace_back([&team] { team.help(); });
    EXPECT_EQ(compute(team, kPhases), expected) << helpers;
    team.close();
  }
}

TEST(Team, AHelperMayJoinInTheMiddle) {
  Team team;
  std::jthread helper;
  std::vector<std::uint64_t> counts(32);
  for (std::size_t phase = 0; phase < 600; ++phase) {
    if (phase == 300) helper = std::jthread([&team] { team.help(); });
    team.run(counts.size(), [&](std::size_t chunk) { ++counts[chunk]; });
  }
  team.close();
  EXPECT_EQ(counts, std::vector<std::uint64_t>(32, 600));
}

TEST(Team, AHelperTakesChunksWhileTheLeaderIsBusy) {
  Team team;
  std::jthread helper([&team] { team.help(); });
  std::atomic<bool> helped = false;
  std::thread::id other;
  // The leader's chunk ends only once the helper has done one: the two run at the same time.
  team.run(2, [&](std::size_t chunk) {
    if (chunk == 0) {
      while (!helped) std::this_thread::yield();
    } else {
      other = std::this_thread::get_id();
      helped = true;
    }
  });
  EXPECT_EQ(other, helper.get_id());
  team.close();
}

TEST(Team, AHelperLeavesWhenAskedTo) {
  Team team;
  std::atomic<bool> wanted = false;
  std::jthread helper([&] { team.help_until([&] { return wanted.load(); }); });
  std::uint64_t sum = 0;
  for (int phase = 0; phase < 100; ++phase) {
    std::vector<std::uint64_t> parts(8);
    if (phase == 50) wanted = true;
    team.run(parts.size(), [&](std::size_t chunk) { parts[chunk] = chunk; });
    for (const std::uint64_t part : parts) sum += part;
  }
  helper.join();  // without close()
  EXPECT_EQ(sum, 2800U);
  team.close();
}

TEST(Team, MembersFinishOnFewerCoresThanThreads) {
  for (int round = 0; round < 50; ++round) {
    Team team;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&team] { team.help(); });
    std::atomic<int> sum = 0;
    for (int phase = 0; phase < 20; ++phase) team.run(16, [&](std::size_t) { ++sum; });
    team.close();
    EXPECT_EQ(sum.load(), 320);
  }
}

}  // namespace
}  // namespace scalestyle::nn
