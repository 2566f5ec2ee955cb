#pragma once
// RerankPass: one cross-encoder over the rows of a list, best first, until all that are planned are judged or the time ends.
//
// Pairs go to the scorer in chunks, so that a scorer that is late or fails takes no more than its last chunk with it. What is
// in the cache, or was judged before, is not computed. A judgement does not depend on chunks nor on the other rows, so equal
// depths give equal judgements.
//
// Thread safety: any thread. Must outlive every run.

#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/pair_scorer.hpp"
#include "ranking/rerank_order.hpp"
#include "search/pair_score_cache.hpp"

namespace scalestyle::search {

// What one pass came to.
struct RerankPassOutcome {
  std::string model{};
  std::string precision{};
  std::size_t planned = 0;         // rows
  std::size_t scored = 0;          // the first so many of these are judged
  std::size_t pairs_computed = 0;  // now; equal texts are computed once
  std::size_t pairs_cached = 0;    // judged rows that were not computed now: from the cache, or known before
  // The `scored` rows in the order planned, then rows of the same products that have the text of one of them.
  std::vector<ranking::JudgedRow> judged{};
  std::optional<core::Error> error{};  // why fewer were judged than planned, where it was not the time
};

class RerankPass {
 public:
  struct Ports {
    ports::PairScorer& scorer;
    core::TimerQueue& timers;
    const core::Clock& clock;
    PairScoreCache* cache = nullptr;        // null: none
    core::WorkerPool* resume_on = nullptr;  // where a run goes on behind the scorer; null: where the scorer ended
  };

  // All spans must live until the task ends.
  struct Work {
    std::string query{};
    const catalog::Catalog* articles = nullptr;
    ranking::ListToRerank list{};
    std::size_t planned = 0;
    std::span<const ranking::JudgedRow> known{};  // by this scorer for this query
    core::Deadline deadline = core::Deadline::never();
  };

  explicit RerankPass(Ports ports) : ports_(ports) {}

  // An error of the scorer is in the outcome; kCancelled when the caller is gone.
  [[nodiscard]] core::Task<RerankPassOutcome> run(Work work);

  // Of late, and steady: it follows the scorer's measurements once they are a quarter off. 0 when nothing is known.
  [[nodiscard]] double pairs_per_second();
  [[nodiscard]] const ports::ScorerInfo& info() const { return ports_.scorer.info(); }

 private:
  struct Pairs;
  [[nodiscard]] Pairs collect(const Work& work) const;
  [[nodiscard]] core::Task<core::Status> compute(const Work& work, Pairs& pairs, RerankPassOutcome& outcome);
  [[nodiscard]] std::size_t chunk_pairs();
  void note_tokens(const ports::PairScores& scores);

  Ports ports_;
  std::atomic<double> tokens_per_pair_{0};  // 0: nothing measured
  std::atomic<double> steady_rate_{0};
};

}  // namespace scalestyle::search
