#pragma once
// The compute threads of a process.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/worker_pool.hpp"

namespace scalestyle::app {

// The lanes of a server's computing, the most urgent first. Each is a pool with as many threads as there are processors to
// compute on; the threads of a later lane have a smaller claim on these. So the kernel takes a processor away from a later
// lane, in the middle of whatever that computes, as soon as an earlier one has work, and gives it back after that.
enum class Lane : std::uint8_t {
  kQuery,       // what every search does: its text embedded, scans, words, ranking, pages
  kPicture,     // pictures embedded
  kRerank,      // cross-encoders; texts written by a language model
  kBackground,  // texts of changed articles embedded, generations read
};
inline constexpr std::size_t kLanes = 4;

// This thread's claim on processors becomes as much smaller as a lane's is. Once a thread: it cannot be raised again.
void be_nice(Lane lane);

// The pools and their threads: started here, joined at the end of the scope.
class Compute {
 public:
  // Without `with_lanes`, one pool is every lane.
  explicit Compute(std::size_t threads, bool with_lanes = false);
  Compute(const Compute&) = delete;
  Compute& operator=(const Compute&) = delete;
  ~Compute();

  // Finishes what is queued and joins the threads; once.
  void stop();

  [[nodiscard]] core::WorkerPool& pool(Lane lane = Lane::kQuery);
  [[nodiscard]] bool has_lanes() const { return lanes_.size() > 1; }
  // Jobs that wait for a thread, in all lanes.
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] const core::Clock& clock() const { return clock_; }

 private:
  struct Pool {
    std::unique_ptr<core::WorkerPool> pool;
    std::vector<std::thread> threads;
  };
  core::SystemClock clock_;
  std::vector<Pool> lanes_;  // one, or kLanes
};

}  // namespace scalestyle::app
