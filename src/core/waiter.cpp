#include "core/waiter.hpp"

namespace scalestyle::core {

Task<Status> wait(std::shared_ptr<Waiter<Status>> waiter, Deadline deadline, TimerQueue& timers) {
  // Settling ends the frame that holds these callbacks and the waiter: they work on their own copy of the pointer.
  const auto late = [waiter] {
    const auto self = waiter;
    self->settle(fail(ErrorCode::kDeadlineExceeded, "the wait ended at its deadline"));
  };
  const auto cancelled = [waiter] {
    const auto self = waiter;
    self->settle(fail(ErrorCode::kCancelled, "the wait was cancelled"));
  };
  Status status = co_await wait_for(std::move(waiter), deadline, timers, late, cancelled);
  co_return status;
}

Task<Status> sleep_until(SteadyTime time, TimerQueue& timers) {
  const auto deadline = Deadline::at(time);
  auto waiter = std::make_shared<Waiter<Status>>();
  Status slept = co_await wait(std::move(waiter), deadline, timers);
  if (!slept && slept.error().code == ErrorCode::kDeadlineExceeded) co_return Status{};
  co_return slept;
}

}  // namespace scalestyle::core
