#include "consumer/event_loop.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <iterator>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>

#include "consumer/effect_spans.hpp"

namespace scalestyle::consumer {

namespace {

constexpr std::uint64_t kLoggedUndecodable = 100;  // more are only counted: a damaged log must not fill the disk with lines

std::int32_t partition_of(const events::LoggedEvent& event) { return event.position.partition; }
std::int32_t partition_of(const ports::UndecodableRecord& record) { return record.position.partition; }

}  // namespace

core::Status EventLoop::Options::validate() const {
  const auto refuse = [](std::string what, std::string field) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(what), std::move(field));
  };
  if (batch_events < 1 || batch_events > 10'000) return refuse("batch_events must be from 1 to 10,000", "batch_events");
  if (poll_wait.count() < 1) return refuse("poll_wait must be at least 1 ms", "poll_wait");
  if (step_deadline.count() < 1) return refuse("step_deadline must be at least 1 ms", "step_deadline");
  if (retry.first.count() < 1 || retry.longest < retry.first) {
    return refuse("the first delay must be at least 1 ms and at most the longest", "retry");
  }
  return {};
}

EventLoop::EventLoop(Dependencies dependencies, Options options)
    : use_(dependencies), options_(options), metrics_(dependencies.metrics, dependencies.stream, dependencies.clock, options_.name) {
  assert(options_.validate());
}

EventLoop::~EventLoop() { stop(); }

void EventLoop::start() {
  {
    const std::lock_guard lock(mutex_);
    assert(!started_);
    started_ = true;
  }
  operation_ = core::start(run(), [](core::Status&&) {});
}

void EventLoop::stop() {
  operation_.cancel();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !started_ || ended_; });
}

core::Task<core::Status> EventLoop::caught_up(core::Deadline deadline) {
  std::shared_ptr<core::Waiter<core::Status>> waiter;
  {
    const std::lock_guard lock(mutex_);
    if (caught_up_) co_return core::Status{};
    if (ended_) co_return core::fail(core::ErrorCode::kCancelled, "the event loop has been stopped");
    std::erase_if(waiters_, [](const auto& other) { return other.use_count() == 1; });  // those that gave up
    waiter = waiters_.emplace_back(std::make_shared<core::Waiter<core::Status>>());
  }
  core::Status status = co_await core::wait(std::move(waiter), deadline, use_.timers);
  co_return status;
}

void EventLoop::note_durable(const std::vector<events::EventPosition>& positions) {
  const std::lock_guard lock(mutex_);
  newly_durable_.insert(newly_durable_.end(), positions.begin(), positions.end());
}

core::Task<core::Status> EventLoop::commit_remaining() { return commit_durable(); }

std::string EventLoop::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

core::Deadline EventLoop::step_deadline() const { return core::Deadline::after(options_.step_deadline, use_.clock); }

core::Task<core::Status> EventLoop::run() {
  stop_ = co_await core::current_stop_token();
  Backoff delay(options_.retry, options_.seed);
  while (!stop_.stop_requested()) {
    if (co_await guarded_step()) {
      delay.reset();
    } else if (!stop_.stop_requested()) {
      // Ends early only by a stop, which the loop's condition sees.
      [[maybe_unused]] const auto slept = co_await core::sleep_until(use_.clock.steady_now() + delay.next(), use_.timers);
    }
  }
  end_waiters(core::fail(core::ErrorCode::kCancelled, "the event loop was stopped"));
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();  // under the lock: stop() may return and the object go as soon as it is free
  co_return core::Status{};
}

core::Task<bool> EventLoop::guarded_step() {
  std::string thrown;
  try {
    co_return co_await step();
  } catch (const std::exception& failure) {
    thrown = failure.what();
  }
  // Where the step broke off is not known: begin again at what is durable; the store passes over what it has.
  failed(LoopStage::kUnexpected, {core::ErrorCode::kInternal, thrown});
  positions_known_ = false;
  co_return false;
}

core::Task<bool> EventLoop::step() {
  last_step_.store(use_.clock.steady_now().time_since_epoch().count(), std::memory_order_relaxed);
  if (!positions_known_) {
    if (const auto found = co_await find_positions(); !found) {
      failed(LoopStage::kPositions, found.error());
      co_return false;
    }
  }
  if (const auto sought = co_await seek_all(); !sought) {
    failed(LoopStage::kSeek, sought.error());
    co_return false;
  }
  if (!tail_known_) {
    tail_known_ = true;
    tail_left_ = use_.stream.lag();
    note_progress();
  }
  // A commit that fails is repeated before the next poll; events take effect meanwhile.
  if (const auto committed = co_await commit_durable(); !committed) failed(LoopStage::kCommit, committed.error());
  auto batch = co_await use_.stream.poll(options_.batch_events, core::Deadline::after(options_.poll_wait, use_.clock));
  if (!batch) {
    failed(LoopStage::kPoll, batch.error());
    co_return false;
  }
  co_return co_await handle(std::move(*batch));
}

core::Task<core::Status> EventLoop::find_positions() {
  CORE_CO_TRY(const auto positions, co_await use_.features.committed(step_deadline()));
  book_.clear();
  failing_.clear();
  tail_known_ = false;
  for (const auto& position : positions) book_.resume(position);
  positions_known_ = true;
  co_return core::Status{};
}

core::Task<core::Status> EventLoop::seek_all() {
  for (const auto& position : book_.to_seek()) {
    CORE_CO_CHECK(co_await use_.stream.seek(position, step_deadline()));
    book_.sought(position);
  }
  co_return core::Status{};
}

core::Task<core::Status> EventLoop::commit_durable() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& position : std::exchange(newly_durable_, {})) book_.note_durable(position);
  }
  for (const auto& position : book_.to_commit()) {
    CORE_CO_CHECK(co_await use_.stream.commit(position, step_deadline()));
    book_.committed(position);
  }
  co_return core::Status{};
}

core::Task<bool> EventLoop::handle(ports::StreamBatch batch) {
  for (const auto partition : batch.revoked) {
    book_.drop(partition);
    failing_.erase(partition);
  }
  if (const auto joined = co_await join_assigned(batch); !joined) {
    failed(LoopStage::kPositions, joined.error());
    positions_known_ = false;  // finds them again, for every partition
    co_return false;
  }
  if (batch.events.empty() && batch.undecodable.empty()) {
    note_progress();
    co_return true;
  }
  const auto effect = co_await take_effect(batch);
  if (!effect) {
    failed(LoopStage::kApply, effect.error());
    co_return give_again(batch);
  }
  if (const auto kept = co_await keep_undecodable(batch); !kept) {
    failed(LoopStage::kDeadLetter, kept.error());
    co_return give_again(batch);
  }
  settled(batch, *effect);
  co_return true;
}

// A partition that comes begins where the store's effects are durable; what the poll gave of it already is dropped, and
// given again from there.
core::Task<core::Status> EventLoop::join_assigned(ports::StreamBatch& batch) {
  std::set<std::int32_t> coming;
  for (const auto partition : batch.assigned) {
    if (!book_.holds(partition)) coming.insert(partition);
  }
  if (coming.empty()) co_return core::Status{};
  CORE_CO_TRY(const auto positions, co_await use_.features.committed(step_deadline()));
  for (const auto partition : coming) book_.hold(partition);
  std::set<std::int32_t> sought;
  for (const auto& position : positions) {
    if (!coming.contains(position.partition)) continue;
    book_.resume(position);
    sought.insert(position.partition);
  }
  std::erase_if(batch.events, [&](const auto& event) { return sought.contains(partition_of(event)); });
  std::erase_if(batch.undecodable, [&](const auto& record) { return sought.contains(partition_of(record)); });
  co_return core::Status{};
}

core::Task<core::Result<bool>> EventLoop::take_effect(const ports::StreamBatch& batch) {
  if (batch.events.empty()) co_return durable_;
  const auto begun = use_.clock.steady_now();
  const auto shared = std::make_shared<const std::vector<events::LoggedEvent>>(batch.events);
  auto applied = co_await use_.features.apply(shared, step_deadline());
  const auto took = use_.clock.steady_now() - begun;
  const core::Status outcome = applied ? core::Status() : core::Status(std::unexpected(applied.error()));
  record_effects({use_.tracer, options_.name, took}, *shared, outcome);
  CORE_CO_TRY(const ports::ApplyReport report, std::move(applied));
  durable_ = report.durable;
  if (!report.refused.empty()) CORE_CO_CHECK(co_await put_off(*shared, report.refused));
  std::vector<events::LoggedEvent> some;
  std::size_t refused = 0;
  for (std::size_t i = 0; !report.refused.empty() && i < shared->size(); ++i) {
    const bool is_refused = refused < report.refused.size() && report.refused[refused].index == i;
    if (is_refused) {
      ++refused;
    } else {
      some.push_back((*shared)[i]);
    }
  }
  const std::vector<events::LoggedEvent>& taken = report.refused.empty() ? *shared : some;
  metrics_.applied(taken, took, report.durable);
  applied_events_.fetch_add(taken.size(), std::memory_order_relaxed);
  offer(taken);
  co_return report.durable;
}

core::Task<core::Status> EventLoop::put_off(const std::vector<events::LoggedEvent>& batch,
                                            const std::vector<ports::RefusedEvent>& refused) {
  if (use_.failed_records == nullptr) {
    // The cause may name whose the event is, and this one goes into logs and probes: its place in the log tells who may look.
    const events::EventPosition& place = batch[refused.front().index].position;
    core::Error cause = refused.front().cause;
    cause.message = "the event at " + place.stream + "/" + std::to_string(place.partition) + "/" + std::to_string(place.offset) +
                    " cannot take effect (" + std::string(core::to_string(cause.code)) + "): what is stored of its subject cannot be used; remove it";
    co_return std::unexpected(std::move(cause));
  }
  for (const ports::RefusedEvent& one : refused) {
    CORE_CO_CHECK(co_await use_.failed_records->put_off(batch[one.index], one.cause, step_deadline()));
    metrics_.put_off();
  }
  co_return core::Status{};
}

// What is given again after a later failure was told already.
void EventLoop::offer(const std::vector<events::LoggedEvent>& taken) {
  if (!use_.observer) return;
  const auto is_fresh = [this](const events::LoggedEvent& event) {
    const auto last = offered_.find(partition_of(event));
    return last == offered_.end() || last->second.stream != event.position.stream || last->second.offset < event.position.offset;
  };
  std::vector<events::LoggedEvent> some;
  const bool all_fresh = std::ranges::all_of(taken, is_fresh);
  if (!all_fresh) std::ranges::copy_if(taken, std::back_inserter(some), is_fresh);
  const std::span<const events::LoggedEvent> fresh = all_fresh ? taken : some;
  if (fresh.empty()) return;
  // Before it is told: whatever becomes of that, it is not told again.
  for (const auto& event : fresh) offered_.insert_or_assign(partition_of(event), event.position);
  use_.observer(fresh);
}

core::Task<core::Status> EventLoop::keep_undecodable(const ports::StreamBatch& batch) {
  if (use_.failed_records != nullptr) {
    for (const auto& record : batch.undecodable) {
      CORE_CO_CHECK(co_await use_.failed_records->keep(record, step_deadline()));
    }
  }
  for (const auto& record : batch.undecodable) log_undecodable(record);  // once, however often one had to be kept
  co_return core::Status{};
}

void EventLoop::log_undecodable(const ports::UndecodableRecord& record) {
  metrics_.undecodable();
  if (++undecodable_ > kLoggedUndecodable) return;
  use_.log.error(undecodable_ < kLoggedUndecodable ? "a record of the event log is no event; it has no effect"
                                                   : "a record of the event log is no event; further ones are only counted",
                 {{"stream", record.position.stream},
                  {"partition", record.position.partition},
                  {"offset", record.position.offset},
                  {"size_bytes", record.bytes.size()},
                  {"problem", record.problem}});
}

// True when the stream itself keeps the batch's partitions back until their delay is over.
bool EventLoop::give_again(const ports::StreamBatch& batch) {
  bool paused = true;
  for (const auto partition : book_.go_back(batch)) {
    auto& delay = failing_.try_emplace(partition, options_.retry, options_.seed + static_cast<std::uint32_t>(partition)).first->second;
    if (const auto pause = use_.stream.pause(partition, delay.next()); !pause) {
      failed(LoopStage::kPause, pause.error());
      paused = false;
    }
  }
  return paused;
}

void EventLoop::settled(const ports::StreamBatch& batch, bool durable) {
  book_.settle(batch);
  if (durable) {
    for (const auto& event : batch.events) book_.note_durable(event.position);
    for (const auto& record : batch.undecodable) book_.note_durable(record.position);
  }
  for (const auto& event : batch.events) failing_.erase(partition_of(event));
  for (const auto& record : batch.undecodable) failing_.erase(partition_of(record));
  const std::uint64_t records = batch.events.size() + batch.undecodable.size();
  tail_left_ -= std::min(tail_left_, records);
  note_progress();
}

void EventLoop::note_progress() {
  if (!failing_.empty()) return;  // something waits to be given again
  recovered();
  if (tail_left_ > 0 && use_.stream.lag() > 0) return;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(caught_up_, true)) return;
  }
  end_waiters({});
}

void EventLoop::failed(LoopStage stage, const core::Error& error) {
  if (stop_.stop_requested()) return;
  metrics_.failed(stage);
  const std::string trouble = std::string(to_string(stage)) + ": " + error.message;
  {
    const std::lock_guard lock(mutex_);
    if (trouble == trouble_) return;
    trouble_ = trouble;
  }
  use_.log.error("events do not take effect; trying again", {{"stage", to_string(stage)}, {"cause", error.message}});
}

void EventLoop::recovered() {
  {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty()) return;
    trouble_.clear();
  }
  use_.log.info("events take effect again");
}

void EventLoop::end_waiters(const core::Status& status) {
  std::vector<std::shared_ptr<core::Waiter<core::Status>>> waiters;
  {
    const std::lock_guard lock(mutex_);
    waiters.swap(waiters_);
  }
  for (const auto& waiter : waiters) waiter->settle(status);
}

}  // namespace scalestyle::consumer
