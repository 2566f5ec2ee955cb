#pragma once
// CLIP's text transformer. A token sees those before it only, and the vector comes from the first end-of-text token: what
// stands behind it (padding) is not computed, and the last layer is computed for that token alone.
//
// Thread safety: a tower is immutable; buffers belong to one thread.
// Source: Radford et al., arXiv 2103.00020.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "nn/bert_batch.hpp"
#include "nn/clip_config.hpp"
#include "nn/clip_weights.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/layer_stack.hpp"
#include "nn/precision.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

class ClipTextTower {
 public:
  // `file` must outlive the tower: rows of the token table are read where they lie. Errors: kDataLoss, naming file and
  // tensor.
  [[nodiscard]] static core::Result<ClipTextTower> load(const SafetensorsFile& file, const ClipConfig& config,
                                                        Precision precision);

  // Replaces each text by its part up to the first end-of-text token. Errors: kInvalidArgument for a text without one,
  // above max_tokens, or with an id outside the vocabulary; it names the text.
  [[nodiscard]] core::Status cut(std::span<TokenSequence> texts) const;
  // How many of the texts from `first` on to hand to one forward().
  [[nodiscard]] std::size_t chunk(std::span<const TokenSequence> texts, std::size_t first) const;
  // Texts that were cut. vectors: [texts, dimension], of unit length. buffers.team may share the products.
  void forward(std::span<const TokenSequence> texts, const kernels::Matrix& vectors, LayerBuffers& buffers) const;

  [[nodiscard]] std::size_t size_bytes() const { return stack_->size_bytes() + head_.size_bytes(); }
  // Multiply-adds × 2 of the matrix products of one text of so many tokens.
  [[nodiscard]] double operations(std::size_t tokens) const;

 private:
  ClipTextTower(const ClipConfig& config, Precision precision);
  [[nodiscard]] core::Status load_embeddings(const ClipTensors& tensors);

  ClipConfig config_;
  StackShape shape_;
  Precision precision_;
  std::span<const float> words_;  // in the mapped file, or in converted_words_
  std::vector<float> converted_words_;
  std::vector<float> positions_;
  std::unique_ptr<const LayerStack> stack_;
  ClipHead head_;
};

}  // namespace scalestyle::nn
