#pragma once
// The parameters of a CLIP model by the hub's names, and what both towers end with.

#include <cstddef>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "nn/clip_config.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/layer_stack.hpp"
#include "nn/layer_tensors.hpp"
#include "nn/linear.hpp"
#include "nn/precision.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

// One tower's parameters in a model file. Errors: kDataLoss, naming file and tensor.
struct ClipTensors {
  const SafetensorsFile& file;
  std::string prefix;  // "vision_model.", "text_model."
  const ClipTowerConfig& tower;

  [[nodiscard]] core::Result<LayerNorm> layer_norm(const std::string& suffix) const;
  [[nodiscard]] core::Result<LayerTensors> layer(std::size_t index) const;
  [[nodiscard]] core::Result<std::unique_ptr<const LayerStack>> stack(const StackShape& shape, Precision precision) const;
};

// LayerNorm of one row a sequence, projection into the common space, unit length. Always in f32: it is little work and
// nothing averages its errors out.
class ClipHead {
 public:
  // `norm` without the tower's prefix, `projection` with all of its name but ".weight".
  [[nodiscard]] static core::Result<ClipHead> load(const ClipTensors& tensors, const std::string& norm,
                                                   const std::string& projection, std::size_t dimension);
  // `rows` [sequences, hidden] are overwritten; `vectors` [sequences, dimension].
  void apply(const kernels::Matrix& rows, const kernels::Matrix& vectors) const;
  [[nodiscard]] std::size_t size_bytes() const { return projection_.size_bytes(); }

 private:
  LayerNorm norm_;
  LinearF32 projection_;
};

}  // namespace scalestyle::nn
