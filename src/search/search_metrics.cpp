#include "search/search_metrics.hpp"

#include <string>

#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

telemetry::Counter lookups(telemetry::Metrics& metrics, const char* cache, const char* outcome) {
  return metrics.counter({"scalestyle_cache_lookups_total", "Look-ups in a cache, by what they found.",
                          {{"cache", cache}, {"outcome", outcome}}});
}

}  // namespace

SearchMetrics::SearchMetrics(telemetry::Metrics& metrics) {
  for (std::size_t i = 0; i < kStageCount; ++i) {
    stage_seconds_[i] = metrics.histogram({"scalestyle_search_stage_seconds", "Duration of the stages of a search.",
                                           {{"stage", std::string(to_string(static_cast<Stage>(i)))}}});
  }
  for (const DegradationInfo& reason : kDegradationReasons) {
    degradations_[static_cast<std::size_t>(reason.reason)] =
        metrics.counter({"scalestyle_search_degradations_total", "Searches degraded or not answered, by reason.",
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

void SearchMetrics::record(const SearchOutcome& outcome) const {
  if (!outcome) {
    record_stages(outcome.error().stages);
    if (outcome.error().reason) degradations_[static_cast<std::size_t>(*outcome.error().reason)].add();
    return;
  }
  record_stages(outcome->stages);
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
