#pragma once
// in_time(): a task's result, or an error once the deadline passes or the caller goes away, whatever the task does.
//
// The task is asked to stop and left to end by itself; what it still gives is dropped. Resumes on the thread that
// completed the task, on the timer queue's, or on the one that asked for the stop.

#include <memory>
#include <utility>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "search/timed_slot.hpp"

namespace scalestyle::search {

namespace detail {

// An exception becomes an error where start() handles it: in a Result.
template <class T>
core::Task<core::Result<T>> as_result(core::Task<T> task) {
  co_return core::Result<T>(co_await std::move(task));
}

}  // namespace detail

// Errors: kDeadlineExceeded, kCancelled, kInternal (an exception); else what the task gave.
template <class T>
core::Task<core::Result<T>> in_time(core::Task<T> task, core::TimerQueue& timers, core::Deadline deadline) {
  auto slot = std::make_shared<TimedSlot<core::Result<T>>>();
  std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  const core::Operation operation = core::start(
      detail::as_result(std::move(task)), [slot](core::Result<T>&& value) { slot->offer(std::move(value)); }, std::move(context));
  co_return co_await await_slot<T>(slot, timers, deadline);
}

// The same for a task that gives a Result: one level of errors.
template <class T>
core::Task<core::Result<T>> result_in_time(core::Task<core::Result<T>> task, core::TimerQueue& timers, core::Deadline deadline) {
  core::Result<core::Result<T>> outcome = co_await in_time(std::move(task), timers, deadline);
  if (!outcome) co_return std::unexpected(std::move(outcome).error());
  co_return std::move(*outcome);
}

}  // namespace scalestyle::search
