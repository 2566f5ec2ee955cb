#pragma once
// FakeGate: lets calls of a fake through, or keeps them waiting until release(). Thread-safe.
//
// `co_await gate.pass();` at the start of a fake's method. Held calls go on, one after another, on the thread that calls
// release(), or in the destructor: a call that "never answers" is one that is held to the end of the test.

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/task.hpp"

namespace scalestyle::support {

class FakeGate {
 public:
  FakeGate() = default;
  FakeGate(const FakeGate&) = delete;
  FakeGate& operator=(const FakeGate&) = delete;
  ~FakeGate() { release(); }

  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }

  void release() {
    std::vector<std::shared_ptr<core::OneShot<bool>>> waiting;
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
      waiting.swap(waiting_);
    }
    for (const auto& one : waiting) one->set(true);
  }

  // Returns when `calls` calls are being held.
  void wait_until_held(std::size_t calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() >= calls; });
  }

  [[nodiscard]] core::Task<bool> pass() {
    std::shared_ptr<core::OneShot<bool>> slot;
    {
      const std::lock_guard lock(mutex_);
      if (!held_) co_return true;
      slot = std::make_shared<core::OneShot<bool>>();
      waiting_.push_back(slot);
      changed_.notify_all();
    }
    co_return co_await *slot;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;                                          // guarded by mutex_, as below
  std::vector<std::shared_ptr<core::OneShot<bool>>> waiting_;
};

}  // namespace scalestyle::support
