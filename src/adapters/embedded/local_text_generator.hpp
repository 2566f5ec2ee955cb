#pragma once
// TextGenerator in this process: Qwen2's tokenizer and nn::Qwen2Model on the compute pool.
//
// One text at a time by default; a few wait, the rest are refused. A text is made in steps of one layer: between two steps
// deadline and cancellation are looked at and other work that waits for the pool goes first. While no other work waits a
// second thread of the pool shares each step's products. Control tokens written in a message are text.
// Thread safety: as the port.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/embedded/turn_queue.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "nn/qwen2_model.hpp"
#include "nn/qwen2_session.hpp"
#include "ports/text_generator.hpp"
#include "text/qwen2_tokenizer.hpp"

namespace scalestyle::adapters::embedded {

class LocalTextGenerator final : public ports::TextGenerator {
 public:
  struct Options {
    // config.json, model.safetensors or its shards, vocab.json, merges.txt, tokenizer_config.json.
    std::filesystem::path model_dir;
    std::string model_name;
    nn::Qwen2Options model{};
    std::size_t max_context = 2048;  // tokens of prompt and answer; less where the model has fewer positions
    std::size_t max_running = 1;     // each has keys and values of its own for max_context tokens
    std::size_t max_waiting = 8;
  };

  // Memory that load() will take, of the folder's config.json alone. Errors: those of nn::read_qwen2_config.
  [[nodiscard]] static core::Result<std::size_t> memory_need_bytes(const Options& options);

  // Loads model and tokenizer (blocking). `pool` and `clock` must outlive the generator.
  // Errors: those of nn::Qwen2Model::load and text::Qwen2Tokenizer::load; kFailedPrecondition when the tokenizer has ids
  // that the model does not have; kInvalidArgument for options out of range.
  [[nodiscard]] static core::Result<std::unique_ptr<LocalTextGenerator>> load(const Options& options, core::WorkerPool& pool,
                                                                              const core::Clock& clock);

  [[nodiscard]] const ports::GeneratorInfo& info() const override { return info_; }
  [[nodiscard]] core::Task<core::Result<ports::GeneratedText>> generate(
      ports::GenerationRequest request, core::Deadline deadline,
      std::function<bool(std::string_view piece)> on_piece) override;
  [[nodiscard]] const nn::Qwen2Model& model() const { return *model_; }
  [[nodiscard]] std::size_t waiting() const { return turns_.waiting(); }

 private:
  // A text in progress.
  class Run;
  class SessionLease;

  LocalTextGenerator(std::unique_ptr<const nn::Qwen2Model> model, text::Qwen2Tokenizer tokenizer, const Options& options,
                     core::WorkerPool& pool, const core::Clock& clock);
  [[nodiscard]] core::Status add_sessions(std::size_t count);
  [[nodiscard]] core::Result<std::vector<std::int32_t>> read_prompt(const ports::GenerationRequest& request) const;
  [[nodiscard]] bool step(nn::Qwen2Session& session);

  std::unique_ptr<const nn::Qwen2Model> model_;
  text::Qwen2Tokenizer tokenizer_;
  ports::GeneratorInfo info_;
  core::WorkerPool& pool_;
  const core::Clock& clock_;
  TurnQueue turns_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<nn::Qwen2Session>> idle_sessions_;  // guarded by mutex_; one for each free turn
};

}  // namespace scalestyle::adapters::embedded
