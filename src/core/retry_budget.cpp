#include "core/retry_budget.hpp"

#include <algorithm>

namespace scalestyle::core {

RetryBudget::RetryBudget(const Options& options) : options_(options), left_(options.reserve) {}

void RetryBudget::count_call() {
  const std::lock_guard lock(mutex_);
  left_ = std::min(left_ + options_.per_call, std::max(options_.reserve, 1.0));
}

bool RetryBudget::take() {
  const std::lock_guard lock(mutex_);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

double RetryBudget::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

}  // namespace scalestyle::core
