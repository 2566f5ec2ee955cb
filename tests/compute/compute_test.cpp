#include "compute.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <future>
#include <set>


namespace scalestyle::app {
namespace {

constexpr std::array<Lane, kLanes> kAll{Lane::kQuery, Lane::kPicture, Lane::kRerank, Lane::kBackground};

struct Seen {
  pid_t thread = 0;
  int niceness = 0;
};

Seen look_at(Compute& compute, Lane lane) {
  std::promise<Seen> seen;
  EXPECT_TRUE(compute.pool(lane).submit(
      [&seen] { seen.set_value({::gettid(), ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()))}); }));
  return seen.get_future().get();
}

constexpr int kNicest = 19;  // the kernel knows no more: tests that run with a niceness of their own may meet it

TEST(Compute, ALaterLaneHasASmallerClaimOnProcessors) {
  Compute compute(1, true);
  const int own = ::getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(look_at(compute, Lane::kQuery).niceness, own);
  int before = own;
  std::set<pid_t> threads;
  for (const Lane lane : kAll) {
    const Seen seen = look_at(compute, lane);
    EXPECT_TRUE(lane == Lane::kQuery || seen.niceness > before || seen.niceness == kNicest) << seen.niceness;
    before = seen.niceness;
    threads.insert(seen.thread);
  }
  EXPECT_EQ(threads.size(), kLanes);
}

TEST(Compute, WithoutLanesThereIsOnePool) {
  Compute compute(2);
  EXPECT_FALSE(compute.has_lanes());
  for (const Lane lane : kAll) EXPECT_EQ(&compute.pool(lane), &compute.pool());
}

// A lane that is full of work holds no other up, whatever the number of processors.
TEST(Compute, WorkOfALaterLaneDoesNotStandBeforeThatOfAnEarlierOne) {
  Compute compute(1, true);
  std::promise<void> begun;
  std::promise<void> go_on;
  std::future<void> until = go_on.get_future();
  ASSERT_TRUE(compute.pool(Lane::kRerank).submit([&] {
    begun.set_value();
    until.wait();
  }));
  begun.get_future().wait();
  EXPECT_NE(look_at(compute, Lane::kQuery).thread, 0);
  EXPECT_NE(look_at(compute, Lane::kPicture).thread, 0);
  go_on.set_value();
}

TEST(Compute, StoppingFinishesWhatGoesOnInAnEarlierLane) {
  bool done = false;
  {
    Compute compute(1, true);
    ASSERT_TRUE(compute.pool(Lane::kBackground).submit([&] {
      ASSERT_TRUE(compute.pool(Lane::kQuery).submit([&done] { done = true; }));
    }));
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace scalestyle::app
