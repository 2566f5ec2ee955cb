#pragma once
// What is counted about searches. Thread safety: any thread.

#include <array>
#include <cstdint>

#include "search/answer.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class SearchService;

class SearchMetrics {
 public:
  explicit SearchMetrics(telemetry::Metrics& metrics);

  void record(const SearchOutcome& outcome) const;

 private:
  void record_stages(const std::vector<StageReport>& stages) const;

  std::array<telemetry::Histogram, kStageCount> stage_seconds_;
  std::array<telemetry::Counter, kDegradationReasonCount> degradations_;  // degraded answers and failures, by reason
  std::array<telemetry::Counter, kFallbackSourceCount> fallbacks_;
  telemetry::Counter personalized_;
  telemetry::Counter explored_;
  std::array<telemetry::Counter, 2> after_;  // not reached, reached
};

// Sets the gauges of the generation being served; call on every render of the metrics.
class GenerationMetrics {
 public:
  GenerationMetrics(telemetry::Metrics& metrics, const SnapshotHolder& holder);

  void collect();

 private:
  telemetry::Metrics& metrics_;
  const SnapshotHolder& holder_;
  telemetry::Gauge articles_;
  telemetry::Gauge catalog_bytes_;
  telemetry::Gauge refresh_failing_;
  core::GenerationId shown_;
  telemetry::Gauge shown_info_;
};

// Tells of the caches of a service; call on every render of the metrics.
class CacheMetrics {
 public:
  // `service` must outlive this object.
  CacheMetrics(telemetry::Metrics& metrics, const SearchService& service);

  void collect();

 private:
  // A counter that follows a count kept elsewhere.
  struct Follower {
    telemetry::Counter counter{};
    std::uint64_t told = 0;
    void follow(std::uint64_t count);
  };
  struct Cache {
    Cache(telemetry::Metrics& metrics, const char* name);
    telemetry::Gauge entries;
    telemetry::Gauge bytes;
    Follower hits;
    Follower misses;
    Follower evictions;
  };

  const SearchService& service_;
  Cache lists_;
  Follower stale_lists_;
  Cache pairs_;
  Cache picture_vectors_;
  Cache near_articles_;
};

}  // namespace scalestyle::search
