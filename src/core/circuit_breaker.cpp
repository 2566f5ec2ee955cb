#include "core/circuit_breaker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::core {

namespace {

// SplitMix64: https://prng.di.unimi.it/splitmix64.c
double next_share(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
  mixed ^= mixed >> 31U;
  return static_cast<double>(mixed >> 11U) * 0x1.0p-53;
}

}  // namespace

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed: return "closed";
    case BreakerState::kHalfOpen: return "half_open";
    case BreakerState::kOpen: return "open";
  }
  return "closed";
}

CallVerdict verdict_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kDataLoss:
    case ErrorCode::kInternal: return CallVerdict::kFailure;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kCancelled:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnsupported:
    case ErrorCode::kCircuitOpen: return CallVerdict::kNone;
  }
  return CallVerdict::kNone;
}

Status BreakerOptions::validate() const {
  const auto check = [](std::uint64_t value, std::uint64_t least, std::uint64_t most, const char* name) -> Status {
    if (value >= least && value <= most) return {};
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} must be {} to {}, not {}", name, least, most, value), name);
  };
  CORE_CHECK(check(window, 1, 10'000, "breaker_window"));
  CORE_CHECK(check(min_calls, 1, window, "breaker_min_calls"));
  CORE_CHECK(check(failure_percent, 1, 100, "breaker_failure_percent"));
  CORE_CHECK(check(probes, 1, 1'000, "breaker_probes"));
  if (open_for < std::chrono::milliseconds(1) || open_for > std::chrono::hours(1)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("breaker_open_ms must be 1 to 3600000, not {}", open_for.count()),
                "breaker_open_ms");
  }
  if (!(jitter >= 0 && jitter <= 1)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the jitter of a breaker must be 0 to 1, not {}", jitter), "breaker_open_ms");
  }
  return {};
}

CircuitBreaker::CircuitBreaker(const BreakerOptions& options, const Clock& clock)
    : options_(options), clock_(clock), failed_(options.window), random_(options.seed) {}

std::optional<BreakerState> CircuitBreaker::Permit::end(CallVerdict verdict) {
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (breaker == nullptr) return std::nullopt;
  return breaker->settle(epoch_, verdict);
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::acquire() {
  const std::uint64_t seen = word_.load(std::memory_order_acquire);
  if (state_in(seen) == BreakerState::kClosed) return Permit(this, epoch_in(seen));
  const SteadyTime::rep now = clock_.steady_now().time_since_epoch().count();
  if (state_in(seen) == BreakerState::kOpen && now < open_until_.load(std::memory_order_acquire)) return std::nullopt;

  const std::lock_guard lock(mutex_);
  switch (state_in(word_.load(std::memory_order_relaxed))) {
    case BreakerState::kClosed: break;
    case BreakerState::kOpen:
      if (now < open_until_.load(std::memory_order_relaxed)) return std::nullopt;
      change_to(BreakerState::kHalfOpen);
      ++probing_;
      break;
    case BreakerState::kHalfOpen:
      if (probing_ + verdicts_ >= options_.probes) return std::nullopt;
      ++probing_;
      break;
  }
  return Permit(this, epoch_in(word_.load(std::memory_order_relaxed)));
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::acquire_if_closed() {
  const std::uint64_t seen = word_.load(std::memory_order_acquire);
  if (state_in(seen) != BreakerState::kClosed) return std::nullopt;
  return Permit(this, epoch_in(seen));
}

BreakerState CircuitBreaker::state() const {
  const BreakerState state = state_in(word_.load(std::memory_order_acquire));
  return state == BreakerState::kOpen && open_left() == std::chrono::nanoseconds(0) ? BreakerState::kHalfOpen : state;
}

std::chrono::nanoseconds CircuitBreaker::open_left() const {
  if (state_in(word_.load(std::memory_order_acquire)) != BreakerState::kOpen) return std::chrono::nanoseconds(0);
  const SteadyTime until{SteadyTime::duration(open_until_.load(std::memory_order_acquire))};
  return std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(until - clock_.steady_now()));
}

std::optional<BreakerState> CircuitBreaker::settle(std::uint64_t epoch, CallVerdict verdict) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (epoch_in(word) != epoch) return std::nullopt;
  if (state_in(word) == BreakerState::kClosed) {
    if (verdict == CallVerdict::kNone) return std::nullopt;
    remember(verdict == CallVerdict::kFailure);
    const bool opens = verdicts_ >= options_.min_calls && failures_ * 100 >= options_.failure_percent * verdicts_;
    return opens ? std::optional(change_to(BreakerState::kOpen)) : std::nullopt;
  }
  // A probe: there are no permits of an open breaker.
  --probing_;
  if (verdict == CallVerdict::kNone) return std::nullopt;
  ++verdicts_;
  if (verdict == CallVerdict::kFailure) ++failures_;
  if (failures_ * 100 >= options_.failure_percent * options_.probes) return change_to(BreakerState::kOpen);
  return verdicts_ == options_.probes ? std::optional(change_to(BreakerState::kClosed)) : std::nullopt;
}

void CircuitBreaker::remember(bool failed) {
  if (verdicts_ == options_.window) {
    if (failed_[next_]) --failures_;
  } else {
    ++verdicts_;
  }
  failed_[next_] = failed;
  if (failed) ++failures_;
  next_ = (next_ + 1) % options_.window;
}

BreakerState CircuitBreaker::change_to(BreakerState state) {
  if (state == BreakerState::kOpen) {
    const auto open_for = std::chrono::duration<double, std::nano>(options_.open_for) * (1 + options_.jitter * next_share(random_));
    const SteadyTime until = clock_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(open_for);
    open_until_.store(until.time_since_epoch().count(), std::memory_order_release);
  }
  next_ = verdicts_ = failures_ = probing_ = 0;
  const std::uint64_t epoch = epoch_in(word_.load(std::memory_order_relaxed)) + 1;
  word_.store(epoch << 2U | static_cast<std::uint64_t>(state), std::memory_order_release);
  return state;
}

}  // namespace scalestyle::core
