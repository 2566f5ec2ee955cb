#pragma once
// TurnQueue: a few turns for many takers, in the order they come; the rest wait without a thread, up to a bound.
//
// Who gets a turn goes on on the compute pool. Nothing here keeps time: a holder calls end_overdue() now and then while it
// works, which ends the waits whose deadline has passed.
// Thread safety: every method may be called from any thread. The queue must outlive its turns and waits.

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/worker_pool.hpp"

namespace scalestyle::adapters::embedded {

class TurnQueue {
 public:
  struct Options {
    std::size_t turns = 1;
    std::size_t max_waiting = 8;
  };

  // A turn that is held; destroying it hands it to who waits longest.
  class Turn {
   public:
    Turn() = default;
    explicit Turn(TurnQueue& queue) : queue_(&queue) {}
    Turn(Turn&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
    Turn& operator=(Turn&& other) noexcept {
      std::swap(queue_, other.queue_);
      return *this;
    }
    ~Turn() {
      if (queue_ != nullptr) queue_->give_back();
    }

   private:
    TurnQueue* queue_ = nullptr;
  };

  TurnQueue(Options options, core::WorkerPool& pool, const core::Clock& clock)
      : pool_(pool), clock_(clock), max_waiting_(options.max_waiting), free_(options.turns) {}

  // Errors: kResourceExhausted (as many wait as may), kDeadlineExceeded, kCancelled.
  [[nodiscard]] core::Task<core::Result<Turn>> take(core::Deadline deadline);
  void end_overdue();
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Wait {
    explicit Wait(core::Deadline until) : deadline(until) {}
    core::Deadline deadline;
    core::OneShot<core::Status> done;  // set by who takes it out of waits_
  };

  [[nodiscard]] core::Result<std::shared_ptr<Wait>> enter(core::Deadline deadline);
  void give_back();
  void cancel(const std::shared_ptr<Wait>& wait);

  core::WorkerPool& pool_;
  const core::Clock& clock_;
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::size_t free_;                        // guarded by mutex_; 0 while any waits
  std::deque<std::shared_ptr<Wait>> waits_;  // guarded by mutex_
};

}  // namespace scalestyle::adapters::embedded
