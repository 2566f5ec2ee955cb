#pragma once
// The reranker of the settings, wired: its cross-encoders, its cache.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/embedded/local_pair_scorer.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "inference_stack.hpp"
#include "nn/precision.hpp"
#include "ports/pair_scorer.hpp"
#include "runtime.hpp"
#include "search/back_on_pool.hpp"
#include "search/pair_score_cache.hpp"
#include "search/reranker.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of reranking.
[[nodiscard]] std::vector<std::string> with_rerank_settings(std::vector<std::string> names);

// kInvalidArgument with the setting as field.
[[nodiscard]] core::Result<search::RerankOptions> rerank_options(const core::Settings& settings);

// `model` is a name of the manifest, or a path (with a "/") to a model's folder.
[[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::LocalPairScorer>> load_scorer(const core::Settings& settings,
                                                                                            const std::string& model,
                                                                                            nn::Precision precision,
                                                                                            Compute& compute);

// Why lists are not reranked although nobody said so: the default model is not installed. Empty where it is, or where the
// setting names a model or "none".
[[nodiscard]] std::string missing_reranker(const core::Settings& settings);

class RerankerStack {
 public:
  // Behind HTTP where `inference` has servers that rerank, but for the model of a first pass.
  // Errors: a model that the settings name and that is missing or damaged; a damaged default model; kInvalidArgument.
  [[nodiscard]] static core::Result<std::unique_ptr<RerankerStack>> open(const core::Settings& settings, Compute& compute,
                                                                         core::TimerQueue& timers, telemetry::Metrics& metrics,
                                                                         InferenceStack* inference = nullptr);

  // Null where lists are not reranked.
  [[nodiscard]] search::Reranker* reranker() { return reranker_.get(); }
  [[nodiscard]] search::PairScoreCache* cache() { return cache_.get(); }
  // One line for the log: why lists are not reranked (missing_reranker), else empty.
  [[nodiscard]] const std::string& notice() const { return notice_; }

 private:
  RerankerStack() = default;

  std::string notice_;
  std::unique_ptr<ports::PairScorer> first_scorer_;  // null: one pass
  std::unique_ptr<ports::PairScorer> remote_scorer_;  // behind the next two; null: in this process
  std::unique_ptr<ports::PairScorer> guarded_scorer_;  // behind scorer_; null where nothing guards it
  std::unique_ptr<ports::PairScorer> scorer_;
  std::unique_ptr<search::PairScoreCache> cache_;
  std::unique_ptr<search::Reranker> reranker_;
};

}  // namespace scalestyle::app
