#pragma once
// RateLimiter: how much work one key, one user and one client address may cause, as token buckets that refill steadily.
//
// A bucket is kept as the one point in time at which it is full again (the generic cell rate algorithm, ITU-T I.371, annex A):
// a cost moves that point further away, and is granted while it stays within the burst. What costs more than a burst holds is
// granted of a full bucket, whose debt then has to be paid by waiting.
//
// Memory is bounded without letting a client reset its own limit: only a bucket that is full again, which says as much as
// none, is ever forgotten. Where all that were looked at are in use, newcomers of that shard share one bucket until some are
// full; holding max_buckets in use takes max_buckets × rate units of work a second.
//
// Thread safety: every method may be called from any thread; each identity's shard has a lock of its own, held for a look-up.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace scalestyle::http {

enum class RateScope : std::uint8_t { kKey, kUser, kAddress };
inline constexpr std::size_t kRateScopeCount = 3;
[[nodiscard]] std::string_view to_string(RateScope scope);  // "key", "user", "address"

struct RateLimitOptions {
  // Units of cost a second that one identity may cause for long, by RateScope; 0: without limit. A plain search costs one.
  std::array<double, kRateScopeCount> per_second{0, 20, 100};
  double burst_seconds = 10;          // so many seconds' worth may be used at once
  std::size_t max_buckets = 32'768;   // of each scope; at least 64

  [[nodiscard]] double rate(RateScope scope) const { return per_second[static_cast<std::size_t>(scope)]; }
  [[nodiscard]] double burst(RateScope scope) const { return rate(scope) * burst_seconds; }  // units

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

// Who causes a cost; empty: not known, and that limit does not apply.
struct RateSubject {
  std::string_view key;
  std::string_view user;
  std::string_view address;

  [[nodiscard]] std::string_view of(RateScope scope) const {
    return scope == RateScope::kKey ? key : scope == RateScope::kUser ? user : address;
  }
};

struct RateState {
  bool applies = false;
  double left = 0;         // units that may be used now; never negative
  double full_seconds = 0; // until all of the burst may be used again
  bool taken = false;      // the cost was taken of this one
};

using RateStates = std::array<RateState, kRateScopeCount>;  // by RateScope

struct RateDecision {
  bool allowed = true;
  RateScope refused_by = RateScope::kKey;  // where it is not allowed: the limit that keeps it waiting longest
  double wait_seconds = 0;                 // until it would be
  RateStates states{};
};

class RateLimiter {
 public:
  // The clock must outlive the limiter. Asserts that the options are valid.
  RateLimiter(const RateLimitOptions& options, const core::Clock& clock);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Takes `cost` (≥ 0) units of each limit that applies, or of none of them.
  [[nodiscard]] RateDecision take(const RateSubject& subject, double cost);

  // Corrects what was taken by `difference`: more (it may run into debt, of at most one burst beyond the empty bucket) or
  // less (never to more than a full bucket). Tells how the limits stand then.
  RateStates settle(const RateSubject& subject, double difference);

  // Buckets that are kept now. For tests and metrics.
  [[nodiscard]] std::size_t buckets() const;

  [[nodiscard]] const RateLimitOptions& options() const { return options_; }

 private:
  class Table;  // the buckets of one scope

  void give_back(const RateSubject& subject, double cost, RateDecision& decision);
  [[nodiscard]] RateState state(RateScope scope, core::SteadyTime full_at, core::SteadyTime now) const;

  const RateLimitOptions options_;
  const core::Clock& clock_;
  std::array<std::unique_ptr<Table>, kRateScopeCount> tables_;  // null where a scope has no limit
};

}  // namespace scalestyle::http
