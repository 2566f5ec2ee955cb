#include "http/reason_stream.hpp"

#include <mutex>
#include <optional>
#include <utility>

#include "http/json_writer.hpp"
#include "search/timed_slot.hpp"

namespace scalestyle::http {

std::string server_sent_event(std::string_view name, std::string_view json) {
  std::string event = "event: ";
  event += name;
  event += "\ndata: ";
  event += json;
  event += "\n\n";
  return event;
}

// What was made and not sent yet. The generator's side puts, the connection's takes; either may be gone before the other.
class ReasonStream::Buffer {
 public:
  using Slot = search::TimedSlot<core::Result<bool>>;

  // False: there is no room, or nobody takes it any more.
  bool put(std::string_view bytes) {
    std::shared_ptr<Slot> waiting;
    {
      const std::lock_guard lock(mutex_);
      if (is_closed_) return false;
      if (bytes_.size() + bytes.size() > kMaxBufferedBytes) {
        is_full_ = true;
        return false;
      }
      bytes_ += bytes;
      waiting = std::move(waiting_);
    }
    if (waiting != nullptr) waiting->offer(true);
    return true;
  }

  // The last event, which always fits.
  void end(std::string_view bytes) {
    std::shared_ptr<Slot> waiting;
    {
      const std::lock_guard lock(mutex_);
      bytes_ += bytes;
      has_ended_ = true;
      waiting = std::move(waiting_);
    }
    if (waiting != nullptr) waiting->offer(true);
  }

  void close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }

  [[nodiscard]] bool was_full() const {
    const std::lock_guard lock(mutex_);
    return is_full_;
  }

  // What is there; nothing where it has to be waited for, with `slot`.
  [[nodiscard]] std::optional<std::string> take(std::shared_ptr<Slot>& slot) {
    const std::lock_guard lock(mutex_);
    if (!bytes_.empty() || has_ended_) return std::exchange(bytes_, std::string());
    slot = waiting_ = std::make_shared<Slot>();
    return std::nullopt;
  }

 private:
  mutable std::mutex mutex_;
  std::string bytes_;  // guarded by mutex_, as all below
  std::shared_ptr<Slot> waiting_;
  bool has_ended_ = false;
  bool is_closed_ = false;
  bool is_full_ = false;
};

ReasonStream::ReasonStream(search::ReasonService& service, core::TimerQueue& timers, Wish wish)
    : buffer_(std::make_shared<Buffer>()), timers_(timers), deadline_(wish.deadline) {
  auto written = service.write(std::move(wish.prompt), wish.max_tokens, wish.deadline, [buffer = buffer_](std::string_view part) {
    JsonWriter json;
    json.begin_object().key("text").text(part).end_object();
    return buffer->put(server_sent_event("token", std::move(json).take()));
  });
  auto end = [buffer = buffer_, ending = std::move(wish.ending)](core::Result<search::WrittenReason>&& outcome) {
    if (!outcome && buffer->was_full()) {
      outcome = core::fail(core::ErrorCode::kResourceExhausted, "the client reads too slowly; the generation was stopped");
    }
    buffer->end(ending(std::move(outcome)));
  };
  generation_ = core::start(std::move(written), std::move(end));
}

ReasonStream::~ReasonStream() { buffer_->close(); }

core::Task<core::Result<std::string>> ReasonStream::next() {
  while (true) {
    std::shared_ptr<Buffer::Slot> slot;
    if (std::optional<std::string> bytes = buffer_->take(slot)) co_return std::move(*bytes);
    CORE_CO_TRY([[maybe_unused]] const bool woken, co_await search::await_slot<bool>(slot, timers_, deadline_));
  }
}

}  // namespace scalestyle::http
