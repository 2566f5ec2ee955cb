#include "adapters/embedded/turn_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

namespace scalestyle::adapters::embedded {

using core::ErrorCode;

// A wait that is already over: null.
core::Result<std::shared_ptr<TurnQueue::Wait>> TurnQueue::enter(core::Deadline deadline, std::size_t weight) {
  const std::lock_guard lock(mutex_);
  if (free_ > 0) {
    --free_;
    return nullptr;
  }
  if (waiting_weight_ + weight > max_waiting_ && (!waits_.empty() || max_waiting_ == 0)) {
    return core::fail(ErrorCode::kResourceExhausted,
                      fmt::format("every turn is taken and {} wait for one; try again later", waits_.size()));
  }
  waits_.push_back(std::make_shared<Wait>(deadline, weight));
  waiting_weight_ += weight;
  return waits_.back();
}

core::Task<core::Result<TurnQueue::Turn>> TurnQueue::take(core::Deadline deadline, std::size_t weight) {
  const std::stop_token stop = co_await core::current_stop_token();
  CORE_CO_TRY(const std::shared_ptr<Wait> wait, enter(deadline, weight));
  if (wait == nullptr) co_return Turn(*this);
  std::optional<std::stop_callback<std::function<void()>>> canceller;
  canceller.emplace(stop, [this, wait] { cancel(wait); });
  core::Status outcome = co_await wait->done;
  canceller.reset();
  if (!outcome) co_return std::unexpected(std::move(outcome).error());
  co_return Turn(*this);
}

void TurnQueue::give_back() {
  std::shared_ptr<Wait> next;
  {
    const std::lock_guard lock(mutex_);
    if (waits_.empty()) {
      ++free_;
      return;
    }
    next = std::move(waits_.front());
    waits_.pop_front();
    waiting_weight_ -= next->weight;
  }
  // Through the queue: the next taker must not run inside the end of this one. Where that is refused it hears so itself
  // as soon as it wants a worker, and gives the turn on.
  if (!pool_.submit([next] { next->done.set({}); })) next->done.set({});
}

void TurnQueue::cancel(const std::shared_ptr<Wait>& wait) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = std::ranges::find(waits_, wait);
    if (at == waits_.end()) return;  // it has its turn, or has been ended
    waits_.erase(at);
    waiting_weight_ -= wait->weight;
  }
  wait->done.set(core::fail(ErrorCode::kCancelled, "cancelled while waiting for a turn"));
}

void TurnQueue::end_overdue() {
  std::vector<std::shared_ptr<Wait>> overdue;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = waits_.begin(); at != waits_.end();) {
      if (!(*at)->deadline.expired(clock_)) {
        ++at;
        continue;
      }
      waiting_weight_ -= (*at)->weight;
      overdue.push_back(std::move(*at));
      at = waits_.erase(at);
    }
  }
  for (const auto& wait : overdue) {
    wait->done.set(core::fail(ErrorCode::kDeadlineExceeded, "the deadline passed while waiting for a turn"));
  }
}

std::size_t TurnQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waits_.size();
}

std::size_t TurnQueue::waiting_weight() const {
  const std::lock_guard lock(mutex_);
  return waiting_weight_;
}

}  // namespace scalestyle::adapters::embedded
