#include "core/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace scalestyle::core {

namespace {

thread_local const WorkerPool* pool_of_this_thread = nullptr;

}  // namespace

bool WorkerPool::is_idle_worker() const { return pool_of_this_thread == this && queued() == 0; }

void WorkerPool::run() {
  pool_of_this_thread = this;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty() || !lent_.empty(); });
    auto& queue = jobs_.empty() && !stopping_ ? lent_ : jobs_;
    if (queue.empty()) break;
    auto job = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
  pool_of_this_thread = nullptr;
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

Status WorkerPool::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(ErrorCode::kCancelled, "the compute pool is stopping");
    if (jobs_.size() >= options_.queue_capacity) {
      return fail(ErrorCode::kResourceExhausted, "the compute queue is full; try again later");
    }
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return {};
}

void WorkerPool::lend(std::function<void()> help) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || lent_.size() >= kLentAThread * options_.threads) return;
    lent_.push_back(std::move(help));
  }
  wake_.notify_one();
}

WorkerPool::ScheduleAwaiter WorkerPool::schedule(Deadline deadline) { return ScheduleAwaiter(*this, deadline); }

bool WorkerPool::ScheduleAwaiter::enqueue(std::coroutine_handle<> handle) {
  // A worker may resume the coroutine before submit() returns: after a success nothing here may touch *this.
  auto submitted = pool_.submit([handle] { handle.resume(); });
  if (submitted) return true;
  status_ = std::move(submitted);
  return false;
}

Status WorkerPool::ScheduleAwaiter::await_resume() {
  if (!status_) return status_;
  if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled while waiting for a worker");
  if (deadline_.expired(pool_.clock_)) return fail(ErrorCode::kDeadlineExceeded, "the deadline passed while waiting for a worker");
  return {};
}

namespace {

// Shared by the caller and its helpers; outlives a helper job that is dequeued after the caller returned.
struct ParallelState {
  ParallelState(std::size_t total, const std::function<void(std::size_t)>* work) : count(total), body(work) {}
  const std::size_t count;
  const std::function<void(std::size_t)>* body;  // valid while an index below count is unclaimed or running
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> finished{0};

  void work() {
    for (std::size_t index = next.fetch_add(1); index < count; index = next.fetch_add(1)) {
      (*body)(index);
      finished.fetch_add(1, std::memory_order_release);
    }
  }
};

}  // namespace

void WorkerPool::parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count == 0) return;
  if (count == 1 || options_.threads <= 1) {
    for (std::size_t index = 0; index < count; ++index) body(index);
    return;
  }
  auto state = std::make_shared<ParallelState>(count, &body);
  const std::size_t helpers = std::min(count, options_.threads) - 1;
  {
    // Helper jobs go first: they finish work that has already begun. They are not counted against the capacity.
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < helpers && !stopping_; ++i) jobs_.push_front([state] { state->work(); });
  }
  for (std::size_t i = 0; i < helpers; ++i) wake_.notify_one();
  state->work();
  // Whatever is left is running on a worker now: it ends within one body's time.
  while (state->finished.load(std::memory_order_acquire) < count) std::this_thread::yield();
}

}  // namespace scalestyle::core
