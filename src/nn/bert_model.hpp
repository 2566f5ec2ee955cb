#pragma once
// What sentence encoders and cross-encoders have in common: the embeddings, the layers, and texts going through them in
// chunks. Models of the types "bert" and "xlm-roberta".
//
// Thread safety: a model is immutable; buffers belong to one thread.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "nn/bert_batch.hpp"
#include "nn/bert_config.hpp"
#include "nn/bert_weights.hpp"
#include "nn/layer_stack.hpp"
#include "nn/precision.hpp"
#include "nn/safetensors.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

struct BertWorkspace::State {
  LayerBuffers buffers;
  std::vector<TokenInput> inputs;
};

class BertModel {
 public:
  struct Options {
    Precision precision = Precision::kInt8;
    bool first_row_only = true;     // the last layer gives each text's first row alone
    std::string weights_sha256{};  // computed from the file when empty
  };

  // `model_dir` holds `model.safetensors`; parameter names with or without `bert.` or `roberta.`.
  // Errors: kNotFound, kDataLoss, naming the tensor.
  [[nodiscard]] static core::Result<std::unique_ptr<const BertModel>> load(const std::filesystem::path& model_dir,
                                                                           const BertConfig& config, const Options& options);

  // kInvalidArgument for an empty text, one above max_tokens(), an id or a segment the model does not have.
  [[nodiscard]] core::Status check(std::span<const TokenInput> texts) const;

  // Texts that were checked. Calls consume(index of the chunk's first text, the last layer's rows) for each chunk: a row
  // a text with first_row_only, else a row a token, from buffers.starts on.
  template <class Consume>
  void forward(std::span<const TokenInput> texts, LayerBuffers& buffers, Team* team, const Consume& consume) const {
    buffers.team = team;
    for (std::size_t first = 0; first < texts.size();) {
      const std::size_t end = chunk_end(texts, first);
      consume(first, forward_chunk(texts.subspan(first, end - first), buffers));
      first = end;
    }
  }

  [[nodiscard]] const BertConfig& config() const { return config_; }
  [[nodiscard]] Precision precision() const { return precision_; }
  [[nodiscard]] const std::string& weights_hash() const { return hash_; }
  // The file the model was read from, for the parameters of what stands on it.
  [[nodiscard]] const SafetensorsFile& file() const { return file_; }
  // Packed weights held in memory, without the mapped embedding table.
  [[nodiscard]] std::size_t weight_bytes() const { return stack_->size_bytes(); }
  // Multiply-adds × 2 of all matrix products for one text of so many tokens: what benchmarks divide by.
  [[nodiscard]] double operations(std::size_t tokens) const { return shape_.operations(tokens); }

 private:
  BertModel(SafetensorsFile file, const BertConfig& config, const Options& options);
  [[nodiscard]] core::Status load_embeddings(const BertTensorReader& reader);
  [[nodiscard]] std::size_t chunk_end(std::span<const TokenInput> texts, std::size_t first) const;
  [[nodiscard]] kernels::Matrix forward_chunk(std::span<const TokenInput> texts, LayerBuffers& buffers) const;
  void embed(std::span<const TokenInput> texts, LayerBuffers& buffers) const;

  SafetensorsFile file_;
  BertConfig config_;
  Precision precision_;
  StackShape shape_;
  std::string hash_;
  std::span<const float> words_;  // in the mapped file, or in converted_words_
  std::vector<float> converted_words_;
  std::vector<float> positions_;
  std::vector<float> token_types_;
  LayerNorm embedding_norm_;
  std::unique_ptr<const LayerStack> stack_;
};

}  // namespace scalestyle::nn
