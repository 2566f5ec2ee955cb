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
  std::string_view name;             // as in answers, logs and metrics
  std::string_view trigger;          // one line: when
  std::string_view served;           // one line: what the shopper still gets
  std::string_view fallback_source;  // one line: what an answer's fallback_source can be
  std::string_view operation;        // one line: what an operator does
};

inline constexpr std::size_t kDegradationReasonCount = 14;

inline constexpr std::string_view kLexicalElse = "none for lexical results, else cached, popular_24h, popular_7d, global_popular";

inline constexpr std::array<DegradationInfo, kDegradationReasonCount> kDegradationReasons{{
    {DegradationReason::kRerankPartial, "RERANK_PARTIAL",
     "fewer candidates were reranked than planned: the time ended, or the server is under pressure",
     "full recall, the top part reranked", "none",
     "nothing while it is rare; else set the rerank_depth that `doctor` advises, or add compute threads"},
    {DegradationReason::kRerankUnavailable, "RERANK_UNAVAILABLE",
     "the reranker is down, its breaker is open, or it is left out under pressure",
     "the fused order, not reranked", "none",
     "look at `reranking` in /ready and at scalestyle_dependency_breaker_state; under pressure at scalestyle_brownout_level"},
    {DegradationReason::kPersonalizationUnavailable, "PERSONALIZATION_UNAVAILABLE",
     "the shopper's features could not be read, or not in time",
     "the same list without personalisation", "none",
     "look at `features` in /ready; embedded, at the disk of the data folder and at snapshot_budget_ms"},
    {DegradationReason::kRedisTimeout, "REDIS_TIMEOUT",
     "features are in Redis, which answered later than snapshot_budget_ms",
     "the same list without personalisation", "none",
     "look at Redis' latency and slow log and at the network; raise snapshot_budget_ms only with deadline_ms to spare"},
    {DegradationReason::kRedisUnavailable, "REDIS_UNAVAILABLE",
     "features are in Redis, which could not be reached, failed, or has its breaker open",
     "the same list without personalisation", "none",
     "bring Redis back: /ready says what is wrong; the breaker closes by itself within breaker_open_ms of its return"},
    {DegradationReason::kHybridImagePathFailedTextOnly, "HYBRID_IMAGE_PATH_FAILED_TEXT_ONLY",
     "the image side of a search by text and image failed, or is left out under pressure",
     "results for the text alone", "none",
     "look at `vision` in /ready, and at scalestyle_dependency_breaker_state"},
    {DegradationReason::kHybridTextPathFailedImageOnly, "HYBRID_TEXT_PATH_FAILED_IMAGE_ONLY",
     "the text side of a search by text and image failed",
     "results for the image alone", "none",
     "look at `inference` and `vectors` in /ready, and at scalestyle_dependency_breaker_state"},
    {DegradationReason::kCacheMiss, "CACHE_MISS",
     "nothing could answer the query and no list for it is kept",
     "popular articles within the filters, else 503", "popular_24h, popular_7d, global_popular",
     "as for the reason that is given with it; a larger list_cache_mb keeps lists of more queries"},
    {DegradationReason::kInferenceTimeout, "INFERENCE_TIMEOUT",
     "the query was not embedded within the deadline",
     "lexical results, else popular articles within the filters, else 503", kLexicalElse,
     "look at the load of the inference servers, or of this one where it embeds itself; add one, or raise deadline_ms"},
    {DegradationReason::kInferenceUnavailable, "INFERENCE_UNAVAILABLE",
     "the query encoder failed, could not be reached, or is left out under pressure",
     "lexical results, else popular articles within the filters, else 503", kLexicalElse,
     "bring the servers of inference_url back: /ready tells of each; under pressure look at scalestyle_brownout_level"},
    {DegradationReason::kRetrievalUnavailable, "RETRIEVAL_UNAVAILABLE",
     "the vector index failed, was late, or holds vectors of another model than the query's",
     "lexical results, else popular articles within the filters, else 503; a recommendation by its other sources", kLexicalElse,
     "look at `vectors` in /ready; where the models differ, ingest again with the model that queries use"},
    {DegradationReason::kDownstreamCircuitOpen, "DOWNSTREAM_CIRCUIT_OPEN",
     "the breaker of the query encoder, the image encoder or the vector index is open",
     "lexical results, else popular articles within the filters, else 503", kLexicalElse,
     "scalestyle_dependency_breaker_state names the dependency: bring it back; the breaker closes by itself"},
    {DegradationReason::kStaleDataAllowed, "STALE_DATA_ALLOWED",
     "nothing could answer the query now, or what is popular could not be brought up to date",
     "the last good list for this query, marked stale; the popular list as it was last known", "cached, none",
     "as for the reason that is given with it"},
    {DegradationReason::kDownstreamCapacityRejected, "DOWNSTREAM_CAPACITY_REJECTED",
     "the server is at its limit of requests, connections or waiting work",
     "503 with Retry-After; nothing was tried", "none",
     "add servers or compute threads; look at scalestyle_admission_limit, max_concurrent_requests and max_connections"},
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
