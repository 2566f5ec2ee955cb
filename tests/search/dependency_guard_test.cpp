#include "search/dependency_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "search/dependency_probes.hpp"
#include "search/guarded_ports.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_feature_store.hpp"

namespace scalestyle::search {
namespace {

using namespace std::chrono_literals;
using core::BreakerState;
using core::ErrorCode;
using testing::HasSubstr;

// Scores so many of the texts, whatever they are.
class Scorer final : public ports::PairScorer {
 public:
  const ports::ScorerInfo& info() const override { return info_; }
  double tokens_per_second() const override { return 0; }
  core::Task<core::Result<ports::PairScores>> score(std::string, std::vector<std::string>, core::Deadline) override {
    ports::PairScores scores;
    scores.scores.resize(scored);
    co_return scores;
  }
  std::size_t scored = 0;

 private:
  ports::ScorerInfo info_;
};

// Fails, or hears no deadline and no stop, as the test wants.
class Encoder final : public ports::TextEncoder {
 public:
  const ports::EncoderInfo& info() const override { return info_; }
  core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string>, core::Deadline) override {
    ++calls;
    co_await gate.pass();
    if (fault) co_return std::unexpected(*fault);
    if (calls > good_calls) co_return core::fail(ErrorCode::kUnavailable, "no more");
    co_return ports::EmbeddingBatch{};
  }
  std::optional<core::Error> fault;
  int good_calls = 1'000'000;
  int calls = 0;
  support::FakeGate gate;

 private:
  ports::EncoderInfo info_;
};

class DependencyGuardTest : public testing::Test {
 protected:
  [[nodiscard]] core::Deadline in(std::chrono::milliseconds time) const { return core::Deadline::after(time, clock_); }
  [[nodiscard]] std::optional<ErrorCode> encode(core::Deadline deadline) {
    const auto outcome = core::sync_wait(guarded_.encode({"text"}, deadline));
    return outcome ? std::nullopt : std::optional(outcome.error().code);
  }
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    timers_.run_due();
  }
  // A call that hangs; `leaves` says when its caller drops it.
  [[nodiscard]] std::optional<ErrorCode> hang(std::chrono::milliseconds deadline, std::optional<std::chrono::milliseconds> leaves) {
    encoder_.gate.hold();
    std::optional<ErrorCode> code;
    auto operation = core::start(guarded_.encode({"text"}, in(deadline)), [&](auto&& outcome) {
      if (!outcome) code = outcome.error().code;
    });
    pass(leaves.value_or(deadline));
    if (leaves) operation.cancel();
    else pass(10ms);  // the guard's own end
    operation.detach();
    return code;
  }

  support::FakeClock clock_;
  core::TimerQueue timers_{clock_};
  telemetry::Metrics metrics_;
  Encoder encoder_;
  DependencyGuard guard_{{.name = "inference", .breaker = {.jitter = 0}}, {.timers = timers_, .clock = clock_, .metrics = metrics_}};
  GuardedTextEncoder guarded_{encoder_, guard_};
};

TEST_F(DependencyGuardTest, AnOpenBreakerRefusesAtOnceAndProbesLater) {
  encoder_.fault = core::Error{ErrorCode::kUnavailable, "refused"};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(encode(in(1s)), ErrorCode::kUnavailable);
  EXPECT_EQ(guard_.state(), BreakerState::kOpen);
  EXPECT_EQ(encode(in(1s)), ErrorCode::kCircuitOpen);
  EXPECT_EQ(encoder_.calls, 5);
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_dependency_breaker_state{dependency=\"inference\"} 2"));
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_dependency_calls_total{dependency=\"inference\",outcome=\"refused\"} 1"));
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_dependency_calls_total{dependency=\"inference\",outcome=\"failure\"} 5"));
  pass(10s);
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_dependency_breaker_state{dependency=\"inference\"} 1"));
  encoder_.fault.reset();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(encode(in(1s)), std::nullopt);
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_dependency_breaker_state{dependency=\"inference\"} 0"));
}

// With a call of its own, no caller is a probe, and traffic is not needed.
class ProbedGuardTest : public DependencyGuardTest {
 protected:
  ProbedGuardTest() {
    guard_.probe_with(probe_of(encoder_), 250ms);
    encoder_.fault = core::Error{ErrorCode::kUnavailable, "refused"};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(encode(in(1s)), ErrorCode::kUnavailable);
    EXPECT_EQ(guard_.state(), BreakerState::kOpen);
    encoder_.calls = 0;
  }
};

TEST_F(ProbedGuardTest, ClosesWithoutTrafficOnceItsTimeIsOver) {
  encoder_.fault.reset();
  pass(9'999ms);
  EXPECT_EQ(encoder_.calls, 0);
  EXPECT_EQ(encode(in(1s)), ErrorCode::kCircuitOpen);
  pass(1ms);
  EXPECT_EQ(encoder_.calls, 6);  // one that finds it there, and the breaker's five
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
  EXPECT_EQ(encode(in(1s)), std::nullopt);
}

TEST_F(ProbedGuardTest, WhatIsStillAwayIsAskedEverySecondAndFoundWhenItIsBack) {
  pass(10s);
  for (int second = 1; second <= 30; ++second) {
    EXPECT_EQ(encoder_.calls, second);
    EXPECT_EQ(guard_.state(), BreakerState::kOpen);
    EXPECT_EQ(encode(in(1s)), ErrorCode::kCircuitOpen);
    pass(1s);
  }
  encoder_.fault.reset();
  pass(1s);
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
}

TEST_F(ProbedGuardTest, WhoFailsAgainIsLeftAloneForAsLongAgain) {
  encoder_.fault.reset();
  encoder_.good_calls = 1;
  pass(10s);
  EXPECT_EQ(guard_.state(), BreakerState::kOpen);
  EXPECT_EQ(encoder_.calls, 4);  // of the breaker's five three failures decide
  pass(9s);
  EXPECT_EQ(encoder_.calls, 4);
  encoder_.good_calls = 1'000'000;
  pass(1s);
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
}

TEST_F(ProbedGuardTest, NoCallerWaitsWhileItIsProbed) {
  encoder_.fault.reset();
  encoder_.gate.hold();
  pass(10s);
  EXPECT_EQ(guard_.state(), BreakerState::kOpen) << "nobody was found yet";
  EXPECT_EQ(encoder_.calls, 1);
  EXPECT_EQ(encode(in(1s)), ErrorCode::kCircuitOpen);
  EXPECT_EQ(encoder_.calls, 1);
  pass(260ms);  // late, a little after the end of its time
  pass(1s);
  EXPECT_EQ(encoder_.calls, 2);
  EXPECT_EQ(encode(in(1s)), ErrorCode::kCircuitOpen);
  encoder_.gate.release();
}

TEST_F(ProbedGuardTest, AServerThatIsFullIsAskedAgainAfterAPause) {
  encoder_.fault = core::Error{ErrorCode::kResourceExhausted, "full"};
  pass(10s);
  EXPECT_EQ(encoder_.calls, 1);
  EXPECT_EQ(guard_.state(), BreakerState::kOpen);
  pass(999ms);
  EXPECT_EQ(encoder_.calls, 1);
  encoder_.fault.reset();
  pass(1ms);
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
}

TEST_F(DependencyGuardTest, AScorerThatGivesNothingIsLate) {
  Scorer scorer;
  const auto late = core::sync_wait(probe_of(scorer)(in(1s)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
  scorer.scored = 1;
  EXPECT_TRUE(core::sync_wait(probe_of(scorer)(in(1s))));
}

TEST_F(DependencyGuardTest, ACallThatHangsIsEndedAndCounts) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(hang(200ms, {}), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(guard_.state(), BreakerState::kOpen);
  encoder_.gate.release();  // what was left behind ends now, without harm
}

TEST_F(DependencyGuardTest, ACallDroppedWhenTheStagesTimeEndedCountsAsLate) {
  for (int i = 0; i < 5; ++i) static_cast<void>(hang(200ms, 200ms));
  EXPECT_EQ(guard_.state(), BreakerState::kOpen);
  encoder_.gate.release();
}

TEST_F(DependencyGuardTest, ACallerThatGoesAwayEarlierSaysNothing) {
  for (int i = 0; i < 100; ++i) static_cast<void>(hang(200ms, 199ms));
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
  EXPECT_THAT(metrics_.render(), HasSubstr("outcome=\"no_verdict\"} 100"));
  encoder_.gate.release();
}

TEST_F(DependencyGuardTest, ACallThatHadNoFairTimeSaysNothing) {
  for (int i = 0; i < 100; ++i) static_cast<void>(hang(49ms, {}));
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
  encoder_.gate.release();
}

TEST_F(DependencyGuardTest, CapacityAndWrongRequestsNeverCount) {
  for (const ErrorCode code : {ErrorCode::kResourceExhausted, ErrorCode::kInvalidArgument, ErrorCode::kNotFound, ErrorCode::kCancelled}) {
    encoder_.fault = core::Error{code, "no"};
    for (int i = 0; i < 20; ++i) EXPECT_EQ(encode(in(1s)), code);
  }
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
}

TEST_F(DependencyGuardTest, AScorerThatScoresNothingInFairTimeIsLate) {
  Scorer scorer;
  GuardedPairScorer guarded(scorer, guard_);
  const auto score = [&](std::chrono::milliseconds time) {
    return core::sync_wait(guarded.score("query", {"text"}, in(time)));
  };
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(score(20ms));  // the last bit of a budget
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
  scorer.scored = 1;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(score(100ms));
  scorer.scored = 0;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(score(100ms));
  EXPECT_EQ(score(100ms).error().code, ErrorCode::kCircuitOpen);
}

TEST_F(DependencyGuardTest, FeaturesAreRefusedWhereReadsFailAndEventsThatDoNotComeAreNoFailure) {
  support::FakeFeatureStore store;
  GuardedFeatureStore guarded(store, guard_);
  const auto wait = [&] { return core::sync_wait(guarded.wait_applied({}, in(1s))); };
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(wait());
  EXPECT_EQ(guard_.state(), BreakerState::kClosed);
  store.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(core::sync_wait(guarded.read(events::Subject::user(core::UserId("u")), in(1s))).error().code, ErrorCode::kUnavailable);
  }
  EXPECT_EQ(core::sync_wait(guarded.read(events::Subject::user(core::UserId("u")), in(1s))).error().code, ErrorCode::kCircuitOpen);
  EXPECT_EQ(wait().error().code, ErrorCode::kCircuitOpen);
  EXPECT_TRUE(core::sync_wait(guarded.checkpoint(in(1s))));  // what writes goes by
}

}  // namespace
}  // namespace scalestyle::search
