#pragma once
// EventLog: the durable log that every event goes through. Embedded: SQLite in the data folder. Distributed: Kafka.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "events/event.hpp"

namespace scalestyle::ports {

struct AppendedEvent {
  events::EventPosition position{};  // of the first event with this id, when it is a duplicate
  bool duplicate = false;            // an event with this id is kept already; nothing was added
  std::uint64_t mark = 0;            // of its id (event_id.hpp), where its effect may be remembered by that; else 0
};

// Whether events of a failed append can be in the log all the same.
enum class AppendOutcome : std::uint8_t {
  kNotKept,  // certainly not, and they will not appear later
  kUnknown,  // perhaps; sending them again with the same event ids is safe
};

struct AppendFailure {
  AppendOutcome outcome = AppendOutcome::kUnknown;
  core::Error error{};
};

// W3C trace context of the request that brings events; empty: none.
struct TraceContext {
  std::string traceparent{};
  std::string tracestate{};
};

using AppendResult = std::expected<std::vector<AppendedEvent>, AppendFailure>;

enum class ErasureState : std::uint8_t {
  kErased,      // the bytes are gone
  kPending,     // they will be; nothing reads them meanwhile
  kUnreadable,  // they stay, unreadable, until the log's retention removes them
};

// Thread safety: every method may be called from any thread, concurrently.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // Appends all events of `batch` or none, and completes once they are on disk (quorum): one result an event, in order.
  // An event_id that the log holds already, or that appears twice in the batch, is kept once (embedded), or takes effect once
  // (distributed: stores remember marks); positions of one subject ascend in order of acceptance. At most 500 events; event_id and subject are required.
  // A group commit: takes what is queued, never waits for company. Completes on the log's own thread: do little there.
  // Errors, each with its outcome: kResourceExhausted (queue full: not kept; disk full: not kept), kUnavailable (the log
  // refuses writes since a failed sync, is closed, or cannot be reached), kDeadlineExceeded (not kept when the events
  // were still queued), kCancelled (as kDeadlineExceeded), kInvalidArgument (not kept).
  [[nodiscard]] virtual core::Task<AppendResult> append(std::vector<events::Event> batch, core::Deadline deadline) = 0;

  // As append(); a log whose records have headers keeps the trace context with them.
  [[nodiscard]] virtual core::Task<AppendResult> append_traced(std::vector<events::Event> batch, TraceContext /*trace*/,
                                                               core::Deadline deadline) {
    return append(std::move(batch), deadline);
  }

  // The subject's events after `after_offset`, oldest first, at most `limit` (1 … 10,000); none of before its last
  // kForget. kUnsupported where the engine cannot look them up by subject.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<events::LoggedEvent>>> history(events::Subject subject,
                                                                                          std::int64_t after_offset,
                                                                                          std::size_t limit,
                                                                                          core::Deadline deadline) = 0;

  // Waits until what the kForget event at `position` erases is gone from the log, or the deadline: then kPending.
  [[nodiscard]] virtual core::Task<core::Result<ErasureState>> wait_erased(events::EventPosition position,
                                                                           core::Deadline deadline) = 0;

  // Empty while appends are accepted; else why not, for readiness, metrics and people.
  [[nodiscard]] virtual std::string refusal() const = 0;
};

}  // namespace scalestyle::ports
