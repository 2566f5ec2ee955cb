#include "consumer/waiter.hpp"

#include <optional>
#include <stop_token>
#include <utility>

namespace scalestyle::consumer {

core::Task<core::Status> wait(std::shared_ptr<Waiter> waiter, core::Deadline deadline, core::TimerQueue& timers) {
  const std::stop_token stop = co_await core::current_stop_token();
  std::optional<core::TimerQueue::TimerId> timer;
  if (!deadline.is_never()) {
    timer = timers.schedule(deadline.time(), [waiter] {
      waiter->end(core::fail(core::ErrorCode::kDeadlineExceeded, "the wait ended at its deadline"));
    });
  }
  const std::stop_callback on_stop(stop, [waiter] {
    waiter->end(core::fail(core::ErrorCode::kCancelled, "the wait was cancelled"));
  });
  core::Status status = co_await waiter->shot_;
  if (timer) timers.cancel(*timer);
  co_return status;
}

core::Task<core::Status> sleep_until(core::SteadyTime time, core::TimerQueue& timers) {
  auto slept = co_await wait(std::make_shared<Waiter>(), core::Deadline::at(time), timers);
  if (!slept && slept.error().code == core::ErrorCode::kDeadlineExceeded) co_return core::Status{};
  co_return slept;
}

}  // namespace scalestyle::consumer
