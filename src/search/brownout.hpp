#pragma once
// Brownout: what searches leave out while the server is under pressure, so that it goes on answering: first half of the rerank
// depth, then reranking, then pictures, then meaning. Words are never left out.
//
// Pressure is the share of the limit at the door that is in use (AdaptiveLimit), smoothed over a fifth of a second; a refused
// request counts as all of it. Above `high` one step more is left out, each after `rise`; below `low` one less, each after `fall`.
// In between nothing changes.
//
// Thread safety: every method may be called from any thread.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "core/clock.hpp"

namespace scalestyle::search {

// In their order; each leaves out what those before it do.
enum class BrownoutStep : std::uint8_t { kNone, kLessRerank, kNoRerank, kNoPictures, kNoMeaning };

struct BrownoutOptions {
  bool enabled = true;
  double high = 0.75;  // above low
  double low = 0.5;
  std::chrono::milliseconds rise{500};
  std::chrono::milliseconds fall{1'000};
};

class Brownout {
 public:
  Brownout(BrownoutOptions options, const core::Clock& clock);

  // A request came, and found so much of the limit in use: 0 … 1. What is to be left out of it.
  BrownoutStep observe(double pressure);

  [[nodiscard]] BrownoutStep step() const { return step_.load(std::memory_order_acquire); }

 private:
  void move_to(int step, core::SteadyTime now);  // under the lock

  const BrownoutOptions options_;
  const core::Clock& clock_;
  std::atomic<BrownoutStep> step_{BrownoutStep::kNone};  // written under the lock
  std::mutex mutex_;
  double smoothed_ = 0;         // guarded by mutex_, as all below
  core::SteadyTime observed_;   // the last time
  core::SteadyTime moved_;      // or was last where it need not move
};

}  // namespace scalestyle::search
