#pragma once
// AdmissionLimit: how many requests may be in progress at once. Beyond it a request is refused at the door, at once.
// Thread safety: any thread. A Ticket must not outlive its limit.

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace scalestyle::search {

class AdmissionLimit {
 public:
  explicit AdmissionLimit(std::size_t limit) : limit_(limit) {}
  AdmissionLimit(const AdmissionLimit&) = delete;
  AdmissionLimit& operator=(const AdmissionLimit&) = delete;

  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (owner_ != nullptr) owner_->in_progress_.fetch_sub(1, std::memory_order_acq_rel);
    }

   private:
    friend class AdmissionLimit;
    explicit Ticket(AdmissionLimit* owner) : owner_(owner) {}
    AdmissionLimit* owner_;
  };

  [[nodiscard]] std::optional<Ticket> enter() {
    if (in_progress_.fetch_add(1, std::memory_order_acq_rel) < limit_) return Ticket(this);
    in_progress_.fetch_sub(1, std::memory_order_acq_rel);
    return std::nullopt;
  }

  [[nodiscard]] std::size_t in_progress() const { return in_progress_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> in_progress_{0};
};

}  // namespace scalestyle::search
