#pragma once
// Continues on a worker of the pool like WorkerPool::schedule(), but not later than the deadline: while every worker is
// held, the caller goes on at its deadline, on the timers' thread.

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"

namespace scalestyle::search {

// Errors: kResourceExhausted (queue full; at once, on the calling thread), kDeadlineExceeded, kCancelled.
// Pool and timers must outlive the wait.
[[nodiscard]] core::Task<core::Status> schedule_by(core::WorkerPool& pool, core::TimerQueue& timers, core::Deadline deadline);

}  // namespace scalestyle::search
