#include "nn/clip_weights.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

#include "nn/kernels/elementwise.hpp"

namespace scalestyle::nn {

core::Result<LayerNorm> ClipTensors::layer_norm(const std::string& suffix) const {
  return read_layer_norm(file, prefix + suffix, tower.hidden, tower.layer_norm_epsilon);
}

core::Result<LayerTensors> ClipTensors::layer(std::size_t index) const {
  const std::string suffix = fmt::format("encoder.layers.{}.", index);
  const std::string base = prefix + suffix;
  const std::size_t hidden = tower.hidden;
  AttentionTensors attention;
  CORE_TRY(attention.query, read_linear(file, base + "self_attn.q_proj", hidden, hidden));
  CORE_TRY(attention.key, read_linear(file, base + "self_attn.k_proj", hidden, hidden));
  CORE_TRY(attention.value, read_linear(file, base + "self_attn.v_proj", hidden, hidden));
  CORE_TRY(attention.output, read_linear(file, base + "self_attn.out_proj", hidden, hidden));
  LayerTensors layer;
  set_attention(std::move(attention), {tower.heads, hidden / tower.heads}, layer);
  CORE_TRY(layer.attention_norm, layer_norm(suffix + "layer_norm1"));
  CORE_TRY(layer.up, read_linear(file, base + "mlp.fc1", tower.intermediate, hidden));
  CORE_TRY(layer.down, read_linear(file, base + "mlp.fc2", hidden, tower.intermediate));
  CORE_TRY(layer.output_norm, layer_norm(suffix + "layer_norm2"));
  return layer;
}

core::Result<std::unique_ptr<const LayerStack>> ClipTensors::stack(const StackShape& shape, Precision precision) const {
  return LayerStack::load(shape, precision, [this](std::size_t index) { return layer(index); });
}

core::Result<ClipHead> ClipHead::load(const ClipTensors& tensors, const std::string& norm, const std::string& projection,
                                      std::size_t dimension) {
  ClipHead head;
  CORE_TRY(head.norm_, tensors.layer_norm(norm));
  LinearTensors linear{.out = dimension, .in = tensors.tower.hidden, .weight = {}, .bias = {}};
  const std::array<std::uint64_t, 2> shape{linear.out, linear.in};
  CORE_TRY(linear.weight, tensors.file.read_f32(projection + ".weight", shape));
  CORE_TRY(head.projection_, LinearF32::pack(linear));
  return head;
}

void ClipHead::apply(const kernels::Matrix& rows, const kernels::Matrix& vectors) const {
  norm_.apply(rows, rows);
  projection_.apply(rows, {}, {}, vectors);
  kernels::l2_normalize(vectors);
}

}  // namespace scalestyle::nn
