#pragma once
// A pair scorer whose pairs take a fixed time of a clock that stands still otherwise: it ends at its deadline like a real
// one, and always at the same pair. Scores are those of FakePairScorer. Completes at once, on the caller's thread.

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/fake_pair_scorer.hpp"

namespace scalestyle::support {

class SlowPairScorer final : public ports::PairScorer {
 public:
  static constexpr std::size_t kTokens = 50;  // of every pair

  SlowPairScorer(FakeClock& clock, std::chrono::milliseconds per_pair, std::string model = "slow-scorer")
      : clock_(clock), per_pair_(per_pair), info_{std::move(model), "fedcba9876543210fedcba9876543210", "f32", "sigmoid", 512} {}

  [[nodiscard]] const ports::ScorerInfo& info() const override { return info_; }
  [[nodiscard]] double tokens_per_second() const override {
    return static_cast<double>(kTokens) / std::chrono::duration<double>(per_pair_).count();
  }
  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override {
    ports::PairScores scores;
    for (const std::string& text : texts) {
      if (deadline.remaining(clock_) < per_pair_) break;
      clock_.advance(per_pair_);
      const float logit = fake_logit(query, text);
      scores.scores.push_back({.logit = logit, .score = 1 / (1 + std::exp(-logit))});
    }
    const std::lock_guard lock(mutex_);
    ++calls_;
    pairs_ += scores.scores.size();
    scores.pairs_computed = scores.scores.size();
    scores.tokens = scores.pairs_computed * kTokens;
    if (fail_from_ && calls_ >= *fail_from_) co_return core::fail(core::ErrorCode::kUnavailable, "the scorer is away");
    co_return scores;
  }

  // The calls from this one on, counted from 1, fail.
  void fail_from(std::optional<std::size_t> call) {
    const std::lock_guard lock(mutex_);
    fail_from_ = call;
  }
  [[nodiscard]] std::size_t pairs() const {
    const std::lock_guard lock(mutex_);
    return pairs_;
  }
  [[nodiscard]] std::size_t calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  FakeClock& clock_;
  const std::chrono::milliseconds per_pair_;
  ports::ScorerInfo info_;
  mutable std::mutex mutex_;
  std::size_t pairs_ = 0;  // guarded by mutex_, as all below
  std::size_t calls_ = 0;
  std::optional<std::size_t> fail_from_;
};

}  // namespace scalestyle::support
