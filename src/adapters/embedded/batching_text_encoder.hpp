#pragma once
// BatchingTextEncoder: a TextEncoder for many callers at once, in front of one that computes on the pool.
//
// A call that finds a free leader's place is computed at once, with what else waits: nobody waits for company. Calls that arrive
// while all places are taken queue up; a leader that ends a batch takes as many of them as its token budget holds, the eldest
// first, and embeds each distinct text once. A call is never split, and one larger than the budget is a batch of its own. A vector
// does not depend on its batch mates. When more tokens wait than may, calls are refused.
//
// Life of a call: it is settled exactly once, by its batch, its own deadline (through the TimerQueue) or a stop request, whichever
// comes first. One that has left is not computed, unless its batch has begun. A batch's deadline is the latest of its members'.
// Tokens are estimated from bytes: what counts is the order of magnitude.
// Thread safety: as the port. Must outlive every call and every batch: destroy it after the pool's threads have ended.

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/text_encoder.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::embedded {

// About how many tokens a text of so many bytes is, at most `max_tokens` of which are read.
[[nodiscard]] std::size_t estimated_tokens(std::size_t bytes, std::size_t max_tokens);

class BatchingTextEncoder final : public ports::TextEncoder {
 public:
  struct Options {
    std::size_t batch_tokens = 16'384;   // of a batch
    std::size_t queue_tokens = 65'536;   // waiting; more are refused with kResourceExhausted. One call may always wait
    std::size_t max_leaders = 0;         // batches in progress at once; 0: as many as the pool has threads
  };
  struct Dependencies {
    ports::TextEncoder& encoder;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
  };

  BatchingTextEncoder(Dependencies dependencies, Options options);
  ~BatchingTextEncoder() override;
  BatchingTextEncoder(const BatchingTextEncoder&) = delete;
  BatchingTextEncoder& operator=(const BatchingTextEncoder&) = delete;

  [[nodiscard]] const ports::EncoderInfo& info() const override { return use_.encoder.info(); }
  // Errors besides the port's: kInternal when the encoder breaks its promise.
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts,
                                                                       core::Deadline deadline) override;
  [[nodiscard]] std::size_t waiting_tokens() const;

 private:
  struct Call;
  using Batch = std::vector<std::shared_ptr<Call>>;
  using Outcome = core::Result<ports::EmbeddingBatch>;

  [[nodiscard]] core::Status enqueue(const std::shared_ptr<Call>& call);
  [[nodiscard]] core::Task<core::Status> lead();
  [[nodiscard]] core::Task<std::vector<Outcome>> run(const Batch& batch);
  [[nodiscard]] Batch take_batch();  // empty: the leader's place was given back
  [[nodiscard]] bool give_back_place_if_idle();

  Dependencies use_;
  Options options_;
  telemetry::Histogram batch_tokens_;
  telemetry::Histogram batch_calls_;
  telemetry::Counter refused_;
  telemetry::Counter dropped_;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<Call>> waiting_;  // guarded by mutex_, as all below
  std::size_t waiting_tokens_ = 0;
  std::size_t leaders_ = 0;
};

}  // namespace scalestyle::adapters::embedded
