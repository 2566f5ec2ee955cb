#pragma once
// DeadLetterSink: where records go that are no event, so that a person can look at them and send them again.
// Without a sink the loop logs and counts them; the embedded log keeps their bytes in place until its retention.

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/event_stream.hpp"

namespace scalestyle::consumer {

// Thread safety: keep() by one caller at a time.
class DeadLetterSink {
 public:
  virtual ~DeadLetterSink() = default;

  // Completes once the record is durable. Keeping a position again changes nothing. Errors: kUnavailable,
  // kDeadlineExceeded; the loop does not go past the record until it is kept.
  [[nodiscard]] virtual core::Task<core::Status> keep(ports::UndecodableRecord record, core::Deadline deadline) = 0;
};

}  // namespace scalestyle::consumer
