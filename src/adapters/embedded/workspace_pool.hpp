#pragma once
// WorkspacePool: the memory that models compute in, lent to one thread at a time and used again.
// Thread safety: borrow() and a lease's end on any thread. The pool outlives its leases.

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace scalestyle::adapters::embedded {

template <class Workspace>
class WorkspacePool {
 public:
  // Gives the workspace back when it goes.
  class Lease {
   public:
    Lease(WorkspacePool& pool, std::unique_ptr<Workspace> workspace) : pool_(pool), workspace_(std::move(workspace)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(workspace_)); }
    Workspace& operator*() const { return *workspace_; }
    Workspace* operator->() const { return workspace_.get(); }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace> workspace_;
  };

  // Keeps at most `most_idle` that nobody uses; as many as may be wanted are made.
  explicit WorkspacePool(std::size_t most_idle) : most_idle_(most_idle) {}

  [[nodiscard]] Lease borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto workspace = std::move(idle_.back());
        idle_.pop_back();
        return Lease(*this, std::move(workspace));
      }
    }
    return Lease(*this, std::make_unique<Workspace>());
  }

 private:
  void give_back(std::unique_ptr<Workspace> workspace) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < most_idle_) idle_.push_back(std::move(workspace));
  }

  const std::size_t most_idle_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;  // guarded by mutex_
};

}  // namespace scalestyle::adapters::embedded
