#pragma once
// AppliedPositions: how far each partition has taken effect, and those who wait for an event to do so.
//
// A partition's events are applied in order, so an event has taken effect when its partition's position is at or past it:
// the position is the event's own marker. Thread safety: every method may be called from any thread.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "core/deadline.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "events/event_position.hpp"

namespace scalestyle::adapters::embedded {

class AppliedPositions {
 public:
  static constexpr std::size_t kMostWaiters = 4'096;

  AppliedPositions(core::WorkerPool& pool, core::TimerQueue& timers, const core::Clock& clock)
      : pool_(pool), timers_(timers), clock_(clock) {}

  // Nobody may wait yet.
  void restore(const std::vector<events::EventPosition>& positions);
  [[nodiscard]] std::optional<std::int64_t> offset(const std::string& stream, std::int32_t partition) const;
  [[nodiscard]] std::vector<events::EventPosition> all() const;

  // Moves a partition forward, never back, and adds those who waited for it to `reached`.
  struct Waiter;
  using Waiters = std::vector<std::shared_ptr<Waiter>>;
  void advance(const events::EventPosition& position, Waiters& reached);
  // They resume on the pool, or here when it refuses: hold no lock.
  void resume(const Waiters& reached);

  // True once the event has taken effect; false at the deadline, and at once for another log's stream.
  // Errors: kCancelled, kResourceExhausted (too many wait).
  [[nodiscard]] core::Task<core::Result<bool>> wait(events::EventPosition position, core::Deadline deadline);

 private:
  using Partition = std::pair<std::string, std::int32_t>;
  using Key = std::pair<Partition, std::int64_t>;
  using WaiterPointer = std::shared_ptr<Waiter>;

  // nullopt: it has to be waited for.
  [[nodiscard]] std::optional<core::Result<bool>> answer_or_enqueue(const WaiterPointer& waiter);
  void settle_on_pool(const WaiterPointer& waiter, bool reached);
  void forget(const WaiterPointer& waiter);

  core::WorkerPool& pool_;
  core::TimerQueue& timers_;
  const core::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<Partition, std::int64_t> offsets_;    // guarded by mutex_
  std::multimap<Key, WaiterPointer> waiters_;    // guarded by mutex_
};

}  // namespace scalestyle::adapters::embedded
