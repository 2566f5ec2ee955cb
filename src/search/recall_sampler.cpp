#include "search/recall_sampler.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace scalestyle::search {

namespace {

constexpr auto kComparisonTime = std::chrono::seconds(5);
const std::vector<double> kRecallBuckets{0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 1};

telemetry::Counter samples(telemetry::Metrics& metrics, const char* outcome) {
  return metrics.counter({"scalestyle_vector_recall_samples_total", "Answers of a vector engine chosen for a comparison with the exact one.",
                          {{"outcome", outcome}}});
}

}  // namespace

struct RecallSampler::Shared {
  Shared(Dependencies dependencies, telemetry::Metrics& metrics)
      : use(dependencies),
        recall(metrics.histogram({"scalestyle_vector_recall_ratio", "Share of the exact answer that the vector engine gave."}, kRecallBuckets)),
        compared(samples(metrics, "compared")),
        passed_over(samples(metrics, "busy")),
        failed(samples(metrics, "failed")) {}

  const Dependencies use;
  telemetry::Histogram recall;
  telemetry::Counter compared;
  telemetry::Counter passed_over;
  telemetry::Counter failed;
  std::atomic<bool> busy{false};
  core::GenerationId open;  // of `exact`; of whoever set `busy`
};

struct RecallSampler::Sample {
  core::GenerationId generation;
  ports::VectorQuery query;
  std::vector<ports::VectorHit> found;
};

RecallSampler::RecallSampler(Dependencies dependencies, std::size_t one_in, telemetry::Metrics& metrics)
    : one_in_(std::max<std::size_t>(one_in, 1)), shared_(std::make_shared<Shared>(dependencies, metrics)) {}

void RecallSampler::offer(const core::GenerationId& generation, const ports::VectorQuery& query,
                          const std::vector<ports::VectorHit>& hits) {
  if (offered_.fetch_add(1, std::memory_order_relaxed) % one_in_ != 0 || hits.empty()) return;
  if (shared_->busy.exchange(true)) {
    shared_->passed_over.add();
    return;
  }
  const auto sample = std::make_shared<Sample>();
  sample->generation = generation;
  sample->query = query;
  sample->found = hits;
  if (sample->found.size() > kRecallDepth) {
    sample->found.erase(sample->found.begin() + static_cast<std::ptrdiff_t>(kRecallDepth), sample->found.end());
  }
  sample->query.k = sample->found.size();
  const auto begin = [shared = shared_, sample] {
    core::start(compare(shared, sample), [shared](core::Status&& status) {
      (status ? shared->compared : shared->failed).add();
      shared->busy.store(false);
    }).detach();
  };
  if (auto submitted = shared_->use.pool.submit(begin); !submitted) {
    shared_->passed_over.add();
    shared_->busy.store(false);
  }
}

core::Task<core::Status> RecallSampler::compare(std::shared_ptr<Shared> shared, std::shared_ptr<const Sample> sample) {
  ports::VectorIndex& exact = shared->use.exact;
  const auto deadline = core::Deadline::after(kComparisonTime, shared->use.clock);
  if (shared->open != sample->generation) {
    core::GenerationId wanted = sample->generation;
    core::Status opened = co_await exact.open(std::move(wanted), deadline);
    if (!opened) co_return opened;
    if (!shared->open.empty()) exact.close(shared->open);
    shared->open = sample->generation;
  }
  std::vector<ports::VectorQuery> queries{sample->query};
  core::GenerationId generation = sample->generation;
  core::Result<std::vector<ports::VectorHits>> answer = co_await exact.search(std::move(generation), std::move(queries), deadline);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (answer->size() != 1) co_return core::fail(core::ErrorCode::kInternal, "the exact index gave another number of results");
  shared->recall.observe(recall_of(sample->found, answer->front().hits));
  co_return core::Status();
}

double recall_of(const std::vector<ports::VectorHit>& found, const std::vector<ports::VectorHit>& exact) {
  if (exact.empty()) return 1;
  std::set<catalog::ArticleId> ids;
  for (const auto& hit : found) ids.insert(hit.article_id);
  const auto both = std::ranges::count_if(exact, [&](const auto& hit) { return ids.contains(hit.article_id); });
  return static_cast<double>(both) / static_cast<double>(exact.size());
}

}  // namespace scalestyle::search
