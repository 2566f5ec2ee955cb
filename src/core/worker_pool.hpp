#pragma once
// WorkerPool: the compute threads, fixed in number, fed by one bounded queue.
//
// The pool does not start threads itself: apps/ gives each of its threads to run(). Jobs must not block on I/O.
// Thread safety: every method may be called from any thread.

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>

#include "core/deadline.hpp"
#include "core/result.hpp"

namespace scalestyle::core {

class WorkerPool {
 public:
  struct Options {
    std::size_t threads = 1;          // how many threads will call run(); the width of parallel_for
    std::size_t queue_capacity = 1024;  // jobs waiting; more are shed with kResourceExhausted
  };

  WorkerPool(Options options, const Clock& clock) : options_(options), clock_(clock) {}
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs jobs on the calling thread until stop(); then finishes what is queued.
  void run();
  void stop();

  [[nodiscard]] std::size_t threads() const { return options_.threads; }
  [[nodiscard]] std::size_t queued() const;

  // kResourceExhausted when the queue is full, kCancelled after stop().
  [[nodiscard]] Status submit(std::function<void()> job);

  // A worker takes up `help` while no job waits, those lent first first. It is not waited for and not counted by queued(), and
  // is dropped where as many as there are threads, times kLentAThread, are lent already, and by stop(): nobody may need it.
  void lend(std::function<void()> help);
  static constexpr std::size_t kLentAThread = 16;

  // `CORE_CO_CHECK(co_await pool.schedule(deadline));` continues on a worker; at once when this is one and nothing is
  // queued. Errors: kResourceExhausted (queue full,
  // at once, on the calling thread), kDeadlineExceeded or kCancelled when that happened while waiting.
  class ScheduleAwaiter;
  [[nodiscard]] ScheduleAwaiter schedule(Deadline deadline);

  // Calls body(0) … body(count − 1), each once, on this thread and on workers that are idle; returns when all are
  // done. Bodies must not throw or wait. May be called on a worker. Order and thread are unspecified.
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  // This thread is in run() and no job waits.
  [[nodiscard]] bool is_idle_worker() const;

  Options options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  std::deque<std::function<void()>> lent_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
};

class WorkerPool::ScheduleAwaiter {
 public:
  ScheduleAwaiter(WorkerPool& pool, Deadline deadline) : pool_(pool), deadline_(deadline) {}
  // A worker with nothing else to do goes on at once: a hand-over would cost it tens of microseconds.
  [[nodiscard]] bool await_ready() const noexcept { return pool_.is_idle_worker(); }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    stop_ = handle.promise().stop;
    return enqueue(handle);
  }
  Status await_resume();

 private:
  bool enqueue(std::coroutine_handle<> handle);  // false: refused, continue on this thread with status_

  WorkerPool& pool_;
  Deadline deadline_;
  std::stop_token stop_;
  Status status_;
};

}  // namespace scalestyle::core
