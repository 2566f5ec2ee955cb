#pragma once
// TurnQueue: a few turns for many takers, in the order they come; the rest wait without a thread, up to a bound. Takers may have
// weights, such as the tokens that they bring, of which the sum is bounded.
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
    std::size_t max_waiting = 8;  // sum of the weights of those who wait; one alone may always wait
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
  [[nodiscard]] core::Task<core::Result<Turn>> take(core::Deadline deadline, std::size_t weight = 1);
  void end_overdue();
  [[nodiscard]] std::size_t waiting() const;  // takers
  [[nodiscard]] std::size_t waiting_weight() const;

 private:
  struct Wait {
    Wait(core::Deadline until, std::size_t of_weight) : deadline(until), weight(of_weight) {}
    core::Deadline deadline;
    std::size_t weight;
    core::OneShot<core::Status> done;  // set by who takes it out of waits_
  };

  [[nodiscard]] core::Result<std::shared_ptr<Wait>> enter(core::Deadline deadline, std::size_t weight);
  void give_back();
  void cancel(const std::shared_ptr<Wait>& wait);

  core::WorkerPool& pool_;
  const core::Clock& clock_;
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::size_t free_;                        // guarded by mutex_; 0 while any waits
  std::size_t waiting_weight_ = 0;          // guarded by mutex_; of waits_
  std::deque<std::shared_ptr<Wait>> waits_;  // guarded by mutex_
};

}  // namespace scalestyle::adapters::embedded
