#include "search/adaptive_limit.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::search {

namespace {

constexpr int kGroup = 32;                            // requests of one kind whose mean is taken
constexpr std::size_t kSamples = 20;                  // between two looks at the limit
constexpr std::chrono::seconds kPeriod{30};           // of the quickest
constexpr std::size_t kRestFloors = 4;                // of the limit while little is in progress
constexpr double kBusyShare = 0.5;                    // of the limit: more in progress is much
constexpr double kUsedShare = 0.8;                    // of the limit: more, and it is in use
constexpr double kLargestCut = 0.3;                   // what is left of the limit at least
constexpr double kSmallestCut = 0.9;                  // and at most
constexpr std::chrono::milliseconds kLook{100};       // between two looks at refusals
constexpr std::size_t kFewRefusals = 10;              // fewer are a rush
constexpr std::chrono::seconds kCrowded{10};          // since more were refused than served
constexpr std::chrono::microseconds kLeastTime{100};  // what is quicker is as quick as this

}  // namespace

core::Status AdaptiveLimitOptions::validate() const {
  const auto wrong = [](std::string message, const char* name) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), name);
  };
  if (ceiling < 1 || ceiling > 100'000) {
    return wrong(fmt::format("max_concurrent_requests must be 1 to 100000, not {}", ceiling), "max_concurrent_requests");
  }
  if (floor < 1 || floor > 100'000) {
    return wrong(fmt::format("admission_floor must be 1 to 100000, not {}", floor), "admission_floor");
  }
  if (crowded_floor < 1 || crowded_floor > 100'000) {
    return wrong(fmt::format("crowded_floor must be 1 to 100000, not {}", crowded_floor), "crowded_floor");
  }
  if (!(tolerance >= 1.1 && tolerance <= 100)) {
    return wrong(fmt::format("admission_tolerance must be 1.1 to 100, not {}", tolerance), "admission_tolerance");
  }
  if (grace.count() < 0 || grace.count() > 60'000) {
    return wrong(fmt::format("admission_grace_ms must be 0 to 60000, not {}", grace.count()), "admission_grace_ms");
  }
  return {};
}

AdaptiveLimit::AdaptiveLimit(const AdaptiveLimitOptions& options, const core::Clock& clock)
    : options_(options),
      floor_(std::min(options.floor, options.ceiling)),
      crowded_floor_(std::min(options.crowded_floor, floor_)),
      rest_(options.adapts ? std::min(kRestFloors * floor_, options.ceiling) : options.ceiling),
      clock_(clock),
      limit_(rest_),
      period_began_(clock.steady_now()),
      changed_(period_began_),
      crowded_until_(period_began_),
      looked_(period_began_) {}

std::optional<AdaptiveLimit::Ticket> AdaptiveLimit::enter() {
  const std::size_t before = in_progress_.fetch_add(1, std::memory_order_acq_rel);
  const std::size_t limit = limit_.load(std::memory_order_acquire);
  if (before >= limit) {
    in_progress_.fetch_sub(1, std::memory_order_acq_rel);
    refused_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  std::size_t peak = peak_.load(std::memory_order_relaxed);
  while (before + 1 > peak && !peak_.compare_exchange_weak(peak, before + 1, std::memory_order_relaxed)) {
  }
  // As many as the floor grants everybody are no pressure: only a crowd, whose limit is below it, is measured by the limit alone.
  const std::size_t room = limit < floor_ ? limit : std::max(limit, rest_);
  return Ticket(this, clock_.steady_now(), static_cast<double>(before) / static_cast<double>(room));
}

void AdaptiveLimit::note(AdmittedKind kind, core::SteadyTime entered) {
  if (!options_.adapts) return;
  const core::SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  if (now - period_began_ >= kPeriod) begin_period(now);
  ++served_;
  look_at_refusals(now);
  const double ratio = slowness(kind, std::max<Duration>(now - entered, kLeastTime));
  const auto limit = static_cast<double>(limit_.load(std::memory_order_relaxed));
  if (static_cast<double>(in_progress_.load(std::memory_order_relaxed)) > kBusyShare * limit) was_busy_ = true;
  if (limit > static_cast<double>(floor())) was_above_floor_ = true;
  if (entered < changed_) return;
  ++samples_;
  slowness_ += ratio;
  if (ratio > 1) ++slow_;
  if (samples_ >= kSamples) adapt(now);
}

// Above 1: slow.
double AdaptiveLimit::slowness(AdmittedKind kind, Duration took) {
  Quickest& quickest = quickest_[static_cast<std::size_t>(kind)];
  quickest.sum += took;
  if (++quickest.size == kGroup) {
    const Duration mean = quickest.sum / kGroup;
    quickest.known = std::min(quickest.known, mean);
    quickest.of_period = std::min(quickest.of_period, mean);
    quickest.sum = Duration(0);
    quickest.size = 0;
  }
  if (quickest.known == Duration::max()) return 0;
  const Duration grace = crowded_ ? Duration(0) : Duration(options_.grace);
  const double usual = std::max(options_.tolerance * static_cast<double>(quickest.known.count()), static_cast<double>(grace.count()));
  return static_cast<double>(took.count()) / usual;
}

void AdaptiveLimit::begin_period(core::SteadyTime now) {
  for (Quickest& quickest : quickest_) {
    const bool forgets = !was_busy_ || !was_above_floor_;
    if (forgets && quickest.of_period != Duration::max()) quickest.known = quickest.of_period;
    quickest.of_period = Duration::max();
  }
  period_began_ = now;
  was_busy_ = was_above_floor_ = false;
}

void AdaptiveLimit::adapt(core::SteadyTime now) {
  const std::size_t limit = limit_.load(std::memory_order_relaxed);
  const std::size_t peak = peak_.exchange(in_progress_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  std::size_t next = limit;
  if (2 * slow_ > samples_) {
    const double cut = std::clamp(static_cast<double>(samples_) / slowness_, kLargestCut, kSmallestCut);
    const std::size_t used = std::clamp<std::size_t>(peak, 1, limit);
    next = std::max(floor(), static_cast<std::size_t>(cut * static_cast<double>(used)));
    next = std::min(next, limit);
    changed_ = now;
  } else if (static_cast<double>(peak) >= kUsedShare * static_cast<double>(limit)) {
    next = std::min(limit + 1, options_.ceiling);
  } else if (limit > rest_ && static_cast<double>(peak) < kBusyShare * static_cast<double>(limit)) {
    next = limit - 1;
  }
  limit_.store(next, std::memory_order_release);
  samples_ = slow_ = 0;
  slowness_ = 0;
}

// What entered under the larger limit is not judged: it waited for all who entered with it.
void AdaptiveLimit::start_again_from(std::size_t limit, core::SteadyTime now) {
  limit_.store(std::min(limit, limit_.load(std::memory_order_relaxed)), std::memory_order_release);
  changed_ = now;
  samples_ = slow_ = 0;
  slowness_ = 0;
}

void AdaptiveLimit::look_at_refusals(core::SteadyTime now) {
  if (now - looked_ >= kLook) {
    const std::size_t refused = refused_.exchange(0, std::memory_order_relaxed);
    if (refused >= kFewRefusals && refused > served_) {
      if (!crowded_) start_again_from(crowded_floor_, now);
      crowded_ = true;
      crowded_until_ = now + kCrowded;
    }
    looked_ = now;
    served_ = 0;
  }
  if (crowded_ && now >= crowded_until_) {
    crowded_ = false;
    limit_.store(std::max(floor_, limit_.load(std::memory_order_relaxed)), std::memory_order_release);
  }
}

}  // namespace scalestyle::search
