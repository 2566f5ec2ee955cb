#pragma once
// One text going through a Qwen2 model: the keys and values of its tokens, and the logits after the last one.
//
// The work is done in steps of one layer over a bounded number of tokens, so that whoever computes can look at a deadline or
// let others on in between: begin(tokens), then step() until it says true. prefill() and next() do both. The logits after a
// token are the same bits however its text was divided into calls, with any number of threads and on every instruction set.
//
// Thread safety: a session belongs to one thread at a time. Allocates at creation only (up to a prompt's list of ids).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/qwen2_model.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

class Qwen2Session {
 public:
  // Room for so many tokens, prompt and answer together. `model` must outlive the session.
  // Errors: kInvalidArgument for 0 or more than the model's positions.
  [[nodiscard]] static core::Result<std::unique_ptr<Qwen2Session>> create(const Qwen2Model& model, std::size_t max_context);
  // Memory a session takes.
  [[nodiscard]] static std::size_t size_bytes(const Qwen2Config& config, std::size_t max_context);

  // What comes next in the text. Errors, which change nothing: kInvalidArgument for no token, an id outside the vocabulary or
  // more tokens than there is room for; kFailedPrecondition while earlier ones are not computed.
  [[nodiscard]] core::Status begin(std::span<const std::int32_t> tokens);
  // One step; true when the logits are those after the last token. With a team this thread leads it.
  [[nodiscard]] bool step(Team* team = nullptr);

  // begin() and all steps. The prompt goes through the layers in batches of rows.
  [[nodiscard]] core::Status prefill(std::span<const std::int32_t> tokens, Team* team = nullptr);
  [[nodiscard]] core::Status next(std::int32_t token, Team* team = nullptr) { return prefill({&token, 1}, team); }

  // [vocabulary]: of the token after the last. Valid until the next begin().
  [[nodiscard]] std::span<const float> logits() const { return {logits_.as<float>(), config_.vocabulary}; }
  [[nodiscard]] std::size_t length() const { return length_; }  // tokens computed
  [[nodiscard]] std::size_t max_context() const { return max_context_; }
  // Forgets the text, in the middle of a step's work too.
  void reset();

 private:
  Qwen2Session(const Qwen2Model& model, std::size_t max_context);
  void enter_batch();
  void layer_step(Team* team);
  void keep_keys_values(std::size_t layer, std::size_t rows);
  void attend(std::size_t layer, std::size_t first_row, std::size_t rows, Team* team);
  void mix(const Qwen2Layer& layer, std::size_t first_row, std::size_t rows, Team* team);
  void head_step(Team* team);
  void rotate(float* heads, std::size_t count, std::size_t row) const;
  [[nodiscard]] float* kept(std::size_t layer, std::size_t head, bool values) const;
  [[nodiscard]] bool is_last_batch() const { return batch_first_ + batch_rows_ == pending_.size(); }

  const Qwen2Model& model_;
  const Qwen2Config& config_;
  std::size_t max_context_;
  std::vector<float> inverse_frequencies_;  // [head_width / 2]

  std::size_t length_ = 0;
  std::vector<std::int32_t> pending_;  // begun and not computed; empty when idle
  std::size_t batch_first_ = 0;        // into pending_
  std::size_t batch_rows_ = 0;
  std::size_t layer_ = 0;  // of the batch, next to be computed; layers: the head

  kernels::AlignedBuffer kept_;     // f32 [layer][key-value head][keys, values][max_context][head_width]
  kernels::AlignedBuffer hidden_;   // f32 [batch][hidden]
  kernels::AlignedBuffer normed_;   // f32 [batch][hidden]; the context of attention too
  kernels::AlignedBuffer queries_;  // f32 [batch][hidden]
  kernels::AlignedBuffer keys_;     // f32 [batch][key_value_width]
  kernels::AlignedBuffer values_;   // f32 [batch][key_value_width]
  kernels::AlignedBuffer gate_;     // f32 [batch][intermediate]
  kernels::AlignedBuffer up_;       // f32 [batch][intermediate]
  kernels::AlignedBuffer turns_;    // f32 [batch][cosines, sines][head_width / 2]
  kernels::AlignedBuffer scores_;   // f32 [head][max_context]
  kernels::AlignedBuffer logits_;   // f32 [vocabulary]
};

struct Qwen2MemoryNeed {
  std::size_t weight_bytes = 0;
  std::size_t session_bytes = 0;  // each
};
// What the model in `model_dir` will take, of its config.json alone. Errors: those of read_qwen2_config; kInvalidArgument as
// Qwen2Session::create.
[[nodiscard]] core::Result<Qwen2MemoryNeed> qwen2_memory_need(const std::filesystem::path& model_dir, Precision precision,
                                                              std::size_t max_context);

}  // namespace scalestyle::nn
