#include "search/adaptive_limit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <random>
#include <utility>
#include <vector>

#include "support/fake_clock.hpp"

namespace scalestyle::search {
namespace {

using namespace std::chrono_literals;
using Nanoseconds = std::chrono::nanoseconds;

// Some processors behind one queue, with a limit at its door. Time is the fake clock's.
class QueueModel {
 public:
  struct Figures {
    std::vector<double> waits_ms{};  // of who was let in, from the door to the answer
    std::size_t refused = 0;

    [[nodiscard]] double p99() {
      std::ranges::sort(waits_ms);
      return waits_ms[waits_ms.size() * 99 / 100];
    }
  };
  using Work = std::function<Nanoseconds(std::mt19937_64&)>;

  QueueModel(AdaptiveLimitOptions options, std::size_t processors) : limit_(options, clock_), idle_(processors) {}

  // Requests come one by one, by chance, so many a second.
  Figures run(double per_second, Nanoseconds length, const Work& work) {
    Figures figures;
    std::exponential_distribution<double> gap(per_second);
    Nanoseconds next = now_ + Nanoseconds(static_cast<std::int64_t>(1e9 * gap(random_)));
    const Nanoseconds end = now_ + length;
    while (next < end) {
      finish_until(next, figures);
      go_to(next);
      if (auto ticket = limit_.enter()) {
        waiting_.push_back({std::move(*ticket), now_, work(random_)});
        begin_next();
      } else {
        ++figures.refused;
      }
      next += Nanoseconds(static_cast<std::int64_t>(1e9 * gap(random_)));
    }
    finish_until(Nanoseconds::max(), figures);
    return figures;
  }
  [[nodiscard]] std::size_t limit() const { return limit_.limit(); }

 private:
  struct Job {
    AdaptiveLimit::Ticket ticket;
    Nanoseconds came;
    Nanoseconds takes;
  };
  struct Running {
    Nanoseconds ends;
    Nanoseconds came;
    AdaptiveLimit::Ticket ticket;
  };

  void go_to(Nanoseconds time) {
    clock_.advance(time - now_);
    now_ = time;
  }
  void begin_next() {
    while (idle_ > 0 && !waiting_.empty()) {
      Job& job = waiting_.front();
      running_.push_back({now_ + job.takes, job.came, std::move(job.ticket)});
      waiting_.pop_front();
      --idle_;
    }
  }
  void finish_until(Nanoseconds time, Figures& figures) {
    while (!running_.empty()) {
      auto first = std::ranges::min_element(running_, {}, &Running::ends);
      if (first->ends > time) return;
      go_to(first->ends);
      first->ticket.served(AdmittedKind::kFound);
      figures.waits_ms.push_back(std::chrono::duration<double, std::milli>(now_ - first->came).count());
      running_.erase(first);
      ++idle_;
      begin_next();
    }
  }

  support::FakeClock clock_;
  AdaptiveLimit limit_;
  std::mt19937_64 random_{11};
  Nanoseconds now_{0};
  std::size_t idle_;
  std::deque<Job> waiting_;
  std::list<Running> running_;
};

Nanoseconds steady_work(std::mt19937_64&) { return 20ms; }
Nanoseconds uneven_work(std::mt19937_64& random) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double, std::milli>(10 + std::gamma_distribution<double>(2, 5)(random)));
}

constexpr std::size_t kProcessors = 8;
constexpr double kCapacity = kProcessors * 50.0;  // of work that takes 20 ms
constexpr AdaptiveLimitOptions kTight{.floor = 2, .ceiling = 256, .grace = 1ms};

void expect_short_waits(const QueueModel::Work& work) {
  QueueModel model(kTight, kProcessors);
  const double unloaded = model.run(kCapacity / 10, 60s, work).p99();
  auto overloaded = model.run(3 * kCapacity, 60s, work);
  EXPECT_LE(overloaded.p99(), 2 * unloaded) << "unloaded " << unloaded << " ms";
  const auto served = static_cast<double>(overloaded.waits_ms.size());
  EXPECT_GE(served, 0.9 * kCapacity * 60) << "what can be done is done";
  EXPECT_GE(model.limit(), kProcessors);
  // And a second after it, nobody is refused.
  model.run(kCapacity / 10, 1s, work);
  EXPECT_EQ(model.run(kCapacity / 10, 10s, work).refused, 0U);
}

TEST(AdaptiveLimit, AtThriceTheCapacityWaitsStayShortForWorkOfOneLength) { expect_short_waits(steady_work); }
TEST(AdaptiveLimit, AtThriceTheCapacityWaitsStayShortForUnevenWork) { expect_short_waits(uneven_work); }

TEST(AdaptiveLimit, AFixedLimitLetsTheQueueGrow) {
  QueueModel model({.adapts = false, .ceiling = 256, .grace = 1ms}, kProcessors);
  const double unloaded = model.run(kCapacity / 10, 10s, steady_work).p99();
  EXPECT_GE(model.run(3 * kCapacity, 60s, steady_work).p99(), 20 * unloaded);
  EXPECT_EQ(model.limit(), 256U);
}

TEST(AdaptiveLimit, LastingOverloadIsNotTakenForUsual) {
  QueueModel model(kTight, kProcessors);
  model.run(kCapacity / 10, 10s, steady_work);
  model.run(3 * kCapacity, 600s, steady_work);
  auto last = model.run(3 * kCapacity, 30s, steady_work);
  EXPECT_LE(last.p99(), 40.0);
}

TEST(AdaptiveLimit, WorkThatBecameLongerForGoodIsLearnedWhileLittleIsInProgress) {
  QueueModel model(kTight, kProcessors);
  model.run(kCapacity / 10, 10s, steady_work);
  const auto longer = [](std::mt19937_64&) { return Nanoseconds(60ms); };
  model.run(20, 120s, longer);
  auto busy = model.run(100, 60s, longer);  // three quarters of what it can do
  EXPECT_LE(static_cast<double>(busy.refused), 0.05 * static_cast<double>(busy.waits_ms.size()));
}

TEST(AdaptiveLimit, NobodyIsRefusedForWaitsThatNobodyMinds) {
  QueueModel model({.floor = 16, .ceiling = 256, .grace = 200ms}, kProcessors);
  auto busy = model.run(0.9 * kCapacity, 60s, steady_work);
  EXPECT_EQ(busy.refused, 0U);
}

TEST(AdaptiveLimit, WhereMoreAreRefusedThanServedNeitherGraceNorFloorHold) {
  constexpr AdaptiveLimitOptions kWide{.floor = 40, .crowded_floor = kProcessors + 1, .ceiling = 256, .grace = 500ms};
  QueueModel model(kWide, kProcessors);
  const double unloaded = model.run(kCapacity / 10, 60s, steady_work).p99();
  // A little more than can be done: those who wait are granted it.
  EXPECT_GT(model.run(1.3 * kCapacity, 60s, steady_work).p99(), 4 * unloaded);
  EXPECT_GE(model.limit(), 40U);
  model.run(3 * kCapacity, 2s, steady_work);
  auto crowded = model.run(3 * kCapacity, 60s, steady_work);
  EXPECT_LE(crowded.p99(), 2 * unloaded) << "unloaded " << unloaded << " ms";
  EXPECT_GE(static_cast<double>(crowded.waits_ms.size()), 0.9 * kCapacity * 60);
  // Ten seconds after it the floor holds again.
  model.run(kCapacity / 10, 11s, steady_work);
  EXPECT_GE(model.limit(), 40U);
}

TEST(AdaptiveLimit, ARushOutOfQuietFindsLittleRoomAndAGrowingCrowdMore) {
  support::FakeClock clock;
  AdaptiveLimit limit({.floor = 4, .ceiling = 200, .grace = 50ms}, clock);
  const auto rush = [&](std::size_t size) {
    std::vector<AdaptiveLimit::Ticket> held;
    while (held.size() < size) {
      auto ticket = limit.enter();
      if (!ticket) break;
      held.push_back(std::move(*ticket));
    }
    clock.advance(1ms);
    for (const auto& ticket : held) ticket.served(AdmittedKind::kFound);
    return held.size();
  };
  EXPECT_EQ(rush(200), 16U);
  for (int i = 0; i < 600 && limit.limit() < 200; ++i) rush(200);
  EXPECT_EQ(limit.limit(), 200U);
  for (int i = 0; i < 5'000; ++i) rush(3);
  EXPECT_EQ(rush(200), 16U);
}

TEST(AdaptiveLimit, FloorAndCeilingHold) {
  support::FakeClock clock;
  AdaptiveLimit limit({.floor = 3, .ceiling = 5, .grace = 0ms}, clock);
  for (int i = 0; i < 500; ++i) {
    const auto ticket = limit.enter();
    ASSERT_TRUE(ticket);
    clock.advance(i < 40 ? 1ms : 20ms);  // all within a period
    ticket->served(AdmittedKind::kFound);
  }
  EXPECT_EQ(limit.limit(), 3U);
  std::vector<AdaptiveLimit::Ticket> held;
  while (auto ticket = limit.enter()) held.push_back(std::move(*ticket));
  EXPECT_EQ(held.size(), 3U);
  EXPECT_DOUBLE_EQ(held.back().pressure(), 2.0 / 5);  // of the room at rest
  EXPECT_FALSE(limit.enter());
  held.clear();
  EXPECT_EQ(limit.in_progress(), 0U);
}

TEST(AdaptiveLimit, KindsAreNotComparedWithEachOther) {
  support::FakeClock clock;
  AdaptiveLimit limit({.floor = 2, .ceiling = 64, .grace = 0ms}, clock);
  for (int i = 0; i < 1'000; ++i) {
    const auto ticket = limit.enter();
    ASSERT_TRUE(ticket);
    clock.advance(i % 2 == 0 ? 1ms : 300ms);
    ticket->served(i % 2 == 0 ? AdmittedKind::kKept : AdmittedKind::kReranked);
  }
  EXPECT_EQ(limit.limit(), 8U);  // as it began: nothing was slow
}

TEST(AdaptiveLimit, OptionsAreChecked) {
  EXPECT_TRUE(AdaptiveLimitOptions{}.validate());
  EXPECT_EQ((AdaptiveLimitOptions{.floor = 0}).validate().error().field, "admission_floor");
  EXPECT_EQ((AdaptiveLimitOptions{.ceiling = 0}).validate().error().field, "max_concurrent_requests");
  EXPECT_EQ((AdaptiveLimitOptions{.crowded_floor = 0}).validate().error().field, "crowded_floor");
  EXPECT_EQ((AdaptiveLimitOptions{.tolerance = 1}).validate().error().field, "admission_tolerance");
  EXPECT_EQ((AdaptiveLimitOptions{.grace = -1ms}).validate().error().field, "admission_grace_ms");
}

}  // namespace
}  // namespace scalestyle::search
