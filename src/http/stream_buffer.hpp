#pragma once
// StreamBuffer: what a generator made and its connection has not sent yet. The generator's side puts and never waits; the
// connection's takes and may. Either may be gone before the other.
// Thread safety: any thread; one take() at a time.

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "search/timed_slot.hpp"

namespace scalestyle::http {

class StreamBuffer {
 public:
  explicit StreamBuffer(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // False: there is no room, or nobody takes it any more.
  [[nodiscard]] bool put(std::string_view bytes);
  // The last bytes, which always fit.
  void end(std::string_view bytes);
  // The connection's side is gone.
  void close();
  [[nodiscard]] bool was_full() const;

  // What is there, as soon as there is something; empty: the end. Errors: kDeadlineExceeded, kCancelled.
  [[nodiscard]] static core::Task<core::Result<std::string>> take(std::shared_ptr<StreamBuffer> buffer, core::TimerQueue& timers,
                                                                  core::Deadline deadline);

 private:
  using Slot = search::TimedSlot<core::Result<bool>>;

  // Nothing where it has to be waited for, with `slot`.
  [[nodiscard]] std::optional<std::string> take_now(std::shared_ptr<Slot>& slot);

  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::string bytes_;  // guarded by mutex_, as all below
  std::shared_ptr<Slot> waiting_;
  bool has_ended_ = false;
  bool is_closed_ = false;
  bool is_full_ = false;
};

}  // namespace scalestyle::http
