#include "http/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_clock.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::milliseconds;

std::chrono::nanoseconds seconds(double value) { return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(value * 1e9))); }

RateLimitOptions by_address(double per_second, double burst_seconds) {
  RateLimitOptions options;
  options.per_second = {0, 0, per_second};
  options.burst_seconds = burst_seconds;
  return options;
}

RateSubject from(std::string_view address) { return {.key = {}, .user = {}, .address = address}; }

TEST(RateLimiter, ABurstThenItsSteadyRate) {
  support::FakeClock clock;
  RateLimiter limiter(by_address(10, 2), clock);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(limiter.take(from("a"), 1).allowed) << i;
  const RateDecision refused = limiter.take(from("a"), 1);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.refused_by, RateScope::kAddress);
  EXPECT_NEAR(refused.wait_seconds, 0.1, 1e-6);
  EXPECT_NEAR(refused.states[2].full_seconds, 2, 1e-6);
  EXPECT_TRUE(limiter.take(from("b"), 1).allowed) << "another address has its own";
  clock.advance(milliseconds(99));
  EXPECT_FALSE(limiter.take(from("a"), 1).allowed);
  clock.advance(milliseconds(1));
  EXPECT_TRUE(limiter.take(from("a"), 1).allowed);
  EXPECT_FALSE(limiter.take(from("a"), 1).allowed);
  clock.advance(std::chrono::hours(1));
  const RateDecision full = limiter.take(from("a"), 0);
  EXPECT_NEAR(full.states[2].left, 20, 1e-6) << "no more than the burst is ever saved up";
}

TEST(RateLimiter, WhatIsNotKnownOrNotLimitedIsFree) {
  support::FakeClock clock;
  RateLimiter limiter(by_address(1, 1), clock);
  for (int i = 0; i < 100; ++i) {
    const RateDecision decision = limiter.take({.key = "k", .user = "u", .address = {}}, 10);
    EXPECT_TRUE(decision.allowed);
    EXPECT_FALSE(decision.states[0].applies || decision.states[1].applies || decision.states[2].applies);
  }
  EXPECT_EQ(limiter.buckets(), 0U);
}

TEST(RateLimiter, ACostAboveTheBurstNeedsAFullBucketAndIsPaidByWaiting) {
  support::FakeClock clock;
  RateLimiter limiter(by_address(1, 10), clock);
  EXPECT_TRUE(limiter.take(from("a"), 25).allowed);
  clock.advance(seconds(15));  // the debt is paid, the bucket is empty
  EXPECT_NEAR(limiter.take(from("a"), 25).wait_seconds, 10, 1e-6);
  clock.advance(seconds(10));
  EXPECT_TRUE(limiter.take(from("a"), 25).allowed);
}

TEST(RateLimiter, OneRefusalTakesNothingOfTheOthers) {
  support::FakeClock clock;
  RateLimitOptions options;
  options.per_second = {1, 100, 1};
  options.burst_seconds = 10;
  RateLimiter limiter(options, clock);
  const RateSubject subject{.key = "k", .user = "u", .address = "a"};
  EXPECT_TRUE(limiter.take({.key = {}, .user = {}, .address = "a"}, 8).allowed);
  for (int i = 0; i < 50; ++i) {
    const RateDecision refused = limiter.take(subject, 5);
    ASSERT_FALSE(refused.allowed);
    EXPECT_EQ(refused.refused_by, RateScope::kAddress);
    EXPECT_NEAR(refused.states[0].left, 10, 1e-6);
    EXPECT_NEAR(refused.states[1].left, 1000, 1e-6);
    EXPECT_NEAR(refused.states[2].left, 2, 1e-6);
  }
}

TEST(RateLimiter, CorrectionsGiveBackNoMoreThanAFullBucketAndOweNoMoreThanABurst) {
  support::FakeClock clock;
  RateLimiter limiter(by_address(1, 10), clock);
  EXPECT_TRUE(limiter.take(from("a"), 6).allowed);
  EXPECT_NEAR(limiter.settle(from("a"), -4)[2].left, 8, 1e-6);
  EXPECT_NEAR(limiter.settle(from("a"), -1'000)[2].left, 10, 1e-6);
  EXPECT_TRUE(limiter.take(from("a"), 10).allowed);
  EXPECT_NEAR(limiter.settle(from("a"), 1'000'000)[2].full_seconds, 20, 1e-6);
  EXPECT_NEAR(limiter.take(from("a"), 1).wait_seconds, 11, 1e-6);
}

// A plain token bucket, in the textbook's words.
struct Tokens {
  double rate, burst, left;
  double last = 0;
  void refill(double now) {
    left = std::min(burst, left + (now - last) * rate);
    last = now;
  }
};

TEST(RateLimiter, AgreesWithTokenBucketsOnRandomHistories) {
  std::mt19937 random(7);
  for (int history = 0; history < 40; ++history) {
    const double rate = std::uniform_real_distribution(0.5, 50.0)(random);
    const double burst_seconds = std::uniform_real_distribution(2.0, 20.0)(random);
    support::FakeClock clock;
    RateLimiter limiter(by_address(rate, burst_seconds), clock);
    std::vector<Tokens> models(3, Tokens{rate, rate * burst_seconds, rate * burst_seconds});
    const std::vector<std::string> names{"a", "b", "c"};
    double now = 0;
    for (int step = 0; step < 400; ++step) {
      const double pause = std::exponential_distribution(rate)(random);
      clock.advance(seconds(pause));
      now += pause;
      const std::size_t who = random() % 3;
      Tokens& model = models[who];
      model.refill(now);
      const double cost = std::uniform_real_distribution(0.1, std::min(5.0, model.burst))(random);
      const RateDecision decision = limiter.take(from(names[who]), cost);
      if (std::abs(model.left - cost) > 1e-4) {
        ASSERT_EQ(decision.allowed, model.left >= cost) << history << " " << step;
      }
      if (decision.allowed) {
        model.left -= cost;
      } else {
        ASSERT_NEAR(decision.wait_seconds, (cost - model.left) / rate, 1e-4);
      }
      ASSERT_NEAR(decision.states[2].left, std::max(0.0, model.left), 1e-3) << history << " " << step;
    }
  }
}

// Whatever clients do, what was really used in any stretch of time is at most a burst, the rate times that stretch, and the one
// cost that may begin when the bucket is just full enough.
TEST(RateLimiter, NoHistoryUsesMoreThanTheRateAllows) {
  std::mt19937 random(11);
  for (int history = 0; history < 20; ++history) {
    const double rate = std::uniform_real_distribution(1.0, 20.0)(random);
    constexpr double kBurstSeconds = 5;
    support::FakeClock clock;
    RateLimiter limiter(by_address(rate, kBurstSeconds), clock);
    std::vector<std::pair<double, double>> used;  // when, how much
    double now = 0;
    double largest = 0;
    for (int step = 0; step < 600; ++step) {
      const double pause = std::exponential_distribution(rate * 2)(random);
      clock.advance(seconds(pause));
      now += pause;
      const double reserved = std::uniform_real_distribution(0.5, 4.0)(random);
      if (!limiter.take(from("a"), reserved).allowed) continue;
      const double actual = reserved * std::uniform_real_distribution(0.1, 1.5)(random);
      limiter.settle(from("a"), actual - reserved);
      largest = std::max(largest, actual);
      used.emplace_back(now, actual);
    }
    for (std::size_t begin = 0; begin < used.size(); begin += 7) {
      double total = 0;
      for (std::size_t at = begin; at < used.size(); ++at) {
        total += used[at].second;
        ASSERT_LE(total, rate * (kBurstSeconds + used[at].first - used[begin].first) + largest + 1e-3) << history;
      }
    }
    ASSERT_GT(used.size(), 50U);
  }
}

TEST(RateLimiter, AFloodOfNamesIsBoundedAndResetsNobody) {
  support::FakeClock clock;
  RateLimitOptions options = by_address(1, 10);
  options.max_buckets = 64;
  RateLimiter limiter(options, clock);
  ASSERT_TRUE(limiter.take(from("victim"), 10).allowed);
  for (int i = 0; i < 20'000; ++i) static_cast<void>(limiter.take(from("name " + std::to_string(i)), 1));
  EXPECT_LE(limiter.buckets(), 64U);
  EXPECT_FALSE(limiter.take(from("victim"), 1).allowed) << "its bucket was forgotten while it was empty";
  std::size_t granted = 0;
  for (int i = 0; i < 20'000; ++i) granted += limiter.take(from("other " + std::to_string(i)), 1).allowed ? 1U : 0U;
  EXPECT_LE(granted, 16U * 10U) << "those without room share one bucket a shard";
  clock.advance(seconds(30));
  for (int i = 0; i < 64; ++i) EXPECT_TRUE(limiter.take(from("later " + std::to_string(i)), 0.1).allowed) << "full buckets make room";
  EXPECT_LE(limiter.buckets(), 64U);
}

TEST(RateLimiter, ThreadsTogetherGetTheBurstOnce) {
  support::FakeClock clock;
  RateLimiter limiter(by_address(1, 1'000), clock);
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string own = "own " + std::to_string(t);
      for (int i = 0; i < 1'000; ++i) {
        granted += limiter.take(from("shared"), 1).allowed ? 1 : 0;
        static_cast<void>(limiter.take(from(own), 1));
        limiter.settle(from(own), -1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(granted.load(), 1'000);
  EXPECT_EQ(limiter.buckets(), 5U);
}

TEST(RateLimiter, OptionsAreChecked) {
  EXPECT_TRUE(RateLimitOptions{}.validate());
  const auto field = [](auto change) {
    RateLimitOptions options;
    change(options);
    const auto checked = options.validate();
    return checked ? std::string() : checked.error().field;
  };
  EXPECT_EQ(field([](RateLimitOptions& o) { o.per_second[0] = -1; }), "rate_limit_key");
  EXPECT_EQ(field([](RateLimitOptions& o) { o.per_second[1] = 1e9; }), "rate_limit_user");
  EXPECT_EQ(field([](RateLimitOptions& o) { o.per_second[2] = 0.01; }), "rate_limit_address") << "less than one search in a burst";
  EXPECT_EQ(field([](RateLimitOptions& o) { o.burst_seconds = 1e6; }), "rate_limit_burst_s");
  EXPECT_EQ(field([](RateLimitOptions& o) { o.max_buckets = 1; }), "rate_limit_buckets");
}

}  // namespace
}  // namespace scalestyle::http
