#pragma once
// What is counted about searches. Thread safety: any thread.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "search/answer.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class SearchService;

// What was asked for: the labels `intent` ("search", "browse", "trending", "for_you", "similar", "look") and `flow` ("text",
// "image", "hybrid"; "list" without a query).
enum class AskedFor : std::uint8_t { kText, kImage, kHybrid, kBrowse, kTrending, kForYou, kSimilar, kLook };
inline constexpr std::size_t kAskedForCount = 8;

// How it ended: the label `status`.
enum class AnswerStatus : std::uint8_t {
  kSuccess,   // everything that was asked for
  kDegraded,  // of what was asked for, with something left out
  kFallback,  // degraded, and of another list
  kInvalid,   // the request was wrong
  kRefused,   // at a limit
  kGone,      // its client left
  kFailed,    // none of these: nothing was answered
};
inline constexpr std::size_t kAnswerStatusCount = 7;
[[nodiscard]] std::string_view to_string(AnswerStatus status);  // "success", "degraded", "fallback" …
[[nodiscard]] AnswerStatus status_of(const SearchOutcome& outcome);

// What the outcome does not say of a request.
struct SearchFacts {
  AskedFor asked_for = AskedFor::kText;
  std::chrono::nanoseconds took{0};
  std::optional<std::size_t> eligible{};  // rows that might be shown, once that was known
};

class SearchMetrics {
 public:
  explicit SearchMetrics(telemetry::Metrics& metrics);

  void record(const SearchOutcome& outcome, const SearchFacts& facts) const;

 private:
  void record_stages(const std::vector<StageReport>& stages) const;

  struct Asked {
    std::array<telemetry::Counter, kAnswerStatusCount> ended;
    telemetry::Histogram seconds;
  };

  std::array<Asked, kAskedForCount> asked_;
  telemetry::Counter degraded_;  // answers
  telemetry::Histogram eligible_;
  telemetry::Histogram rerank_depth_;
  telemetry::Histogram rerank_planned_;
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
