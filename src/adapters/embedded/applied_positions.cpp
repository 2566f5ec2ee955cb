#include "adapters/embedded/applied_positions.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <stop_token>

namespace scalestyle::adapters::embedded {

struct AppliedPositions::Waiter {
  // True for the one caller that may settle. It then calls slot.set().
  [[nodiscard]] bool claim() { return !claimed.exchange(true, std::memory_order_acq_rel); }

  Key key;
  std::atomic<bool> claimed{false};
  core::OneShot<core::Result<bool>> slot;
};

void AppliedPositions::restore(const std::vector<events::EventPosition>& positions) {
  const std::lock_guard lock(mutex_);
  for (const auto& position : positions) offsets_[{position.stream, position.partition}] = position.offset;
}

std::optional<std::int64_t> AppliedPositions::offset(const std::string& stream, std::int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = offsets_.find({stream, partition});
  if (found == offsets_.end()) return std::nullopt;
  return found->second;
}

std::vector<events::EventPosition> AppliedPositions::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<events::EventPosition> positions;
  for (const auto& [partition, offset] : offsets_) positions.push_back({partition.first, partition.second, offset});
  return positions;
}

void AppliedPositions::advance(const events::EventPosition& position, Waiters& reached) {
  const std::lock_guard lock(mutex_);
  const Partition partition{position.stream, position.partition};
  const auto [place, is_new] = offsets_.try_emplace(partition, position.offset);
  if (!is_new) place->second = std::max(place->second, position.offset);
  const auto begin = waiters_.lower_bound({partition, std::numeric_limits<std::int64_t>::min()});
  const auto end = waiters_.upper_bound({partition, place->second});
  for (auto waiter = begin; waiter != end; ++waiter) reached.push_back(waiter->second);
  waiters_.erase(begin, end);
}

void AppliedPositions::resume(const Waiters& reached) {
  for (const auto& waiter : reached) settle_on_pool(waiter, true);
}

// What follows a wait is a whole request: it does not run on the log's thread or on that of the timers.
void AppliedPositions::settle_on_pool(const WaiterPointer& waiter, bool reached) {
  if (!waiter->claim()) return;
  const auto settle = [waiter, reached] { waiter->slot.set(reached); };
  if (auto submitted = pool_.submit(settle); !submitted) settle();  // a full or stopping pool: no other thread will
}

std::optional<core::Result<bool>> AppliedPositions::answer_or_enqueue(const WaiterPointer& waiter) {
  const std::lock_guard lock(mutex_);
  const auto found = offsets_.find(waiter->key.first);
  if (found != offsets_.end() && found->second >= waiter->key.second) return core::Result<bool>(true);
  const std::string& stream = waiter->key.first.first;
  const bool ours = offsets_.empty() || std::ranges::any_of(offsets_, [&](const auto& known) { return known.first.first == stream; });
  if (!ours) return core::Result<bool>(false);
  if (waiters_.size() >= kMostWaiters) {
    return core::Result<bool>(core::fail(core::ErrorCode::kResourceExhausted, "too many requests wait for their event; try again later"));
  }
  waiters_.emplace(waiter->key, waiter);
  return std::nullopt;
}

void AppliedPositions::forget(const WaiterPointer& waiter) {
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = waiters_.equal_range(waiter->key);
  const auto place = std::find_if(begin, end, [&](const auto& entry) { return entry.second == waiter; });
  if (place != end) waiters_.erase(place);
}

core::Task<core::Result<bool>> AppliedPositions::wait(events::EventPosition position, core::Deadline deadline) {
  auto waiter = std::make_shared<Waiter>();
  waiter->key = {{std::move(position.stream), position.partition}, position.offset};
  const std::stop_token stop = co_await core::current_stop_token();
  if (auto answer = answer_or_enqueue(waiter)) co_return std::move(*answer);

  std::optional<core::TimerQueue::TimerId> timer;
  if (!deadline.is_never()) {
    timer = timers_.schedule(deadline.time(), [waiter, this] { settle_on_pool(waiter, false); });
  }
  core::Result<bool> reached = false;
  {
    // Resuming destroys the frame this callback lives in: it works on its own copy of the pointer.
    const auto on_stop = [&waiter] {
      const WaiterPointer self = waiter;
      if (self->claim()) self->slot.set(core::fail(core::ErrorCode::kCancelled, "the caller went away"));
    };
    const std::stop_callback stop_callback(stop, on_stop);
    reached = co_await waiter->slot;
  }
  if (timer) timers_.cancel(*timer);
  forget(waiter);
  co_return reached;
}

}  // namespace scalestyle::adapters::embedded
