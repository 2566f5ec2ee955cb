#include "search/search_metrics.hpp"

#include <string>

namespace scalestyle::search {

namespace {

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

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
}

void SearchMetrics::record(const SearchOutcome& outcome) const {
  if (!outcome) {
    record_stages(outcome.error().stages);
    if (outcome.error().reason) degradations_[static_cast<std::size_t>(*outcome.error().reason)].add();
    return;
  }
  record_stages(outcome->stages);
  for (const DegradationReason reason : outcome->degradations) degradations_[static_cast<std::size_t>(reason)].add();
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

}  // namespace scalestyle::search
