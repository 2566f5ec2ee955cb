#include "adapters/embedded/event_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::adapters::embedded::event_log {

namespace {

std::size_t bytes_of(const events::LoggedEvent& logged) {
  const events::Event& event = logged.event;
  return sizeof(events::LoggedEvent) + event.event_id.size() + event.item_id.size() + event.category.size() + event.query.size() +
         event.request_id.size() + logged.delivery.traceparent.size() + (event.user_id ? event.user_id->value().size() : 0) +
         (event.session_id ? event.session_id->value().size() : 0);
}

}  // namespace

Stream::Stream(Engine& engine)
    : engine_(engine), tail_floor_(engine.last_offset()), end_(engine.last_offset()), cursor_(engine.removed_through()) {}

core::Task<core::Result<ports::StreamBatch>> Stream::poll(std::size_t max_events, core::Deadline deadline) {
  if (max_events == 0 || max_events > 10'000) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "a poll gives 1 to 10,000 events", "max_events");
  }
  while (true) {
    Look next = look(max_events, deadline);
    if (next.batch) co_return std::move(*next.batch);
    if (next.read_after) {
      const Span span{.after = *next.read_after, .through = next.read_through};
      CORE_CO_TRY(auto batch, co_await read(span, max_events, deadline));
      if (batch) co_return std::move(*batch);
      continue;
    }
    const PollWaiter waiter = next.waiter;
    const auto late = [waiter] { waiter->settle(Wake::kDeadline); };
    const auto cancelled = [waiter] { waiter->settle(Wake::kCancelled); };
    const Wake wake = co_await wait_for(waiter, next.until, engine_.services().timers, late, cancelled);
    if (wake == Wake::kCancelled) co_return core::fail(core::ErrorCode::kCancelled, "the poll was dropped");
    if (wake == Wake::kDeadline && deadline.expired(engine_.services().clock)) co_return ports::StreamBatch{};
  }
}

Stream::Look Stream::look(std::size_t max_events, core::Deadline deadline) {
  Look next;
  const std::lock_guard lock(mutex_);
  const bool paused = paused_until_ > engine_.services().clock.steady_now();
  if (!paused && cursor_ < end_) {
    if (cursor_ < tail_floor_) {
      next.read_after = cursor_;
      next.read_through = end_;
      return next;
    }
    ports::StreamBatch batch;
    while (!tail_.empty() && batch.events.size() < max_events) {
      tail_bytes_ -= bytes_of(tail_.front());
      tail_floor_ = tail_.front().position.offset;
      if (tail_floor_ > cursor_) batch.events.push_back(std::move(tail_.front()));
      tail_.pop_front();
    }
    cursor_ = std::max(cursor_, tail_floor_);
    if (!batch.empty()) {
      next.batch = std::move(batch);
      return next;
    }
  }
  next.waiter = waiter_ = std::make_shared<core::Waiter<Wake>>();
  next.until = paused && (deadline.is_never() || paused_until_ < deadline.time()) ? core::Deadline::at(paused_until_) : deadline;
  return next;
}

core::Task<core::Result<std::optional<ports::StreamBatch>>> Stream::read(Span span, std::size_t max_events,
                                                                         core::Deadline deadline) {
  std::uint64_t seeks = 0;
  {
    const std::lock_guard lock(mutex_);
    seeks = seeks_;
  }
  CORE_CO_CHECK(co_await engine_.services().pool.schedule(deadline));
  CORE_CO_TRY(EventPage page, engine_.readers().with([&](ReadConnection& connection) {
    return connection.page({.name = engine_.name(), .after = span.after, .through = span.through, .limit = max_events,
                            .pending = PendingErasures::kShown});
  }));
  const bool nothing_left = page.last_offset == span.after;
  {
    const std::lock_guard lock(mutex_);
    if (seeks != seeks_) co_return std::nullopt;
    cursor_ = std::max(cursor_, nothing_left ? span.through : page.last_offset);
  }
  if (page.end()) co_return std::nullopt;
  ports::StreamBatch batch;
  batch.events = std::move(page.events);
  batch.undecodable = std::move(page.undecodable);
  co_return std::optional(std::move(batch));
}

core::Task<core::Status> Stream::seek(events::EventPosition position, core::Deadline) {
  CORE_CO_CHECK(check(position));
  const std::int64_t removed = engine_.removed_through();
  if (position.offset >= 0 && position.offset < removed) {
    co_return core::fail(core::ErrorCode::kNotFound,
                         fmt::format("events.db: what follows offset {} was removed by retention, up to offset {}",
                                     position.offset, removed));
  }
  PollWaiter waiter;
  {
    const std::lock_guard lock(mutex_);
    if (position.offset > end_) {
      co_return core::fail(core::ErrorCode::kDataLoss,
                           fmt::format("events.db ends at offset {}, but effects of events up to {} are kept: acknowledged events "
                                       "were lost; restore the log, or rebuild the features from what it holds", end_, position.offset));
    }
    cursor_ = std::max(position.offset, removed);
    ++seeks_;
    waiter = std::move(waiter_);
  }
  if (waiter) waiter->settle(Wake::kLook);
  co_return core::Status{};
}

core::Status Stream::pause(std::int32_t partition, std::chrono::milliseconds duration) {
  if (partition != 0) return core::fail(core::ErrorCode::kInvalidArgument, "the log has partition 0 alone", "partition");
  PollWaiter waiter;
  {
    const std::lock_guard lock(mutex_);
    const auto now = engine_.services().clock.steady_now();
    paused_until_ = duration <= std::chrono::milliseconds(0) ? core::SteadyTime::min() : now + duration;
    waiter = std::move(waiter_);
  }
  if (waiter) waiter->settle(Wake::kLook);
  return {};
}

core::Task<core::Status> Stream::commit(events::EventPosition position, core::Deadline) {
  CORE_CO_CHECK(check(position));
  if (position.offset > engine_.last_offset()) {
    co_return core::fail(core::ErrorCode::kInvalidArgument,
                         fmt::format("offset {} is behind the end of the log, {}", position.offset, engine_.last_offset()), "position");
  }
  engine_.note_committed(position.offset);
  co_return core::Status{};
}

std::uint64_t Stream::lag() const {
  const std::int64_t removed = engine_.removed_through();
  const std::lock_guard lock(mutex_);
  const std::int64_t given = std::max(cursor_, removed);
  return end_ > given ? static_cast<std::uint64_t>(end_ - given) : 0;
}

void Stream::publish(std::vector<events::LoggedEvent> events, bool flush) {
  if (events.empty()) return;
  PollWaiter waiter;
  {
    const std::lock_guard lock(mutex_);
    if (flush) {
      tail_.clear();
      tail_bytes_ = 0;
      tail_floor_ = end_;
    }
    end_ = events.back().position.offset;
    for (auto& event : events) {
      tail_bytes_ += bytes_of(event);
      tail_.push_back(std::move(event));
    }
    while (tail_.size() > engine_.options().max_tail_events || tail_bytes_ > engine_.options().max_tail_bytes) {
      tail_bytes_ -= bytes_of(tail_.front());
      tail_floor_ = tail_.front().position.offset;
      tail_.pop_front();
    }
    const bool paused = paused_until_ > engine_.services().clock.steady_now();
    if (!paused) waiter = std::move(waiter_);
  }
  if (waiter) waiter->settle(Wake::kLook);
}

core::Status Stream::check(const events::EventPosition& position) const {
  if (position.stream != engine_.name()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("the position is of another log (\"{}\", this one is \"{}\")", position.stream, engine_.name()),
                      "position");
  }
  if (position.partition != 0 || position.offset < -1) {
    return core::fail(core::ErrorCode::kInvalidArgument, "no such partition or offset", "position");
  }
  return {};
}

}  // namespace scalestyle::adapters::embedded::event_log
