#pragma once
// TextEncoder in this process: WordPiece and BERT on the compute pool.
// Special tokens written in a text are plain words: a text cannot speak to the model in its control tokens.
// Thread safety: as the port.

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/embedded/workspace_pool.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "nn/bert_encoder.hpp"
#include "ports/text_encoder.hpp"
#include "text/wordpiece.hpp"

namespace scalestyle::adapters::embedded {

class LocalTextEncoder final : public ports::TextEncoder {
 public:
  struct Options {
    std::filesystem::path model_dir;  // config.json, model.safetensors, tokenizer.json or vocab.txt
    std::string model_name;
    nn::EncoderOptions encoder{};
    // A batch is shared by the pool's threads in pieces of about equal tokens, none below this. While other work waits
    // for the pool a batch stays on one thread: then the threads are busy without the hand-over.
    std::size_t least_piece_tokens = 48;  // at least 1
    // A batch of one piece and at most so many tokens is computed together with a second thread, if one is idle.
    std::size_t most_team_tokens = 128;
  };

  // Loads model and tokenizer (blocking). `pool` and `clock` must outlive the encoder.
  // Errors: those of nn::BertEncoder::load and text::WordPieceTokenizer::load; kFailedPrecondition when the
  // vocabularies of the two differ.
  [[nodiscard]] static core::Result<std::unique_ptr<LocalTextEncoder>> load(const Options& options,
                                                                            core::WorkerPool& pool,
                                                                            const core::Clock& clock);

  // The same model for other work: computed on `pool`, which must outlive it. Shares the weights.
  [[nodiscard]] std::unique_ptr<LocalTextEncoder> on(core::WorkerPool& pool) const;

  [[nodiscard]] const ports::EncoderInfo& info() const override { return info_; }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts,
                                                                       core::Deadline deadline) override;
  [[nodiscard]] const nn::BertEncoder& model() const { return *model_; }

 private:
  struct Workspace {
    nn::BertEncoder::Workspace model;
    text::WordPieceTokenizer::Scratch tokenizer;
  };

  LocalTextEncoder(std::shared_ptr<const nn::BertEncoder> model, std::shared_ptr<const text::WordPieceTokenizer> tokenizer,
                   Options options, core::WorkerPool& pool, const core::Clock& clock);
  [[nodiscard]] core::Result<ports::EmbeddingBatch> encode_now(const std::vector<std::string>& texts,
                                                               core::Deadline deadline);
  [[nodiscard]] core::Status encode_as_team(std::span<const nn::TokenSequence> texts, std::span<float> out);

  std::shared_ptr<const nn::BertEncoder> model_;
  std::shared_ptr<const text::WordPieceTokenizer> tokenizer_;
  Options options_;
  ports::EncoderInfo info_;
  core::WorkerPool& pool_;
  const core::Clock& clock_;
  WorkspacePool<Workspace> workspaces_;  // one a thread of the pool
};

}  // namespace scalestyle::adapters::embedded
