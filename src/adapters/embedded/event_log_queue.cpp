#include "adapters/embedded/event_log_queue.hpp"

#include <utility>

namespace scalestyle::adapters::embedded::event_log {

namespace {

// What a row takes beside its texts.
constexpr std::size_t kRowOverhead = sizeof(Row) + 64;

}  // namespace

PendingAppend::PendingAppend(std::vector<Row> its_rows, bool is_imported) : rows(std::move(its_rows)), imported(is_imported) {
  // The event's texts are in the body once more.
  for (const Row& row : rows) bytes += kRowOverhead + 2 * row.body.size();
}

void PendingAppend::withdraw(core::ErrorCode reason) {
  Phase expected = Phase::kQueued;
  const bool queued = phase_.compare_exchange_strong(expected, Phase::kWithdrawn, std::memory_order_acq_rel);
  const char* const why = reason == core::ErrorCode::kCancelled ? "the append was cancelled" : "the deadline passed";
  waiter->settle(std::unexpected(ports::AppendFailure{
      queued ? ports::AppendOutcome::kNotKept : ports::AppendOutcome::kUnknown,
      core::fail(reason, std::string(why) + (queued ? " before the events were written" : " while the events were being written"))
          .error()}));
}

core::Status AppendQueue::push(std::shared_ptr<PendingAppend> append) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return core::fail(core::ErrorCode::kUnavailable, "the event log is closed");
    if (events_ + append->rows.size() > bounds_.max_events || bytes_ + append->bytes > bounds_.max_bytes) {
      return core::fail(core::ErrorCode::kResourceExhausted, "too many events wait to be written; try again later");
    }
    events_ += append->rows.size();
    bytes_ += append->bytes;
    depth_.set(static_cast<double>(events_));
    appends_.push_back(std::move(append));
  }
  wake_.notify_one();
  return {};
}

std::vector<std::shared_ptr<PendingAppend>> AppendQueue::take(std::size_t max_events) {
  std::vector<std::shared_ptr<PendingAppend>> taken;
  std::unique_lock lock(mutex_);
  while (taken.empty()) {
    wake_.wait(lock, [this] { return closed_ || !appends_.empty(); });
    if (appends_.empty()) break;
    std::size_t events = 0;
    while (!appends_.empty() && (taken.empty() || events + appends_.front()->rows.size() <= max_events)) {
      auto append = std::move(appends_.front());
      appends_.pop_front();
      events_ -= append->rows.size();
      bytes_ -= append->bytes;
      if (!append->claim()) continue;
      events += append->rows.size();
      taken.push_back(std::move(append));
    }
    depth_.set(static_cast<double>(events_));
  }
  return taken;
}

void AppendQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_all();
}

}  // namespace scalestyle::adapters::embedded::event_log
