#pragma once
// AppendQueue: appends on their way to the log's thread. Bounded by events and bytes; thread-safe.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/embedded/event_log_rows.hpp"
#include "core/waiter.hpp"
#include "adapters/embedded/event_log_writer.hpp"
#include "ports/event_log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::embedded::event_log {

using WrittenOrFailure = std::expected<std::vector<Written>, ports::AppendFailure>;

// One append. Its rows belong to its task until it is queued, then to the log's thread.
// Invariants: (1) claim() succeeds once, and only before withdraw() did; (2) the waiter is settled exactly once.
class PendingAppend {
 public:
  PendingAppend(std::vector<Row> its_rows, bool is_imported);

  // The log's thread: takes it into a transaction. False: its caller has left.
  [[nodiscard]] bool claim() {
    Phase expected = Phase::kQueued;
    return phase_.compare_exchange_strong(expected, Phase::kInTransaction, std::memory_order_acq_rel);
  }
  void finish(WrittenOrFailure outcome) { waiter->settle(std::move(outcome)); }

  // Its caller leaves, for `reason`: not kept when it was queued still, else unknown.
  void withdraw(core::ErrorCode reason);

  std::vector<Row> rows;
  bool imported;
  std::string traceparent{};  // of a request whose trace is to be seen further; else empty
  std::size_t bytes = 0;
  std::shared_ptr<core::Waiter<WrittenOrFailure>> waiter = std::make_shared<core::Waiter<WrittenOrFailure>>();

 private:
  enum class Phase : std::uint8_t { kQueued, kInTransaction, kWithdrawn };
  std::atomic<Phase> phase_{Phase::kQueued};
};

class AppendQueue {
 public:
  struct Bounds {
    std::size_t max_events;
    std::size_t max_bytes;
  };
  AppendQueue(Bounds bounds, telemetry::Gauge depth) : bounds_(bounds), depth_(depth) {}

  // kResourceExhausted when it is full, kUnavailable after close().
  [[nodiscard]] core::Status push(std::shared_ptr<PendingAppend> append);

  // Waits for appends; gives all that are queued, at most `max_events` (but one append at least), claimed. Empty only
  // when the queue is closed and drained.
  [[nodiscard]] std::vector<std::shared_ptr<PendingAppend>> take(std::size_t max_events);

  void close();

 private:
  Bounds bounds_;
  telemetry::Gauge depth_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<PendingAppend>> appends_;  // guarded by mutex_, as all below
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace scalestyle::adapters::embedded::event_log
