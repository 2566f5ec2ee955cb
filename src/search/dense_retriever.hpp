#pragma once
// DenseRetriever: query text to nearest rows, for many requests at once.
//
// A request that finds a free leader's place starts a batch with what waits (usually itself alone, at once: nobody
// waits for company). Requests that arrive while all places are taken queue up; a leader that ends a batch takes all
// of them, up to max_batch, embeds each distinct text once and searches in one pass. A query's result does not depend
// on its batch mates.
//
// Life of a waiter: it is settled exactly once, by its batch's result, by its own deadline (through the TimerQueue) or
// by a stop request, whichever comes first; the batch goes on without one that left. A batch's deadline is the latest
// of its members'.
// A leader hands the others' continuations to the pool and runs at most one itself, as its last act.
//
// What a batch asks of others belongs to the trace of its first member that has one; the stages of the others are linked to it.
//
// Thread safety: every method may be called from any thread. Must outlive every retrieve() and every batch: destroy it
// after the pool's threads have ended.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"
#include "search/eligible_search.hpp"
#include "search/snapshot_holder.hpp"
#include "core/timer_queue.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

struct DenseQuery {
  std::string text;  // as it is to be embedded, prefix included
  std::shared_ptr<const ServingGeneration> generation;
  std::size_t k = 0;
  std::shared_ptr<const catalog::Filter> filter{};
  std::shared_ptr<const catalog::Bitmap> eligible{};  // null: every row
  core::Deadline deadline = core::Deadline::never();
  std::shared_ptr<core::TaskContext> context{};  // of the request; null: none
};

struct DenseHits {
  ports::VectorHits hits;
  std::chrono::nanoseconds embed{0};   // queueing included
  std::chrono::nanoseconds search{0};
};

enum class DenseStage : std::uint8_t { kEmbed, kSearch };

struct DenseFailure {
  DenseStage stage = DenseStage::kEmbed;
  core::Error error{};
  std::chrono::nanoseconds embed{0};
  std::chrono::nanoseconds search{0};
};

using DenseOutcome = std::expected<DenseHits, DenseFailure>;

class DenseRetriever {
 public:
  struct Options {
    std::size_t max_batch = 32;      // queries embedded and searched together, 1 … 256
    std::size_t max_leaders = 0;     // batches in progress at once; 0: as many as the pool has threads
    std::size_t max_waiting = 1024;  // queued queries; more are refused with kResourceExhausted
  };
  struct Ports {
    ports::TextEncoder& encoder;
    ports::VectorIndex& index;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    RecallSampler* recall = nullptr;  // is offered what `index` found, where that is not exact
  };

  DenseRetriever(Ports ports, Options options, telemetry::Metrics& metrics);
  ~DenseRetriever();
  DenseRetriever(const DenseRetriever&) = delete;
  DenseRetriever& operator=(const DenseRetriever&) = delete;

  // Resumes on a pool thread, on the timers' thread (kDeadlineExceeded) or on the one that cancelled (kCancelled).
  // Errors besides: those of TextEncoder::encode and VectorIndex::search; kInternal when a port breaks its promise.
  [[nodiscard]] core::Task<DenseOutcome> retrieve(DenseQuery query);

 private:
  struct Waiter;
  using Batch = std::vector<std::shared_ptr<Waiter>>;

  [[nodiscard]] core::Status enqueue(const std::shared_ptr<Waiter>& waiter);
  [[nodiscard]] core::Task<core::Status> lead();
  [[nodiscard]] core::Task<std::vector<DenseOutcome>> run_batch(const Batch& batch);
  [[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> embed_and_search(const Batch& batch,
                                                                                          core::Deadline deadline);
  [[nodiscard]] static const core::TaskContext* trace_together(const Batch& batch);
  [[nodiscard]] Batch take_batch();  // empty: the leader's place was given back
  [[nodiscard]] bool give_back_place_if_idle();

  Ports ports_;
  Options options_;
  EligibleEngine engine_;
  telemetry::Histogram batch_size_;

  std::mutex mutex_;
  std::deque<std::shared_ptr<Waiter>> waiting_;  // guarded by mutex_
  std::size_t leaders_ = 0;                      // guarded by mutex_
};

}  // namespace scalestyle::search
