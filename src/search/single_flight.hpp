#pragma once
// SingleFlight: of many who want the same thing at once, one makes it and the others wait for it.
//
// Who joins first leads: it makes the value and lands it with Lead::land(); dropping the Lead otherwise (a failure of its own,
// a caller that went away) lands nothing, and those who waited join again, so that one of them leads. Each waits no longer than
// its own deadline. A waiter resumes on the pool: what it does next costs the leader nothing.
//
// Thread safety: join() from any thread. Must outlive every Lead; the pool's threads end before it goes.

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "core/worker_pool.hpp"
#include "search/timed_slot.hpp"

namespace scalestyle::search {

template <class Value>
class SingleFlight {
 public:
  using Landing = std::shared_ptr<const Value>;  // null: nothing landed
  using Slot = TimedSlot<core::Result<Landing>>;

  class Lead {
   public:
    Lead(SingleFlight& flights, std::string key) : flights_(&flights), key_(std::move(key)) {}
    Lead(Lead&& other) noexcept : flights_(std::exchange(other.flights_, nullptr)), key_(std::move(other.key_)) {}
    Lead& operator=(Lead&&) = delete;
    ~Lead() { land(nullptr); }

    void land(Landing value) {
      if (SingleFlight* const flights = std::exchange(flights_, nullptr)) flights->land(key_, std::move(value));
    }

   private:
    SingleFlight* flights_;  // null: has landed
    std::string key_;
  };

  explicit SingleFlight(core::WorkerPool& pool) : pool_(pool) {}

  // The lead, or what to wait for with await_slot().
  [[nodiscard]] std::variant<Lead, std::shared_ptr<Slot>> join(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto [flight, is_new] = waiting_.try_emplace(key);
    if (is_new) return Lead(*this, key);
    auto slot = std::make_shared<Slot>();
    flight->second.push_back(slot);
    return slot;
  }

 private:
  void land(const std::string& key, Landing value) {
    std::vector<std::shared_ptr<Slot>> waiting;
    {
      const std::lock_guard lock(mutex_);
      const auto flight = waiting_.find(key);
      waiting = std::move(flight->second);
      waiting_.erase(flight);
    }
    for (auto& slot : waiting) {
      const auto wake = [slot, value] { slot->offer(value); };
      if (!pool_.submit(wake)) wake();
    }
  }

  core::WorkerPool& pool_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<std::shared_ptr<Slot>>> waiting_;  // guarded by mutex_
};

}  // namespace scalestyle::search
