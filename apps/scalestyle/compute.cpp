#include "compute.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ranges>

namespace scalestyle::app {

namespace {

constexpr std::size_t kQueueCapacity = 4096;  // of a lane
// Beside the process's own (nice(2)); a step is a claim 1.25 times smaller.
constexpr std::array<int, kLanes> kNiceness{0, 5, 10, 15};
constexpr int kNicest = 19;

}  // namespace

void be_nice(Lane lane) {
  // Of one thread, by its id: so the kernel takes it, whatever POSIX says. Being nicer is always allowed; where the kernel
  // knows no such thing, the lanes share the processors evenly.
  const auto thread = static_cast<id_t>(::gettid());
  const int wanted = ::getpriority(PRIO_PROCESS, thread) + kNiceness[static_cast<std::size_t>(lane)];
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, std::min(wanted, kNicest)));
}

Compute::Compute(std::size_t threads, bool with_lanes) : lanes_(with_lanes ? kLanes : 1) {
  for (std::size_t place = 0; place < lanes_.size(); ++place) {
    Pool& lane = lanes_[place];
    lane.pool = std::make_unique<core::WorkerPool>(
        core::WorkerPool::Options{.threads = threads, .queue_capacity = kQueueCapacity}, clock_);
    for (std::size_t i = 0; i < threads; ++i) {
      lane.threads.emplace_back([pool = lane.pool.get(), place] {
        if (place > 0) be_nice(static_cast<Lane>(place));
        pool->run();
      });
    }
  }
}

Compute::~Compute() { stop(); }

// The last lane first: what it finishes goes on in earlier ones.
void Compute::stop() {
  for (Pool& lane : std::views::reverse(lanes_)) {
    lane.pool->stop();
    for (auto& thread : lane.threads) thread.join();
    lane.threads.clear();
  }
}

core::WorkerPool& Compute::pool(Lane lane) { return *lanes_[has_lanes() ? static_cast<std::size_t>(lane) : 0].pool; }

std::size_t Compute::queued() const {
  std::size_t jobs = 0;
  for (const Pool& lane : lanes_) jobs += lane.pool->queued();
  return jobs;
}

}  // namespace scalestyle::app
