#include "recommend/popularity_loop.hpp"

#include <algorithm>

namespace scalestyle::recommend {

void PopularityLoop::start() { arm(); }

void PopularityLoop::arm() {
  if (stopping_.load()) return;
  const auto wall_now = std::chrono::time_point_cast<std::chrono::milliseconds>(use_.clock.wall_now());
  const std::chrono::milliseconds to_next_bucket(use_.popularity.next_bucket_ms() - wall_now.time_since_epoch().count());
  const auto wait = std::clamp(to_next_bucket, std::chrono::milliseconds(1), options_.interval);
  use_.timers.schedule(use_.clock.steady_now() + wait, [this] { refresh(); });
}

void PopularityLoop::refresh() {
  if (stopping_.load()) return;
  core::start(refresh_on_pool(), [this](core::Status&& status) { finished(status); }).detach();
}

core::Task<core::Status> PopularityLoop::refresh_on_pool() {
  const auto deadline = core::Deadline::after(options_.deadline, use_.clock);
  CORE_CO_CHECK(co_await use_.pool.schedule(deadline));
  co_return co_await use_.popularity.refresh(deadline);
}

void PopularityLoop::finished(const core::Status& status) {
  if (stopping_.load()) return;
  if (!status) {
    if (status.error().message != logged_error_) {
      logged_error_ = status.error().message;
      use_.log.error("cannot follow popularity; the last lists stay", {{"cause", logged_error_}});
    }
  } else {
    logged_error_.clear();
  }
  arm();
}

}  // namespace scalestyle::recommend
