#include "search/search_metrics.hpp"

#include <string>
#include <vector>

#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

telemetry::Counter lookups(telemetry::Metrics& metrics, const char* cache, const char* outcome) {
  return metrics.counter({"scalestyle_cache_lookups_total", "Look-ups in a cache, by what they found.",
                          {{"cache", cache}, {"outcome", outcome}}});
}

struct AskedName {
  const char* intent;
  const char* flow;
};
constexpr std::array<AskedName, kAskedForCount> kAskedNames{{{"search", "text"},
                                                             {"search", "image"},
                                                             {"search", "hybrid"},
                                                             {"browse", "list"},
                                                             {"trending", "list"},
                                                             {"for_you", "list"},
                                                             {"similar", "list"},
                                                             {"look", "list"}}};
const std::vector<double> kRowBuckets{0, 10, 100, 1'000, 10'000, 50'000, 100'000, 500'000, 1'000'000};
const std::vector<double> kDepthBuckets{0, 5, 10, 20, 30, 40, 50, 75, 100, 150, 200};

}  // namespace

std::string_view to_string(AnswerStatus status) {
  constexpr std::array<std::string_view, kAnswerStatusCount> kNames{"success", "degraded", "fallback", "invalid",
                                                                    "refused", "gone",     "failed"};
  return kNames[static_cast<std::size_t>(status)];
}

AnswerStatus status_of(const SearchOutcome& outcome) {
  if (outcome) {
    if (outcome->degradations.empty()) return AnswerStatus::kSuccess;
    return outcome->fallback_source ? AnswerStatus::kFallback : AnswerStatus::kDegraded;
  }
  const SearchFailure& failure = outcome.error();
  if (failure.error.code == core::ErrorCode::kCancelled) return AnswerStatus::kGone;
  if (failure.reason == DegradationReason::kDownstreamCapacityRejected) return AnswerStatus::kRefused;
  if (failure.reason) return AnswerStatus::kFailed;
  if (failure.expired || failure.picture_refused) return AnswerStatus::kInvalid;
  switch (failure.error.code) {
    case core::ErrorCode::kInvalidArgument:
    case core::ErrorCode::kNotFound: return AnswerStatus::kInvalid;
    default: return AnswerStatus::kFailed;
  }
}

SearchMetrics::SearchMetrics(telemetry::Metrics& metrics) {
  for (std::size_t i = 0; i < kAskedForCount; ++i) {
    const auto& [intent, flow] = kAskedNames[i];
    asked_[i].seconds = metrics.histogram({"recommendation_request_duration_seconds", "Duration of answered requests for a list.",
                                           {{"intent", intent}, {"flow", flow}}});
    for (std::size_t status = 0; status < kAnswerStatusCount; ++status) {
      const std::string name(to_string(static_cast<AnswerStatus>(status)));
      asked_[i].ended[status] = metrics.counter({"recommendation_requests_total", "Requests for a list, by how they ended.",
                                                 {{"intent", intent}, {"flow", flow}, {"status", name}}});
    }
  }
  degraded_ = metrics.counter({"recommendation_degraded_total", "Degraded answers."});
  eligible_ = metrics.histogram({"scalestyle_search_eligible_rows", "Rows that a request's filters let pass."}, kRowBuckets);
  rerank_depth_ = metrics.histogram({"scalestyle_rerank_depth_rows", "Rows of an answer's list that a cross-encoder judged."}, kDepthBuckets);
  rerank_planned_ = metrics.histogram({"scalestyle_rerank_planned_rows", "Rows that it was to judge."}, kDepthBuckets);
  for (std::size_t i = 0; i < kStageCount; ++i) {
    stage_seconds_[i] = metrics.histogram({"recommendation_request_phase_duration_seconds", "Duration of the stages of a request.",
                                           {{"phase", std::string(to_string(static_cast<Stage>(i)))}}});
  }
  for (const DegradationInfo& reason : kDegradationReasons) {
    degradations_[static_cast<std::size_t>(reason.reason)] =
        metrics.counter({"recommendation_degraded_reason_total", "Requests degraded or not answered, by reason.",
                         {{"reason", std::string(reason.name)}}});
  }
  for (std::size_t i = 0; i < kFallbackSourceCount; ++i) {
    fallbacks_[i] = metrics.counter({"scalestyle_search_fallbacks_total", "Answers of another list than was asked for, by source.",
                                     {{"source", std::string(to_string(static_cast<FallbackSource>(i)))}}});
  }
  personalized_ = metrics.counter({"scalestyle_search_personalized_total", "Answers in which a shopper's own features acted."});
  explored_ = metrics.counter({"scalestyle_recommendation_explored_total", "Items shown since they were drawn to be tried out."});
  for (std::size_t i = 0; i < after_.size(); ++i) {
    after_[i] = metrics.counter({"scalestyle_search_after_total", "Requests that named an event to wait for, by whether it had taken effect.",
                                 {{"reached", i == 0 ? "false" : "true"}}});
  }
}

void SearchMetrics::record(const SearchOutcome& outcome, const SearchFacts& facts) const {
  const Asked& asked = asked_[static_cast<std::size_t>(facts.asked_for)];
  asked.ended[static_cast<std::size_t>(status_of(outcome))].add();
  if (facts.eligible) eligible_.observe(static_cast<double>(*facts.eligible));
  if (!outcome) {
    record_stages(outcome.error().stages);
    if (outcome.error().reason) degradations_[static_cast<std::size_t>(*outcome.error().reason)].add();
    return;
  }
  record_stages(outcome->stages);
  asked.seconds.observe(seconds(facts.took));
  if (!outcome->degradations.empty()) degraded_.add();
  if (outcome->rerank) {
    rerank_depth_.observe(static_cast<double>(outcome->rerank->scored));
    rerank_planned_.observe(static_cast<double>(outcome->rerank->planned));
  }
  for (const DegradationReason reason : outcome->degradations) degradations_[static_cast<std::size_t>(reason)].add();
  if (outcome->fallback_source) fallbacks_[static_cast<std::size_t>(*outcome->fallback_source)].add();
  if (outcome->personalized) personalized_.add();
  for (const AnswerItem& item : outcome->items) {
    if (item.exploration) explored_.add();
  }
  if (outcome->after_reached) after_[*outcome->after_reached ? 1 : 0].add();
}

void SearchMetrics::record_stages(const std::vector<StageReport>& stages) const {
  for (const StageReport& report : stages) {
    if (report.outcome != StageOutcome::kSkipped) stage_seconds_[static_cast<std::size_t>(report.stage)].observe(seconds(report.took));
  }
}

GenerationMetrics::GenerationMetrics(telemetry::Metrics& metrics, const SnapshotHolder& holder)
    : metrics_(metrics),
      holder_(holder),
      articles_(metrics.gauge({"scalestyle_generation_articles", "Articles of the generation being served."})),
      catalog_bytes_(metrics.gauge({"scalestyle_memory_bytes", "Memory by owner.", {{"owner", "catalogue"}}})),
      refresh_failing_(metrics.gauge({"scalestyle_generation_refresh_failing", "1 while following the current generation fails."})) {}

void GenerationMetrics::collect() {
  const auto serving = holder_.serving();
  refresh_failing_.set(holder_.last_error().empty() ? 0 : 1);
  if (serving == nullptr) return;
  articles_.set(static_cast<double>(serving->catalog().size()));
  catalog_bytes_.set(static_cast<double>(serving->catalog().memory_bytes()));
  const ports::GenerationInfo& info = serving->info();
  if (info.id == shown_) return;
  shown_info_.set(0);
  shown_ = info.id;
  shown_info_ = metrics_.gauge({"scalestyle_generation_info", "1 for the generation being served, 0 for those before it.",
                                {{"generation", info.id.value()},
                                 {"model", info.document_encoder.model},
                                 {"precision", info.document_encoder.precision},
                                 {"text_format", info.text_format}}});
  shown_info_.set(1);
}

void CacheMetrics::Follower::follow(std::uint64_t count) {
  counter.add(static_cast<double>(count - told));
  told = count;
}

CacheMetrics::Cache::Cache(telemetry::Metrics& metrics, const char* name)
    : entries(metrics.gauge({"scalestyle_cache_entries", "Entries of a cache.", {{"cache", name}}})),
      bytes(metrics.gauge({"scalestyle_cache_bytes", "Memory of a cache's entries.", {{"cache", name}}})),
      hits{lookups(metrics, name, "hit")},
      misses{lookups(metrics, name, "miss")},
      evictions{metrics.counter({"scalestyle_cache_evictions_total", "Entries that went for lack of space.", {{"cache", name}}})} {}

CacheMetrics::CacheMetrics(telemetry::Metrics& metrics, const SearchService& service)
    : service_(service),
      lists_(metrics, "lists"),
      stale_lists_{lookups(metrics, "lists", "stale_hit")},
      pairs_(metrics, "pairs"),
      picture_vectors_(metrics, "picture_vectors"),
      near_articles_(metrics, "near_articles") {}

void CacheMetrics::collect() {
  const auto tell = [](Cache& cache, const auto& statistics) {
    cache.entries.set(static_cast<double>(statistics.entries));
    cache.bytes.set(static_cast<double>(statistics.bytes));
    cache.hits.follow(statistics.hits);
    cache.misses.follow(statistics.misses);
    cache.evictions.follow(statistics.evictions);
  };
  const ListCacheStats lists = service_.list_cache_stats();
  tell(lists_, lists);
  stale_lists_.follow(lists.stale_hits);
  if (const auto pairs = service_.pair_cache_stats()) tell(pairs_, *pairs);
  tell(near_articles_, service_.near_cache_stats());
  if (const auto vectors = service_.picture_cache_stats()) tell(picture_vectors_, *vectors);
}

}  // namespace scalestyle::search
