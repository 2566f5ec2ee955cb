#include "http/rate_limiter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace scalestyle::http {

namespace {

using core::SteadyTime;
using Nanoseconds = std::chrono::nanoseconds;

constexpr std::size_t kShards = 16;
constexpr std::size_t kLooked = 8;  // least recently used buckets that are looked at for one to forget
constexpr double kMaxSeconds = 1e8;  // three years: what a point in time is kept from overflowing by

Nanoseconds nanoseconds(double seconds) {
  return Nanoseconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, kMaxSeconds) * 1e9));
}

double seconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

std::string_view to_string(RateScope scope) {
  switch (scope) {
    case RateScope::kKey: return "key";
    case RateScope::kUser: return "user";
    case RateScope::kAddress: return "address";
  }
  return "unknown";
}

core::Status RateLimitOptions::validate() const {
  constexpr double kMostPerSecond = 1e6;
  const auto refuse = [](std::string message, std::string field) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
  };
  for (std::size_t scope = 0; scope < kRateScopeCount; ++scope) {
    const std::string name = fmt::format("rate_limit_{}", to_string(static_cast<RateScope>(scope)));
    const double rate = per_second[scope];
    if (!(rate >= 0 && rate <= kMostPerSecond)) {
      return refuse(fmt::format("{} must be 0 to {}, not {}", name, kMostPerSecond, rate), name);
    }
    if (rate > 0 && rate * burst_seconds < 1) {
      return refuse(fmt::format("{} × rate_limit_burst_s must be at least 1, one search, not {}", name, rate * burst_seconds), name);
    }
  }
  if (!(burst_seconds >= 0.1 && burst_seconds <= 86'400)) {
    return refuse(fmt::format("rate_limit_burst_s must be 0.1 to 86400, not {}", burst_seconds), "rate_limit_burst_s");
  }
  if (max_buckets < 64) {
    return refuse(fmt::format("rate_limit_buckets must be at least 64, not {}", max_buckets), "rate_limit_buckets");
  }
  return {};
}

// Shards of buckets, each in the order of last use, with one bucket for those that find no room.
class RateLimiter::Table {
 public:
  explicit Table(std::size_t max_buckets) : shard_capacity_(std::max<std::size_t>(1, max_buckets / kShards)) {}

  // Calls `change` with the bucket's point in time, under its shard's lock.
  template <class Change>
  void with(std::string_view identity, SteadyTime now, Change change) {
    Shard& shard = shards_[std::hash<std::string_view>()(identity) % kShards];
    const std::lock_guard lock(shard.mutex);
    change(bucket(shard, identity, now));
  }

  [[nodiscard]] std::size_t size() const {
    std::size_t total = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      total += shard.places.size();
    }
    return total;
  }

 private:
  struct Bucket {
    std::string identity;
    SteadyTime full_at;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Bucket> buckets;  // guarded by mutex; the one used last first
    std::map<std::string_view, std::list<Bucket>::iterator, std::less<>> places;  // an order: chosen names cannot collide
    SteadyTime shared_full_at{};
  };

  SteadyTime& bucket(Shard& shard, std::string_view identity, SteadyTime now) {
    if (const auto found = shard.places.find(identity); found != shard.places.end()) {
      shard.buckets.splice(shard.buckets.begin(), shard.buckets, found->second);
      return found->second->full_at;
    }
    if (shard.places.size() >= shard_capacity_ && !forget_one(shard, now)) return shard.shared_full_at;
    shard.buckets.push_front({std::string(identity), now});
    shard.places.emplace(shard.buckets.front().identity, shard.buckets.begin());
    return shard.buckets.front().full_at;
  }

  // One that is full again. Those passed over go to the front, so that the next look sees others.
  static bool forget_one(Shard& shard, SteadyTime now) {
    for (std::size_t looked = 0; looked < kLooked; ++looked) {
      const auto last = std::prev(shard.buckets.end());
      if (last->full_at <= now) {
        shard.places.erase(last->identity);
        shard.buckets.erase(last);
        return true;
      }
      shard.buckets.splice(shard.buckets.begin(), shard.buckets, last);
    }
    return false;
  }

  const std::size_t shard_capacity_;
  std::array<Shard, kShards> shards_;
};

RateLimiter::RateLimiter(const RateLimitOptions& options, const core::Clock& clock) : options_(options), clock_(clock) {
  assert(options_.validate());
  for (std::size_t scope = 0; scope < kRateScopeCount; ++scope) {
    if (options_.per_second[scope] > 0) tables_[scope] = std::make_unique<Table>(options_.max_buckets);
  }
}

RateLimiter::~RateLimiter() = default;

RateState RateLimiter::state(RateScope scope, SteadyTime full_at, SteadyTime now) const {
  const double missing = full_at > now ? seconds(full_at - now) : 0;
  const double left = std::max(0.0, (options_.burst_seconds - missing) * options_.rate(scope));
  return {.applies = true, .left = left, .full_seconds = missing};
}

RateDecision RateLimiter::take(const RateSubject& subject, double cost) {
  assert(cost >= 0);
  const SteadyTime now = clock_.steady_now();
  RateDecision decision;
  for (std::size_t at = 0; at < kRateScopeCount; ++at) {
    const auto scope = static_cast<RateScope>(at);
    const std::string_view identity = subject.of(scope);
    if (tables_[at] == nullptr || identity.empty()) continue;
    const Nanoseconds burst = nanoseconds(options_.burst_seconds);
    const Nanoseconds price = nanoseconds(cost / options_.rate(scope));
    tables_[at]->with(identity, now, [&](SteadyTime& full_at) {
      const SteadyTime base = std::max(full_at, now);
      const Nanoseconds over = base - now + std::min(price, burst) - burst;
      if (over <= Nanoseconds(0)) {
        full_at = base + price;
      } else if (seconds(over) > decision.wait_seconds) {
        decision.wait_seconds = seconds(over);
        decision.refused_by = scope;
      }
      if (over > Nanoseconds(0)) decision.allowed = false;
      decision.states[at] = state(scope, full_at, now);
      decision.states[at].taken = over <= Nanoseconds(0);
    });
  }
  if (!decision.allowed) give_back(subject, cost, decision);
  return decision;
}

// A limit that would have granted it gets back what it gave before another one refused.
void RateLimiter::give_back(const RateSubject& subject, double cost, RateDecision& decision) {
  const SteadyTime now = clock_.steady_now();
  for (std::size_t at = 0; at < kRateScopeCount; ++at) {
    if (!decision.states[at].taken) continue;
    const auto scope = static_cast<RateScope>(at);
    tables_[at]->with(subject.of(scope), now, [&](SteadyTime& full_at) {
      full_at -= nanoseconds(cost / options_.rate(scope));
      decision.states[at] = state(scope, full_at, now);
    });
  }
}

RateStates RateLimiter::settle(const RateSubject& subject, double difference) {
  const SteadyTime now = clock_.steady_now();
  RateStates states{};
  for (std::size_t at = 0; at < kRateScopeCount; ++at) {
    const auto scope = static_cast<RateScope>(at);
    const std::string_view identity = subject.of(scope);
    if (tables_[at] == nullptr || identity.empty()) continue;
    const Nanoseconds amount = nanoseconds(std::abs(difference) / options_.rate(scope));
    tables_[at]->with(identity, now, [&](SteadyTime& full_at) {
      if (difference < 0) {
        full_at -= amount;  // a point in the past is a full bucket
      } else {
        const SteadyTime furthest = now + 2 * nanoseconds(options_.burst_seconds);
        full_at = std::max(full_at, std::min(std::max(full_at, now) + amount, furthest));
      }
      states[at] = state(scope, full_at, now);
    });
  }
  return states;
}

std::size_t RateLimiter::buckets() const {
  std::size_t total = 0;
  for (const auto& table : tables_) total += table != nullptr ? table->size() : 0;
  return total;
}

}  // namespace scalestyle::http
