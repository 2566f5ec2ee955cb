#pragma once
// Reranker: a list in the order of a cross-encoder, as deep as the time allows; or of two, where a small one chooses what the
// large one judges.
//
// rerank() judges rows, apply() orders a list by what was judged; docs/decisions/0017-anytime-rerank.md says why so. With two
// passes the first has at most half of the time, and the second works on the list as the first one ordered it.
// A shallower outcome is continued by giving it as `known`: what it judged is not computed again.
//
// Thread safety: any thread. Must outlive every task.

#include <cstddef>
#include <cstdint>
#include <memory>
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
#include "ports/pair_scorer.hpp"
#include "ranking/rerank_budget.hpp"
#include "search/pair_score_cache.hpp"
#include "search/rerank_pass.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

struct BaseList;

struct RerankOptions {
  ranking::RerankBudgetOptions budget{};
  std::size_t first_pass_depth = 100;  // rows of the first of two passes; 1 … ranking::kMaxRerankDepth

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

enum class RerankStatus : std::uint8_t {
  kNothing,      // no row to judge
  kComplete,     // all that were planned
  kPartial,      // fewer: the time ended, or the scorer failed on the way
  kUnavailable,  // a scorer failed and judged nothing
  kCancelled,    // the caller went away
};

struct RerankOutcome {
  RerankStatus status = RerankStatus::kNothing;
  std::size_t pinned = 0;                    // first rows of the list that are not reranked
  std::vector<RerankPassOutcome> passes{};   // in their order; the last one is by the model that decides

  [[nodiscard]] bool is_empty() const { return passes.empty(); }
  // How many rows the deciding model judged: of two outcomes for one list, the one with more is the deeper.
  [[nodiscard]] std::size_t depth() const { return passes.empty() ? 0 : passes.back().scored; }
  // What the deciding model says of a row; null where it does not.
  [[nodiscard]] const ranking::JudgedRow* judgement(catalog::RowIndex row) const;
  // The first error of a pass; null without one.
  [[nodiscard]] const core::Error* error() const;
  [[nodiscard]] std::size_t memory_bytes() const;
};

// Everything referred to must live until the task ends.
struct RerankRequest {
  std::string query{};                            // UTF-8; blanks are made single ones
  const catalog::Catalog* articles = nullptr;     // of the rows
  std::span<const catalog::RowIndex> rows{};      // best first
  std::span<const double> scores{};               // one a row; (0, 1], never rising
  std::size_t pinned = 0;                         // so many first rows stay first: those that the query names
  std::optional<std::size_t> depth{};             // asked for by the request; 1 … ranking::kMaxRerankDepth
  const RerankOutcome* known = nullptr;           // of the same query, list and Reranker; to be continued
  core::Deadline deadline = core::Deadline::never();  // by which rerank() has ended
};

class Reranker {
 public:
  struct Dependencies {
    ports::PairScorer& scorer;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    ports::PairScorer* first_scorer = nullptr;  // of the first of two passes; null: one pass
    PairScoreCache* cache = nullptr;            // null: none
    core::WorkerPool* resume_on = nullptr;      // as RerankPass's
  };

  // `options` must be valid.
  Reranker(Dependencies dependencies, RerankOptions options);
  Reranker(const Reranker&) = delete;
  Reranker& operator=(const Reranker&) = delete;

  // Ends by the deadline. Resumes on a worker, or on the timers' thread when the time ended. An outcome of less than what was
  // planned, also of nothing at all, is to be applied like any other.
  [[nodiscard]] core::Task<RerankOutcome> rerank(RerankRequest request);

  // Rows that a request is planned for, as far as the rates are known now: an outcome of that depth needs no continuing.
  [[nodiscard]] std::size_t planned_depth(core::Deadline deadline, std::optional<std::size_t> wanted);
  [[nodiscard]] std::size_t usual_depth();  // of a request with the usual deadline
  [[nodiscard]] PairScoreCache* cache() const { return use_.cache; }  // null: none
  [[nodiscard]] const ports::ScorerInfo& info() const { return last_.info(); }
  // What decides the bits of a reranked list besides its depth: for the keys of caches.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

 private:
  struct Plan;
  [[nodiscard]] Plan plan(std::chrono::nanoseconds left, std::optional<std::size_t> wanted);
  void record(const RerankOutcome& outcome) const;

  Dependencies use_;
  RerankOptions options_;
  std::unique_ptr<RerankPass> first_;  // null: one pass
  RerankPass last_;
  std::string fingerprint_;
  telemetry::Counter computed_;
  telemetry::Counter cached_;
};

// Orders `list`, which the outcome was made for, by the outcome. Pure; nothing changes where nothing was judged.
void apply(const RerankOutcome& outcome, const catalog::Catalog& articles, BaseList& list);

}  // namespace scalestyle::search
