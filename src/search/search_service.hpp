#pragma once
// SearchService: one search from request to page.
//
// admission → validate → eligible set (filters) → embed the query and find the nearest eligible rows → order → page.
// The pool is the best `pool_size` eligible rows by cosine; `total` and pages are defined on it. Order: cosine
// descending, then article id ascending. The score shown is (1 + cosine) / 2, kept above 0: a monotone calibration to
// (0, 1] on which later factors can multiply without demoting anything.
//
// Thread safety: search() may be called from any thread. Must outlive every search; destroy it after the pool's threads
// have ended.

#include <cstddef>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"
#include "search/admission.hpp"
#include "search/answer.hpp"
#include "search/dense_retriever.hpp"
#include "search/search_metrics.hpp"
#include "search/snapshot_holder.hpp"
#include "search/timer_queue.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

struct SearchOptions {
  std::string query_prefix{};            // put before every query text; what the model's card asks for
  std::size_t pool_size = 1000;          // 1 … 16,384
  std::size_t max_in_progress = 256;     // searches; more are refused
  DenseRetriever::Options dense{};

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

class SearchService {
 public:
  struct Dependencies {
    const SnapshotHolder& generations;
    ports::TextEncoder& encoder;
    ports::VectorIndex& index;
    core::WorkerPool& pool;
    TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
  };

  // `options` must be valid.
  SearchService(Dependencies dependencies, SearchOptions options);

  // Failures: without a reason, kInvalidArgument with the parameter as field (the request is wrong), kCancelled, or
  // kUnavailable (no generation yet); with DOWNSTREAM_CAPACITY_REJECTED (a limit was reached), INFERENCE_TIMEOUT,
  // INFERENCE_UNAVAILABLE or RETRIEVAL_UNAVAILABLE (nothing can answer the query).
  [[nodiscard]] core::Task<SearchOutcome> search(SearchRequest request);

 private:
  struct Progress;

  [[nodiscard]] core::Task<SearchOutcome> run(SearchRequest request, Progress& progress);
  [[nodiscard]] core::Task<core::Result<DenseHits>> retrieve(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Task<core::Status> find_eligible(const SearchRequest& request, Progress& progress);
  [[nodiscard]] core::Status order(const ports::VectorHits& hits, Progress& progress) const;

  Dependencies use_;
  SearchOptions options_;
  AdmissionLimit admission_;
  SearchMetrics metrics_;
  DenseRetriever dense_;
};

// kInvalidArgument with the parameter as field.
[[nodiscard]] core::Status validate(const SearchRequest& request);

// (0, 1]; see above.
[[nodiscard]] double calibrated_score(float cosine);

}  // namespace scalestyle::search
