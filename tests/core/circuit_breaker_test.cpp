#include "core/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "support/fake_clock.hpp"

namespace scalestyle::core {
namespace {

using namespace std::chrono_literals;
using enum CallVerdict;

class CircuitBreakerTest : public testing::Test {
 protected:
  // False where the call was refused.
  bool call(CallVerdict verdict) {
    auto permit = breaker_.acquire();
    if (!permit) return false;
    permit->end(verdict);
    return true;
  }
  void call(CallVerdict verdict, int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(call(verdict)) << i;
  }

  support::FakeClock clock_;
  CircuitBreaker breaker_{BreakerOptions{.jitter = 0}, clock_};
};

TEST_F(CircuitBreakerTest, OpensAtHalfOfAtLeastFiveCalls) {
  call(kFailure, 4);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  call(kFailure, 1);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  EXPECT_FALSE(call(kSuccess));
  EXPECT_EQ(breaker_.open_left(), 10s);
}

TEST_F(CircuitBreakerTest, FewerThanHalfKeepItClosed) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(call(i % 5 < 3 ? kSuccess : kFailure)) << i;
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, OldCallsLeaveTheWindow) {
  call(kSuccess, 200);  // of which 50 are remembered
  call(kFailure, 24);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  call(kFailure, 1);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, CallsWithoutAVerdictAreNoCalls) {
  call(kFailure, 4);
  call(kNone, 100);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  call(kFailure, 1);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, CallsThatMustNotBeProbesWaitUntilItIsClosed) {
  EXPECT_TRUE(breaker_.acquire_if_closed());
  call(kFailure, 5);
  EXPECT_FALSE(breaker_.acquire_if_closed());
  clock_.advance(10s);
  EXPECT_FALSE(breaker_.acquire_if_closed());
  call(kSuccess, 4);
  EXPECT_FALSE(breaker_.acquire_if_closed());
  call(kSuccess, 1);
  auto permit = breaker_.acquire_if_closed();
  ASSERT_TRUE(permit);
  permit->end(kFailure);
  call(kFailure, 4);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, FiveGoodProbesCloseIt) {
  call(kFailure, 5);
  clock_.advance(9'999ms);
  EXPECT_FALSE(call(kSuccess));
  clock_.advance(1ms);
  EXPECT_EQ(breaker_.state(), BreakerState::kHalfOpen);
  call(kSuccess, 4);
  EXPECT_EQ(breaker_.state(), BreakerState::kHalfOpen);
  auto last = breaker_.acquire();
  ASSERT_TRUE(last);
  EXPECT_FALSE(breaker_.acquire()) << "five probes, no more";
  EXPECT_EQ(last->end(kSuccess), BreakerState::kClosed);
  call(kFailure, 4);  // what was before is forgotten
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, HalfOfTheProbesOpenItAgainAtOnce) {
  call(kFailure, 5);
  clock_.advance(10s);
  call(kSuccess, 1);
  call(kFailure, 3);
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker_.open_left(), 10s);
}

TEST_F(CircuitBreakerTest, ADroppedProbeMakesRoomForAnother) {
  call(kFailure, 5);
  clock_.advance(10s);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(breaker_.acquire()) << i;
  std::vector<CircuitBreaker::Permit> held;
  for (int i = 0; i < 5; ++i) held.push_back(*breaker_.acquire());
  EXPECT_FALSE(breaker_.acquire());
  held.clear();
  call(kSuccess, 5);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, VerdictsOfAnEarlierTimeAreNotCounted) {
  std::vector<CircuitBreaker::Permit> slow;
  for (int i = 0; i < 10; ++i) slow.push_back(*breaker_.acquire());
  call(kFailure, 5);
  clock_.advance(10s);
  auto probe = breaker_.acquire();
  ASSERT_TRUE(probe);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(slow[static_cast<std::size_t>(i)].end(kFailure), std::nullopt);
  EXPECT_EQ(breaker_.state(), BreakerState::kHalfOpen);
  probe->end(kSuccess);
  call(kSuccess, 4);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  for (int i = 5; i < 10; ++i) slow[static_cast<std::size_t>(i)].end(kFailure);
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST(CircuitBreaker, JitterIsSeededAndWithinItsBound) {
  support::FakeClock clock;
  const auto open_times = [&](std::uint64_t seed) {
    std::vector<std::chrono::nanoseconds> times;
    CircuitBreaker breaker({.window = 1, .min_calls = 1, .probes = 1, .jitter = 0.1, .seed = seed}, clock);
    for (int i = 0; i < 50; ++i) {
      breaker.acquire()->end(kFailure);
      times.push_back(breaker.open_left());
      EXPECT_GE(times.back(), 10s);
      EXPECT_LE(times.back(), 11s);
      clock.advance(12s);
    }
    return times;
  };
  EXPECT_EQ(open_times(1), open_times(1));
  EXPECT_NE(open_times(1), open_times(2));
}

TEST(CircuitBreaker, CapacityAndTheCallersOwnFaultsAreNoVerdicts) {
  for (const ErrorCode code : {ErrorCode::kDeadlineExceeded, ErrorCode::kUnavailable, ErrorCode::kInternal, ErrorCode::kDataLoss}) {
    EXPECT_EQ(verdict_of(code), kFailure) << to_string(code);
  }
  for (const ErrorCode code : {ErrorCode::kCancelled, ErrorCode::kInvalidArgument, ErrorCode::kNotFound, ErrorCode::kResourceExhausted,
                               ErrorCode::kCircuitOpen, ErrorCode::kFailedPrecondition}) {
    EXPECT_EQ(verdict_of(code), kNone) << to_string(code);
  }
}

TEST(CircuitBreaker, OptionsAreChecked) {
  EXPECT_TRUE(BreakerOptions{}.validate());
  EXPECT_EQ((BreakerOptions{.window = 4}).validate().error().field, "breaker_min_calls");
  EXPECT_EQ((BreakerOptions{.window = 0}).validate().error().field, "breaker_window");
  EXPECT_EQ((BreakerOptions{.failure_percent = 101}).validate().error().field, "breaker_failure_percent");
  EXPECT_EQ((BreakerOptions{.open_for = 0ms}).validate().error().field, "breaker_open_ms");
  EXPECT_EQ((BreakerOptions{.probes = 0}).validate().error().field, "breaker_probes");
}

// The rules of the header written out plainly, for calls that end one after another.
class PlainBreaker {
 public:
  PlainBreaker(BreakerOptions options, const Clock& clock) : options_(options), clock_(clock) {}
  bool allows() {
    if (state_ == BreakerState::kOpen && clock_.steady_now() >= until_) enter(BreakerState::kHalfOpen);
    return state_ != BreakerState::kOpen;
  }
  void end(CallVerdict verdict) {
    if (verdict == kNone) return;
    seen_.push_back(verdict);
    if (state_ == BreakerState::kClosed && seen_.size() > options_.window) seen_.pop_front();
    const auto failures = static_cast<std::size_t>(std::ranges::count(seen_, kFailure));
    if (state_ == BreakerState::kClosed) {
      if (seen_.size() >= options_.min_calls && failures * 100 >= options_.failure_percent * seen_.size()) enter(BreakerState::kOpen);
    } else if (failures * 100 >= options_.failure_percent * options_.probes) {
      enter(BreakerState::kOpen);
    } else if (seen_.size() == options_.probes) {
      enter(BreakerState::kClosed);
    }
  }

 private:
  void enter(BreakerState state) {
    state_ = state;
    seen_.clear();
    if (state == BreakerState::kOpen) until_ = clock_.steady_now() + options_.open_for;
  }
  BreakerOptions options_;
  const Clock& clock_;
  BreakerState state_ = BreakerState::kClosed;
  std::deque<CallVerdict> seen_;
  SteadyTime until_{};
};

TEST(CircuitBreaker, AgreesWithThePlainRulesOnRandomCalls) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    support::FakeClock clock;
    BreakerOptions options{.jitter = 0};
    options.window = 1 + random() % 60;
    options.min_calls = 1 + random() % options.window;
    options.failure_percent = 1 + random() % 100;
    options.probes = 1 + random() % 8;
    options.open_for = std::chrono::milliseconds(1 + random() % 100);
    ASSERT_TRUE(options.validate());
    CircuitBreaker breaker(options, clock);
    PlainBreaker plain(options, clock);
    const std::uint64_t bad = random() % 100;
    for (int i = 0; i < 400; ++i) {
      clock.advance(std::chrono::milliseconds(random() % 20));
      auto permit = breaker.acquire();
      ASSERT_EQ(permit.has_value(), plain.allows()) << "round " << round << " call " << i;
      if (!permit) continue;
      const CallVerdict verdict = random() % 10 == 0 ? kNone : random() % 100 < bad ? kFailure : kSuccess;
      permit->end(verdict);
      plain.end(verdict);
    }
  }
}

TEST(CircuitBreaker, ManyThreadsNeverHoldMoreProbesThanAllowed) {
  support::FakeClock clock;
  CircuitBreaker breaker({.open_for = 1ms, .probes = 3, .jitter = 0}, clock);
  std::atomic<int> most{0};
  std::atomic<int> inside{0};
  for (int i = 0; i < 5; ++i) breaker.acquire()->end(kFailure);
  clock.advance(1ms);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        auto permit = breaker.acquire();
        if (!permit) continue;
        const int now = ++inside;
        int known = most.load();
        while (now > known && !most.compare_exchange_weak(known, now)) {
        }
        --inside;  // before the place is free for another
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
  EXPECT_LE(most.load(), 3);
  for (int i = 0; i < 3; ++i) breaker.acquire()->end(kSuccess);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

}  // namespace
}  // namespace scalestyle::core
