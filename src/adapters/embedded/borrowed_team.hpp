#pragma once
// BorrowedTeam: another worker's hand in what this thread computes. The helper comes when no job waits for the pool, leaves as
// soon as one does, and comes back after it: two threads finish one product sooner, but more products in the same time when
// each has its own. Where the pool has one thread there is no team.
//
// Does not wait for its helper to return at the end: that may be suspended, or may not have come yet.
// Thread safety: one thread makes, uses and destroys it.

#include <memory>

#include "core/worker_pool.hpp"
#include "nn/team.hpp"

namespace scalestyle::adapters::embedded {

class BorrowedTeam {
 public:
  explicit BorrowedTeam(core::WorkerPool& pool) {
    if (pool.threads() < 2) return;
    team_ = std::make_shared<nn::Team>();
    lend(team_, pool);
  }
  ~BorrowedTeam() {
    if (team_ != nullptr) team_->close();
  }
  BorrowedTeam(const BorrowedTeam&) = delete;
  BorrowedTeam& operator=(const BorrowedTeam&) = delete;

  [[nodiscard]] nn::Team* get() const { return team_.get(); }  // null: compute alone

 private:
  static void lend(const std::shared_ptr<nn::Team>& team, core::WorkerPool& pool) {
    pool.lend([team, &pool] {
      team->help_until([&pool] { return pool.queued() > 0; });
      if (!team->closed()) lend(team, pool);
    });
  }

  std::shared_ptr<nn::Team> team_;
};

}  // namespace scalestyle::adapters::embedded
