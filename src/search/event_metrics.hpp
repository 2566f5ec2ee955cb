#pragma once
// What is counted about events on their way in. Thread safety: any thread.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/result.hpp"
#include "events/event.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

// Why events were not taken.
enum class EventRefusal : std::uint8_t {
  kInvalid,
  kUnknownItem,
  kCapacity,        // this service's limit, or the log's queue
  kStorage,         // the log's disk is full
  kLogUnavailable,
  kDeadline,
  kCancelled,
  kOther,
};
inline constexpr std::size_t kEventRefusalCount = 8;

[[nodiscard]] EventRefusal refusal_of(const core::Error& error);

class EventMetrics {
 public:
  explicit EventMetrics(telemetry::Metrics& metrics);

  void accepted(events::EventType type, bool duplicate) const;
  void impressions(std::size_t accepted, std::size_t dropped) const;
  void refused(EventRefusal reason, std::size_t events) const;
  void acknowledged(std::chrono::nanoseconds took) const;  // from the append to its acknowledgement

 private:
  static constexpr std::size_t kTypes = 7;
  std::array<telemetry::Counter, kTypes> accepted_;
  std::array<telemetry::Counter, kTypes> duplicates_;
  telemetry::Counter impressions_accepted_;
  telemetry::Counter impressions_dropped_;
  std::array<telemetry::Counter, kEventRefusalCount> refused_;
  telemetry::Histogram ack_seconds_;
};

}  // namespace scalestyle::search
