#include "search/schedule_by.hpp"

#include <memory>

#include "search/timed_slot.hpp"

namespace scalestyle::search {

core::Task<core::Status> schedule_by(core::WorkerPool& pool, core::TimerQueue& timers, core::Deadline deadline) {
  if (pool.schedule(deadline).await_ready()) co_return core::Status();  // a worker with nothing else to do
  auto slot = std::make_shared<TimedSlot<core::Status>>();
  if (auto submitted = pool.submit([slot] { slot->offer(core::Status()); }); !submitted) co_return submitted;
  co_return co_await await_slot<void>(slot, timers, deadline);
}

}  // namespace scalestyle::search
