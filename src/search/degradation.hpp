#pragma once
// The reasons for which an answer is less than the full one: the one list. The API description and
// docs/DEGRADATION_REASONS.md are made from it, and a test compares them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace scalestyle::search {

// In order of severity, least first: an answer's degradation_reason is the most severe of its degradations.
enum class DegradationReason : std::uint8_t {
  kRerankPartial,
  kRerankUnavailable,
  kPersonalizationUnavailable,
  kRedisTimeout,
  kRedisUnavailable,
  kHybridImagePathFailedTextOnly,
  kHybridTextPathFailedImageOnly,
  kCacheMiss,
  kInferenceTimeout,
  kInferenceUnavailable,
  kRetrievalUnavailable,
  kDownstreamCircuitOpen,
  kStaleDataAllowed,
  kDownstreamCapacityRejected,
};

struct DegradationInfo {
  DegradationReason reason;
  std::string_view name;     // as in answers, logs and metrics
  std::string_view trigger;  // one line: when
  std::string_view served;   // one line: what the shopper still gets, once every step of the ladder is there
  bool produced;             // this version can give it
};

inline constexpr std::size_t kDegradationReasonCount = 14;

inline constexpr std::array<DegradationInfo, kDegradationReasonCount> kDegradationReasons{{
    {DegradationReason::kRerankPartial, "RERANK_PARTIAL", "fewer candidates were reranked than planned",
     "full recall, the top part reranked", true},
    {DegradationReason::kRerankUnavailable, "RERANK_UNAVAILABLE", "the reranker is down or its breaker is open",
     "the fused order, not reranked", true},
    {DegradationReason::kPersonalizationUnavailable, "PERSONALIZATION_UNAVAILABLE",
     "the shopper's features could not be read, or not in time", "the same list without personalisation", true},
    {DegradationReason::kRedisTimeout, "REDIS_TIMEOUT", "the feature store answered too late",
     "the same list without personalisation", false},
    {DegradationReason::kRedisUnavailable, "REDIS_UNAVAILABLE", "the feature store could not be reached",
     "the same list without personalisation", false},
    {DegradationReason::kHybridImagePathFailedTextOnly, "HYBRID_IMAGE_PATH_FAILED_TEXT_ONLY",
     "the image side of a search by text and image failed", "results for the text alone", true},
    {DegradationReason::kHybridTextPathFailedImageOnly, "HYBRID_TEXT_PATH_FAILED_IMAGE_ONLY",
     "the text side of a search by text and image failed", "results for the image alone", true},
    {DegradationReason::kCacheMiss, "CACHE_MISS", "nothing could answer the query and no list for it is kept",
     "popular articles within the filters, else 503", true},
    {DegradationReason::kInferenceTimeout, "INFERENCE_TIMEOUT", "the query was not embedded within the deadline",
     "lexical results, else popular articles within the filters, else 503", true},
    {DegradationReason::kInferenceUnavailable, "INFERENCE_UNAVAILABLE", "the query encoder failed or could not be reached",
     "lexical results, else popular articles within the filters, else 503", true},
    {DegradationReason::kRetrievalUnavailable, "RETRIEVAL_UNAVAILABLE",
     "the vector index failed, was late, or holds vectors of another model than the query's",
     "lexical results, else popular articles within the filters, else 503; a recommendation by its other sources", true},
    {DegradationReason::kDownstreamCircuitOpen, "DOWNSTREAM_CIRCUIT_OPEN",
     "the breaker of the query encoder or the vector index is open",
     "lexical results, else popular articles within the filters, else 503", false},
    {DegradationReason::kStaleDataAllowed, "STALE_DATA_ALLOWED",
     "nothing could answer the query now, or what is popular could not be brought up to date",
     "the last good list for this query, marked stale; the popular list as it was last known", true},
    {DegradationReason::kDownstreamCapacityRejected, "DOWNSTREAM_CAPACITY_REJECTED",
     "the server is at its limit of requests, connections or waiting work", "503 with Retry-After; nothing was tried", true},
}};

[[nodiscard]] constexpr const DegradationInfo& info(DegradationReason reason) {
  return kDegradationReasons[static_cast<std::size_t>(reason)];
}
[[nodiscard]] constexpr std::string_view to_string(DegradationReason reason) { return info(reason).name; }

[[nodiscard]] constexpr std::optional<DegradationReason> most_severe(std::span<const DegradationReason> reasons) {
  if (reasons.empty()) return std::nullopt;
  return *std::ranges::max_element(reasons);
}

// docs/DEGRADATION_REASONS.md as it must be.
[[nodiscard]] std::string degradation_document();

}  // namespace scalestyle::search
