#pragma once
// EventStream: the log as a consumer reads it. Embedded: the same log, one partition, always assigned. Distributed:
// Kafka consumer groups.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "events/event.hpp"

namespace scalestyle::ports {

// A record whose bytes are no event; kept for the dead-letter queue.
struct UndecodableRecord {
  events::EventPosition position{};
  std::string bytes{};
  std::string problem{};
  std::string key{};              // of the record, where the log has one
  events::Delivery delivery{};
};

struct StreamBatch {
  std::vector<events::LoggedEvent> events{};        // in order within each partition
  std::vector<UndecodableRecord> undecodable{};
  std::vector<std::int32_t> assigned{};             // partitions that came or went since the last poll; what of a
  std::vector<std::int32_t> revoked{};              // revoked one is not committed will be given to another consumer

  [[nodiscard]] bool empty() const { return events.empty() && undecodable.empty() && assigned.empty() && revoked.empty(); }
};

// One consumer. Thread safety: poll(), seek(), pause() and commit() by one caller at a time; lag() by any.
class EventStream {
 public:
  virtual ~EventStream() = default;

  // What follows the last poll, at most `max_events` (1 … 10,000); waits for at least one record until the deadline,
  // then gives an empty batch. Embedded: completes on the log's thread as part of the commit, before the append is
  // acknowledged, or on the compute pool for what is read from disk.
  // Errors: kDataLoss (names the damaged place), kUnavailable, kCancelled.
  [[nodiscard]] virtual core::Task<core::Result<StreamBatch>> poll(std::size_t max_events, core::Deadline deadline) = 0;

  // The next poll gives what follows `position` in its partition (offset −1: from the first that is kept).
  // kInvalidArgument for a position of another stream; kNotFound when retention has removed what would follow.
  [[nodiscard]] virtual core::Task<core::Status> seek(events::EventPosition position, core::Deadline deadline) = 0;

  // Nothing of `partition` is given by poll() for `duration`; zero: resume at once.
  [[nodiscard]] virtual core::Status pause(std::int32_t partition, std::chrono::milliseconds duration) = 0;

  // Everything of the partition up to and including `position` has taken durable effect: the contiguous prefix. A partition
  // that was revoked meanwhile is no error: its next holder does what is not committed again.
  [[nodiscard]] virtual core::Task<core::Status> commit(events::EventPosition position, core::Deadline deadline) = 0;

  // Events appended and not yet given by poll(), over all assigned partitions.
  [[nodiscard]] virtual std::uint64_t lag() const = 0;
};

}  // namespace scalestyle::ports
