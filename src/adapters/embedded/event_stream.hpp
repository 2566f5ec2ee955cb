#pragma once
// Stream: the event log as its one consumer reads it. What was just committed is handed over in memory; what is further
// back is read from disk, on the compute pool, until the reader has caught up.
//
// Invariants, under mutex_: (1) tail_ holds every event above tail_floor_ up to end_, ascending; (2) cursor_ ≤ end_;
// (3) the tail stays within its bounds: what does not fit is left to the disk.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/embedded/event_log_engine.hpp"
#include "core/waiter.hpp"
#include "ports/event_stream.hpp"

namespace scalestyle::adapters::embedded::event_log {

class Stream final : public ports::EventStream {
 public:
  explicit Stream(Engine& engine);

  [[nodiscard]] core::Task<core::Result<ports::StreamBatch>> poll(std::size_t max_events, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> seek(events::EventPosition position, core::Deadline deadline) override;
  [[nodiscard]] core::Status pause(std::int32_t partition, std::chrono::milliseconds duration) override;
  [[nodiscard]] core::Task<core::Status> commit(events::EventPosition position, core::Deadline deadline) override;
  [[nodiscard]] std::uint64_t lag() const override;

  // The log's thread: these events are on disk. A waiting poll() goes on inside. `flush` leaves out of memory what came
  // before (a subject was forgotten, and it may be of that).
  void publish(std::vector<events::LoggedEvent> events, bool flush);

 private:
  enum class Wake : std::uint8_t { kLook, kDeadline, kCancelled };
  using PollWaiter = std::shared_ptr<core::Waiter<Wake>>;
  struct Span {
    std::int64_t after;
    std::int64_t through;
  };
  struct Look {
    std::optional<ports::StreamBatch> batch{};     // given at once
    std::optional<std::int64_t> read_after{};      // else: read this from disk, up to read_through
    std::int64_t read_through = 0;
    PollWaiter waiter{};                           // else: wait, at most until `until`
    core::Deadline until = core::Deadline::never();
  };
  Look look(std::size_t max_events, core::Deadline deadline);
  core::Task<core::Result<std::optional<ports::StreamBatch>>> read(Span span, std::size_t max_events, core::Deadline deadline);
  [[nodiscard]] core::Status check(const events::EventPosition& position) const;

  Engine& engine_;
  mutable std::mutex mutex_;
  std::deque<events::LoggedEvent> tail_;  // guarded by mutex_, as all below
  std::size_t tail_bytes_ = 0;
  std::int64_t tail_floor_;
  std::int64_t end_;
  std::int64_t cursor_;  // given up to here
  std::uint64_t seeks_ = 0;
  core::SteadyTime paused_until_ = core::SteadyTime::min();
  PollWaiter waiter_;
};

}  // namespace scalestyle::adapters::embedded::event_log
