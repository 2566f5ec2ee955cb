#pragma once
// CircuitBreaker: stops calls to a dependency that fails, for a while, so that its callers go on without it at once.
//
// Closed: calls pass; the verdicts of the last `window` calls are remembered. Once there are `min_calls` of them, and
// `failure_percent` of them or more are failures, it opens. Open: calls are refused for `open_for`, and a little longer by a
// seeded jitter, so that many processes do not come back together. Half-open: then `probes` calls pass, no more. Enough failures
// among them open it again at once; with fewer, the last verdict closes it, and the window begins anew.
//
// What a verdict is, the caller decides: verdict_of() is the common rule. A call without a verdict leaves no trace; a verdict of
// a call that began before the last change of state is not counted.
//
// Thread safety: every method may be called from any thread. A permit of a closed breaker is taken without a lock.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace scalestyle::core {

// The numbers are those of metrics.
enum class BreakerState : std::uint8_t { kClosed = 0, kHalfOpen = 1, kOpen = 2 };
[[nodiscard]] std::string_view to_string(BreakerState state);  // "closed", "half_open", "open"

enum class CallVerdict : std::uint8_t { kSuccess, kFailure, kNone };

// Time-outs, a dependency that is away, and what it did wrong itself are failures. What the caller did wrong or gave up, what was
// refused for lack of capacity, and a breaker's own refusal say nothing of the dependency.
[[nodiscard]] CallVerdict verdict_of(ErrorCode code);

struct BreakerOptions {
  std::size_t window = 50;           // calls; 1 … 10,000
  std::size_t min_calls = 5;         // 1 … window
  std::size_t failure_percent = 50;  // 1 … 100
  std::chrono::milliseconds open_for{10'000};  // 1 ms … 1 h
  std::size_t probes = 5;            // 1 … 1,000
  double jitter = 0.1;               // open for up to so much longer; 0 … 1
  std::uint64_t seed = 0;            // of the jitter

  // kInvalidArgument with the setting as field.
  [[nodiscard]] Status validate() const;
};

class CircuitBreaker {
 public:
  // `options` must be valid.
  CircuitBreaker(const BreakerOptions& options, const Clock& clock);
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  // One call's leave to go on; must not outlive its breaker. Dropped, it is given back without a verdict.
  class Permit {
   public:
    Permit(Permit&& other) noexcept : breaker_(std::exchange(other.breaker_, nullptr)), epoch_(other.epoch_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() { static_cast<void>(end(CallVerdict::kNone)); }

    // Once. The new state, where this verdict changed it.
    std::optional<BreakerState> end(CallVerdict verdict);

   private:
    friend class CircuitBreaker;
    Permit(CircuitBreaker* breaker, std::uint64_t epoch) : breaker_(breaker), epoch_(epoch) {}
    CircuitBreaker* breaker_;  // null once it has ended
    std::uint64_t epoch_;
  };

  // Nothing while the call must not be made.
  [[nodiscard]] std::optional<Permit> acquire();
  // Nothing but of a closed breaker: for calls that must not be its probes.
  [[nodiscard]] std::optional<Permit> acquire_if_closed();

  // An open breaker whose time is over counts as half-open.
  [[nodiscard]] BreakerState state() const;
  // Until an open breaker lets probes pass; zero in other states.
  [[nodiscard]] std::chrono::nanoseconds open_left() const;

 private:
  [[nodiscard]] std::optional<BreakerState> settle(std::uint64_t epoch, CallVerdict verdict);
  // Under the lock, as all below.
  void remember(bool failed);
  BreakerState change_to(BreakerState state);

  static BreakerState state_in(std::uint64_t word) { return static_cast<BreakerState>(word & 3U); }
  static std::uint64_t epoch_in(std::uint64_t word) { return word >> 2U; }

  const BreakerOptions options_;
  const Clock& clock_;
  // The epoch, which grows with each change of state, and the state. Written under the lock.
  std::atomic<std::uint64_t> word_{0};
  std::atomic<SteadyTime::rep> open_until_{0};  // written under the lock

  mutable std::mutex mutex_;
  std::vector<bool> failed_;       // guarded by mutex_, as all below: a ring of the last verdicts
  std::size_t next_ = 0;           // in the ring
  std::size_t verdicts_ = 0;       // in the ring; of probes, while half-open
  std::size_t failures_ = 0;       // among them
  std::size_t probing_ = 0;        // probes in progress
  std::uint64_t random_;
};

}  // namespace scalestyle::core
