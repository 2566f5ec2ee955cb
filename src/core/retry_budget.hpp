#pragma once
// RetryBudget: how many calls of a dependency may be made once more. Each call pays a share of a retry into the budget, which
// holds `reserve` at the start and at most: a dependency in trouble gets a tenth more work of it, not twice as much.
//
// Thread safety: every method may be called from any thread.

#include <mutex>

namespace scalestyle::core {

class RetryBudget {
 public:
  struct Options {
    double per_call = 0.1;  // retries that a call pays in
    double reserve = 3;     // at the start, and at most; below 1 it still gathers one
  };
  explicit RetryBudget(const Options& options);

  void count_call();
  // Takes one retry; false when none is left: then the first outcome stands.
  [[nodiscard]] bool take();
  [[nodiscard]] double left() const;

 private:
  const Options options_;
  mutable std::mutex mutex_;
  double left_;  // guarded by mutex_
};

}  // namespace scalestyle::core
