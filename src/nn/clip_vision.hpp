#pragma once
// CLIP's vision transformer: a picture is cut into square patches; each, multiplied by the patch embedding, is a token
// behind the class token. The vector comes from the class token, so the last layer is computed for it alone.
//
// Thread safety: a tower is immutable; buffers belong to one thread.
// Sources: Dosovitskiy et al., arXiv 2010.11929; Radford et al., arXiv 2103.00020.

#include <cstddef>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "nn/clip_config.hpp"
#include "nn/clip_weights.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/layer_stack.hpp"
#include "nn/linear.hpp"
#include "nn/precision.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

struct ClipVisionBuffers {
  LayerBuffers layers;
  kernels::AlignedBuffer patches;  // [patch_rows, patch_values] of one picture
  RowBuffers prepared;             // the same as products take them
  std::size_t patch_rows = 0;
  std::size_t patch_values = 0;
  Precision precision = Precision::kF32;

  [[nodiscard]] std::size_t size_bytes() const;
};

class ClipVisionTower {
 public:
  // Errors: kDataLoss, naming file and tensor.
  [[nodiscard]] static core::Result<ClipVisionTower> load(const SafetensorsFile& file, const ClipConfig& config,
                                                          Precision precision);

  // How many of `pictures` to hand to one forward().
  [[nodiscard]] std::size_t chunk(std::size_t pictures) const;
  // pixels: [pictures, 3, image_size, image_size]; vectors: [pictures, dimension], of unit length. buffers.layers.team
  // may share the products.
  void forward(std::span<const float> pixels, const kernels::Matrix& vectors, ClipVisionBuffers& buffers) const;

  [[nodiscard]] std::size_t size_bytes() const;
  [[nodiscard]] double operations() const;  // multiply-adds × 2 of the matrix products of one picture

 private:
  using Product = std::variant<LinearF32, LinearBf16, LinearInt8>;

  ClipVisionTower(const ClipConfig& config, Precision precision);
  [[nodiscard]] core::Status load_embeddings(const ClipTensors& tensors);
  [[nodiscard]] core::Status load_patch_embedding(const ClipTensors& tensors);
  void reserve(ClipVisionBuffers& buffers, std::size_t pictures) const;
  void embed(std::span<const float> pixels, const kernels::Matrix& rows, ClipVisionBuffers& buffers) const;

  ClipConfig config_;
  StackShape shape_;
  Precision precision_;
  Product patch_embedding_;
  std::vector<float> class_row_;  // class embedding and its position
  std::vector<float> positions_;  // [patches, hidden]
  LayerNorm embedding_norm_;
  std::unique_ptr<const LayerStack> stack_;
  ClipHead head_;
};

}  // namespace scalestyle::nn
