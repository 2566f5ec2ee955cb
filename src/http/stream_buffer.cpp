#include "http/stream_buffer.hpp"

#include <utility>

namespace scalestyle::http {

bool StreamBuffer::put(std::string_view bytes) {
  std::shared_ptr<Slot> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return false;
    if (bytes_.size() + bytes.size() > max_bytes_) {
      is_full_ = true;
      return false;
    }
    bytes_ += bytes;
    waiting = std::move(waiting_);
  }
  if (waiting != nullptr) waiting->offer(true);
  return true;
}

void StreamBuffer::end(std::string_view bytes) {
  std::shared_ptr<Slot> waiting;
  {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
    has_ended_ = true;
    waiting = std::move(waiting_);
  }
  if (waiting != nullptr) waiting->offer(true);
}

void StreamBuffer::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

bool StreamBuffer::was_full() const {
  const std::lock_guard lock(mutex_);
  return is_full_;
}

std::optional<std::string> StreamBuffer::take_now(std::shared_ptr<Slot>& slot) {
  const std::lock_guard lock(mutex_);
  if (!bytes_.empty() || has_ended_) return std::exchange(bytes_, std::string());
  slot = waiting_ = std::make_shared<Slot>();
  return std::nullopt;
}

core::Task<core::Result<std::string>> StreamBuffer::take(std::shared_ptr<StreamBuffer> buffer, core::TimerQueue& timers, core::Deadline deadline) {
  while (true) {
    std::shared_ptr<Slot> slot;
    if (std::optional<std::string> bytes = buffer->take_now(slot)) co_return std::move(*bytes);
    CORE_CO_TRY([[maybe_unused]] const bool woken, co_await search::await_slot<bool>(slot, timers, deadline));
  }
}

}  // namespace scalestyle::http
