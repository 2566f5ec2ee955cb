#pragma once
// PairScorer: how well documents answer a query, each judged together with it by a cross-encoder. Embedded: nn/ in
// process. Distributed: the inference role or any text-embeddings-inference server (`/rerank`).

#include <cstddef>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::ports {

// What decides the bits of a score: two scorers with equal info give equal scores.
struct ScorerInfo {
  std::string model;         // "bge-reranker-base"
  std::string weights_hash;  // SHA-256 of the weights file, hex; empty when a remote server does not tell
  std::string precision;     // "f32" | "bf16" | "int8"
  std::string activation;    // what the model's maker applies to the logit: "sigmoid" | "identity"
  std::size_t max_tokens = 0;  // of query and document together; longer pairs are truncated, the longer text first
};

struct PairScore {
  float logit = 0;  // what the model gives; finite
  // The logit calibrated to (0, 1]: its sigmoid, whatever the activation. Equal calibrated scores may have different
  // logits near 1: order by the logit.
  float score = 0;

  friend bool operator==(const PairScore&, const PairScore&) = default;
};

struct PairScores {
  std::vector<PairScore> scores;   // of the first scores.size() texts; fewer than asked for when the deadline ended
  std::size_t pairs_computed = 0;  // work done: equal texts are scored once
  std::size_t tokens = 0;          // of these pairs, control tokens included
};

// Thread safety: every method may be called from any thread, concurrently.
class PairScorer {
 public:
  virtual ~PairScorer() = default;

  [[nodiscard]] virtual const ScorerInfo& info() const = 0;

  // Tokens a second that one call more would be scored with now, by what was measured of late: what a budget is planned with. 0
  // when nothing has been measured yet.
  [[nodiscard]] virtual double tokens_per_second() const = 0;

  // Scores `texts` against `query` in the order given, best first if the caller has one, until all are scored or the
  // deadline ends; returns the prefix scored, which is empty and no error when the deadline left no time at all. A score
  // does not depend on the other texts, nor on where the prefix ends. No texts give no scores. Completes on the compute
  // pool (embedded) or the I/O loop (distributed); never blocks the caller.
  // Errors: kCancelled, kResourceExhausted (queue full), kUnavailable (server away), kInvalidArgument (a text that is
  // not UTF-8), kDataLoss (the model gives no number).
  [[nodiscard]] virtual core::Task<core::Result<PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                   core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
