#pragma once
// RecallSampler: how much of the exact answer an approximate vector engine finds. Of every `one_in` answers one is compared with an
// exact scan of the same generation's vectors, after the request has its answer and not on its thread.
//
// Bounded: one comparison at a time; an answer that comes meanwhile is passed over and counted. The exact index holds the
// generation that was sampled last.
// Shows scalestyle_vector_recall_ratio (histogram of recall at the answer's first kRecallDepth hits) and
// scalestyle_vector_recall_samples_total by outcome: compared, busy, failed.
// Thread safety: any thread. Destroy after the last offer(); a comparison in progress keeps what it needs, the index and the pool
// must outlive it.

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "ports/vector_index.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kRecallDepth = 100;

class RecallSampler {
 public:
  // `exact` gives exact answers and takes bitmaps; `one_in` at least 1. What is referred to outlives the pool's jobs.
  struct Dependencies {
    ports::VectorIndex& exact;
    core::WorkerPool& pool;
    const core::Clock& clock;
  };
  RecallSampler(Dependencies dependencies, std::size_t one_in, telemetry::Metrics& metrics);

  // An answer to `query`, of articles that may be shown alone, best first. Copies what it compares; never waits.
  void offer(const core::GenerationId& generation, const ports::VectorQuery& query, const std::vector<ports::VectorHit>& hits);

 private:
  struct Shared;
  struct Sample;
  [[nodiscard]] static core::Task<core::Status> compare(std::shared_ptr<Shared> shared, std::shared_ptr<const Sample> sample);

  const std::size_t one_in_;
  std::atomic<std::size_t> offered_{0};
  std::shared_ptr<Shared> shared_;
};

// Share of `exact` that is among `found`; 1 where `exact` is empty.
[[nodiscard]] double recall_of(const std::vector<ports::VectorHit>& found, const std::vector<ports::VectorHit>& exact);

}  // namespace scalestyle::search
