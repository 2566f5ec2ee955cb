// The ends of calls: outcome, deadline, cancellation, stop.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapters/redis/router_impl.hpp"

namespace scalestyle::adapters::redis {

using boost::system::error_code;
using core::ErrorCode;
using core::fail;

void Router::finish(const RequestRef& ref, core::Result<RedisValue> outcome) {
  if (ref->outcome) return;
  ref->outcome = std::move(outcome);
  const auto& kept = *ref->outcome;
  metrics_.count_command(kept ? nullptr : &kept.error(), settings_.clock.steady_now() - ref.call->started);
  if (--ref.call->unfinished == 0) settle(ref.call, {});
}

// The awaiting task goes on inside: what it calls comes back through submit().
void Router::settle(const std::shared_ptr<Call>& call, core::Status status) {
  if (std::exchange(call->settled, true)) return;
  const auto kept = std::move(deadlines_.extract(call->place).mapped());  // `call` may be the one that was stored there
  kept->done.set(std::move(status));
}

void Router::cancel(const std::shared_ptr<Call>& call) {
  if (call->settled) return;
  const auto kept = call;
  for (std::size_t i = 0; i < kept->requests.size(); ++i) {
    Request& request = kept->requests[i];
    if (request.outcome) continue;
    request.outcome = fail(ErrorCode::kCancelled, "redis: cancelled");
    metrics_.count_command(&request.outcome->error(), settings_.clock.steady_now() - kept->started);
  }
  settle(kept, fail(ErrorCode::kCancelled, "redis: cancelled"));
}

void Router::stop() {
  stopped_ = true;
  timer_.cancel();
  while (!deadlines_.empty()) cancel(deadlines_.begin()->second);
  waiting_room_.clear();
  topology_.close();
}

core::Error Router::overdue(const Call& call, const Request& request) {
  const std::string_view doubt = request.in_doubt ? " (it was sent before, and had no reply)" : "";
  if (request.unreplicated) {
    return fail(ErrorCode::kUnavailable, fmt::format("redis {}: carried out, but {} replicas did not have it by the deadline",
                                                     request.sent_to, call.replicas)).error();
  }
  if (request.in_flight) {
    return fail(ErrorCode::kDeadlineExceeded,
                fmt::format("redis {}: no reply by the deadline; the command had been sent{}", request.sent_to, doubt)).error();
  }
  if (request.obstacle) {
    return fail(request.obstacle->code, fmt::format("{} (until the deadline){}", request.obstacle->message, doubt)).error();
  }
  return fail(ErrorCode::kDeadlineExceeded,
              fmt::format("redis{}{}: the command had not been sent by the deadline{}", request.sent_to.empty() ? "" : " ",
                          request.sent_to, doubt)).error();
}

void Router::end_call(const std::shared_ptr<Call>& call) {
  const auto kept = call;
  for (std::size_t i = 0; i < kept->requests.size(); ++i) {
    if (!kept->requests[i].outcome) finish({kept, i}, std::unexpected(overdue(*kept, kept->requests[i])));
  }
}

void Router::end_overdue() {
  const auto now = settings_.clock.steady_now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) end_call(deadlines_.begin()->second);
  std::erase_if(waiting_room_, [](const RequestRef& ref) { return ref->outcome.has_value(); });
  watch_deadlines();
}

void Router::watch_deadlines() {
  if (deadlines_.empty() || stopped_) return;
  const auto first = deadlines_.begin()->first;
  if (timer_at_ <= first) return;
  timer_at_ = first;
  const auto left = first - settings_.clock.steady_now();
  timer_.expires_after(std::max<core::SteadyTime::duration>(left, std::chrono::microseconds(100)));
  timer_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    timer_at_ = core::SteadyTime::max();
    end_overdue();
  });
}

}  // namespace scalestyle::adapters::redis
