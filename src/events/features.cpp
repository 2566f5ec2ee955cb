#include "events/features.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

namespace scalestyle::events {

namespace {

// e^(−λ·Δ) for Δ ≥ 0.
double decay(EpochMs from_ms, EpochMs to_ms, double half_life_seconds) {
  const double elapsed_seconds = (static_cast<double>(to_ms) - static_cast<double>(from_ms)) / 1'000.0;
  return std::exp(-std::numbers::ln2 / half_life_seconds * elapsed_seconds);
}

core::Status check_range(std::string_view field, double value, double least, double most) {
  if (value >= least && value <= most) return {};
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} is {}; it must be {} to {}", field, value, least, most),
                    std::string(field));
}

}  // namespace

void DecayedScore::add(double weight, EpochMs at_ms, double half_life_seconds) {
  if (value == 0) {
    // Nothing was contributed yet, or only nothing: the newest time still counts.
    if (time_ms == 0 || at_ms >= time_ms) {
      value = weight;
      time_ms = at_ms;
      return;
    }
  }
  if (at_ms >= time_ms) {
    value = value * decay(time_ms, at_ms, half_life_seconds) + weight;
    time_ms = at_ms;
  } else {
    value += weight * decay(at_ms, time_ms, half_life_seconds);
  }
}

double DecayedScore::value_at(EpochMs now_ms, double half_life_seconds) const {
  return now_ms <= time_ms ? value : value * decay(time_ms, now_ms, half_life_seconds);
}

EpochMs item_ttl_ms(const FeatureOptions& options) {
  const WindowShape& longest = shape(Window::k7d);
  const std::int64_t windows_seconds = longest.bucket_seconds * (longest.buckets + 2);
  const auto negligible_seconds = static_cast<std::int64_t>(30 * options.global_half_life_seconds);
  return std::max(windows_seconds, negligible_seconds) * 1'000;
}

core::Status FeatureOptions::validate() const {
  constexpr double kLongest = 10.0 * 366 * 86'400;
  CORE_CHECK(check_range("affinity_half_life_seconds", affinity_half_life_seconds, 1, kLongest));
  CORE_CHECK(check_range("global_half_life_seconds", global_half_life_seconds, 1, kLongest));
  CORE_CHECK(check_range("session_ttl_seconds", static_cast<double>(session_ttl_seconds), 1, kLongest));
  CORE_CHECK(check_range("user_ttl_seconds", static_cast<double>(user_ttl_seconds), 1, kLongest));
  CORE_CHECK(check_range("max_recent_items", static_cast<double>(max_recent_items), 1, 10'000));
  CORE_CHECK(check_range("max_affinities", static_cast<double>(max_affinities), 1, 10'000));
  return check_range("max_memory_bytes", static_cast<double>(max_memory_bytes), 1u << 20, std::size_t{16} << 30);
}

}  // namespace scalestyle::events
