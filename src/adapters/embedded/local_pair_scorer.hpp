#pragma once
// PairScorer in this process: the model's own tokenizer and nn::CrossEncoder on the compute pool.
//
// Pairs go through in small groups, in order. Every idle thread of the pool claims groups; a group is begun only when
// the rate measured so far says that it ends before the deadline. Between groups other work that waits for the pool is
// let through. The rate that is told is what one call more would get. Control tokens written in a text are plain words.
// Thread safety: as the port.

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/embedded/pair_batch.hpp"
#include "adapters/embedded/workspace_pool.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "nn/cross_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "text/pair_tokenizer.hpp"

namespace scalestyle::adapters::embedded {

class LocalPairScorer final : public ports::PairScorer {
 public:
  struct Options {
    // config.json, model.safetensors, and tokenizer.json or vocab.txt (BERT) or sentencepiece.bpe.model (XLM-RoBERTa).
    std::filesystem::path model_dir;
    std::string model_name;
    nn::CrossEncoderOptions model{};
    std::size_t max_tokens = 512;  // of a pair; less where the model takes less. Fewer tokens, faster scores
    // A group's bounds (PairBatch::Options). Smaller groups meet deadlines more closely and read the weights more often.
    std::size_t most_group_tokens = 256;
    std::size_t least_group_tokens = 64;
  };

  // Loads model and tokenizer and measures the rate of one thread (blocking). `pool` and `clock` must outlive the scorer.
  // Errors: those of nn::CrossEncoder::load and text::PairTokenizer::load; kFailedPrecondition when the tokenizer has
  // ids that the model does not have.
  [[nodiscard]] static core::Result<std::unique_ptr<LocalPairScorer>> load(const Options& options, core::WorkerPool& pool,
                                                                           const core::Clock& clock);

  [[nodiscard]] const ports::ScorerInfo& info() const override { return info_; }
  // What one call more would get: calls in progress share the threads evenly.
  [[nodiscard]] double tokens_per_second() const override;
  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override;
  [[nodiscard]] const nn::CrossEncoder& model() const { return *model_; }

 private:
  struct Workspace {
    nn::CrossEncoder::Workspace model;
    PairBatch::Group group;
  };
  // A batch in progress: what its threads share.
  struct Run;

  LocalPairScorer(std::unique_ptr<const nn::CrossEncoder> model, text::PairTokenizer tokenizer, const Options& options,
                  core::WorkerPool& pool, const core::Clock& clock);
  [[nodiscard]] core::Status measure_rate();
  void score_round(Run& run);
  void score_groups(Run& run);
  void score_as_team(Run& run);
  [[nodiscard]] bool score_group(Workspace& workspace, Run& run, nn::Team* team);
  [[nodiscard]] std::size_t affordable_tokens(core::Deadline deadline) const;
  void note_batch_share(const Run& run);
  [[nodiscard]] static ports::PairScores scores_of(const Run& run);

  std::unique_ptr<const nn::CrossEncoder> model_;
  text::PairTokenizer tokenizer_;
  Options options_;
  ports::ScorerInfo info_;
  core::WorkerPool& pool_;
  const core::Clock& clock_;
  std::atomic<double> thread_rate_{0};  // tokens a second of one thread; 0: unknown
  std::atomic<double> batch_share_{1};  // of that times the threads, what a call gets that is alone
  std::atomic<std::size_t> calls_begun_{0};  // ever
  std::atomic<std::size_t> calls_ended_{0};
  WorkspacePool<Workspace> workspaces_;  // one a thread of the pool
};

}  // namespace scalestyle::adapters::embedded
