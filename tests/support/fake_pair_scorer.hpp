#pragma once
// A pair scorer that needs no model: the more of the query's words a text has, the higher its logit; equal pairs get
// equal scores. Faults are set by the test: an error, a number of texts after which the deadline "ends". hold() keeps
// every later call waiting on the pool until release().

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/worker_pool.hpp"
#include "ports/pair_scorer.hpp"
#include "text/unicode.hpp"

namespace scalestyle::support {

// From -4 (no word of the query) to 4 (all), and a little by the text, so that texts seldom tie.
inline float fake_logit(std::string query, std::string text) {
  for (std::string* one : {&query, &text}) {
    std::ranges::transform(*one, one->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  }
  std::istringstream words(query);
  double all = 0;
  double found = 0;
  for (std::string word; words >> word; ++all) found += text.find(word) == std::string::npos ? 0 : 1;
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return static_cast<float>((all == 0 ? 0 : 8 * found / all - 4) + static_cast<double>(hash % 1000) * 1e-4);
}

class FakePairScorer final : public ports::PairScorer {
 public:
  struct Call {
    std::string query;
    std::vector<std::string> texts;
  };

  FakePairScorer(core::WorkerPool& pool, const core::Clock& clock, std::string model = "fake-scorer")
      : pool_(pool), clock_(clock), info_{std::move(model), "0123456789abcdef0123456789abcdef", "f32", "sigmoid", 512} {}

  [[nodiscard]] const ports::ScorerInfo& info() const override { return info_; }
  [[nodiscard]] double tokens_per_second() const override {
    const std::lock_guard lock(mutex_);
    return tokens_per_second_;
  }

  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override {
    const core::Status turn = co_await pool_.schedule(deadline);
    if (!turn && turn.error().code != core::ErrorCode::kDeadlineExceeded) co_return std::unexpected(turn.error());
    std::size_t most = std::numeric_limits<std::size_t>::max();
    {
      std::unique_lock lock(mutex_);
      calls_.push_back({query, texts});
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
      --waiting_;
      if (fault_) co_return std::unexpected(*fault_);
      most = most_texts_;
    }
    for (const std::string* text : all_of(query, texts)) {
      if (!text::is_valid_utf8(*text)) co_return core::fail(core::ErrorCode::kInvalidArgument, "a text is not UTF-8");
    }
    ports::PairScores scores;
    std::set<std::string> distinct;
    for (std::size_t i = 0; i < std::min(texts.size(), most) && !deadline.expired(clock_); ++i) {
      const float logit = fake_logit(query, texts[i]);
      scores.scores.push_back({.logit = logit, .score = 1 / (1 + std::exp(-logit))});
      if (distinct.insert(texts[i]).second) scores.tokens += std::min(query.size() + texts[i].size() + 3, info_.max_tokens);
    }
    scores.pairs_computed = distinct.size();
    co_return scores;
  }

  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Returns when `calls` calls of score are being held.
  void wait_until_held(std::size_t calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= calls; });
  }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  // Later calls score so many texts, as if their deadline had ended then.
  void score_at_most(std::size_t texts) {
    const std::lock_guard lock(mutex_);
    most_texts_ = texts;
  }
  void set_tokens_per_second(double rate) {
    const std::lock_guard lock(mutex_);
    tokens_per_second_ = rate;
  }
  [[nodiscard]] std::vector<Call> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  static std::vector<const std::string*> all_of(const std::string& query, const std::vector<std::string>& texts) {
    std::vector<const std::string*> all{&query};
    for (const std::string& text : texts) all.push_back(&text);
    return all;
  }

  core::WorkerPool& pool_;
  const core::Clock& clock_;
  ports::ScorerInfo info_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;  // guarded by mutex_, as all below
  std::size_t waiting_ = 0;
  std::size_t most_texts_ = std::numeric_limits<std::size_t>::max();
  double tokens_per_second_ = 20'000;
  std::optional<core::Error> fault_;
  std::vector<Call> calls_;
};

}  // namespace scalestyle::support
