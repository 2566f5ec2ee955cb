#pragma once
// FailedRecordSink: where records go that could not take effect, so that the records behind them can: what is no event at all
// is kept for a person to look at (the dead-letter queue), what failed by itself is put off, to be tried again later.
// Without a sink the loop logs and counts records that are no event (the embedded log keeps their bytes in place until its
// retention), and goes no further than an event that fails.

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "events/event.hpp"
#include "ports/event_stream.hpp"

namespace scalestyle::consumer {

// Thread safety: the methods by one caller at a time.
// Both complete once the record is durable where it went; the loop goes past it only then. Doing it again for the same
// position does no harm. Errors: kUnavailable, kDeadlineExceeded.
class FailedRecordSink {
 public:
  virtual ~FailedRecordSink() = default;

  // The record can never take effect.
  [[nodiscard]] virtual core::Task<core::Status> keep(ports::UndecodableRecord record, core::Deadline deadline) = 0;

  // The event could not take effect this time, because of `cause`.
  [[nodiscard]] virtual core::Task<core::Status> put_off(events::LoggedEvent event, core::Error cause, core::Deadline deadline) = 0;
};

}  // namespace scalestyle::consumer
