#pragma once
// The client's metrics. Labels are this program's own words: results, kinds.

#include <array>
#include <chrono>

#include "core/result.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::redis {

class ClientMetrics {
 public:
  explicit ClientMetrics(telemetry::Metrics& metrics);

  // `failure`: null for a command that was carried out.
  void count_command(const core::Error* failure, std::chrono::nanoseconds took) const;
  void count_refresh(bool succeeded) const { (succeeded ? refreshes_ : failed_refreshes_).add(); }

  telemetry::Gauge connections;
  telemetry::Counter moved;
  telemetry::Counter asked;
  telemetry::Counter unreplicated_writes;

 private:
  static constexpr std::size_t kCodes = 12;  // of core::ErrorCode
  std::array<telemetry::Counter, kCodes> failures_;
  telemetry::Counter carried_out_;
  telemetry::Histogram duration_;
  telemetry::Counter refreshes_;
  telemetry::Counter failed_refreshes_;
};

}  // namespace scalestyle::adapters::redis
