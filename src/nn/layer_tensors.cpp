#include "nn/layer_tensors.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace scalestyle::nn {

namespace {

// Pads every head's output features with zeros; multiplies by `factor`.
LinearTensors pad_head_rows(const LinearTensors& tensors, const HeadShape& heads, float factor) {
  const std::size_t padded = heads.padded_width();
  LinearTensors out{.out = heads.heads * padded, .in = tensors.in, .weight = {}, .bias = {}};
  out.weight.assign(out.out * out.in, 0.0F);
  out.bias.assign(out.out, 0.0F);
  for (std::size_t row = 0; row < tensors.out; ++row) {
    const std::size_t to = row / heads.width * padded + row % heads.width;
    out.bias[to] = tensors.bias[row] * factor;
    for (std::size_t column = 0; column < tensors.in; ++column) {
      out.weight[to * out.in + column] = tensors.weight[row * tensors.in + column] * factor;
    }
  }
  return out;
}

LinearTensors pad_head_columns(const LinearTensors& tensors, const HeadShape& heads) {
  const std::size_t padded = heads.padded_width();
  LinearTensors out{.out = tensors.out, .in = heads.heads * padded, .weight = {}, .bias = tensors.bias};
  out.weight.assign(out.out * out.in, 0.0F);
  for (std::size_t row = 0; row < tensors.out; ++row) {
    for (std::size_t column = 0; column < tensors.in; ++column) {
      const std::size_t to = column / heads.width * padded + column % heads.width;
      out.weight[row * out.in + to] = tensors.weight[row * tensors.in + column];
    }
  }
  return out;
}

}  // namespace

void set_attention(AttentionTensors parts, const HeadShape& heads, LayerTensors& layer) {
  if (heads.padded_width() != heads.width) {
    // The kernel divides scores by the root of the padded width: the queries make up for it.
    const float factor = std::sqrt(static_cast<float>(heads.padded_width()) / static_cast<float>(heads.width));
    parts.query = pad_head_rows(parts.query, heads, factor);
    parts.key = pad_head_rows(parts.key, heads, 1.0F);
    parts.value = pad_head_rows(parts.value, heads, 1.0F);
    parts.output = pad_head_columns(parts.output, heads);
  }
  layer.query = std::move(parts.query);
  layer.key_value = stacked(std::move(parts.key), parts.value);
  layer.attention_output = std::move(parts.output);
}

LinearTensors stacked(LinearTensors first, const LinearTensors& second) {
  first.out += second.out;
  first.weight.insert(first.weight.end(), second.weight.begin(), second.weight.end());
  first.bias.insert(first.bias.end(), second.bias.begin(), second.bias.end());
  return first;
}

core::Result<LinearTensors> read_linear(const SafetensorsFile& file, const std::string& name, std::size_t out,
                                        std::size_t in) {
  LinearTensors tensors{.out = out, .in = in, .weight = {}, .bias = {}};
  const std::array<std::uint64_t, 2> weight_shape{out, in};
  const std::array<std::uint64_t, 1> bias_shape{out};
  CORE_TRY(tensors.weight, file.read_f32(name + ".weight", weight_shape));
  CORE_TRY(tensors.bias, file.read_f32(name + ".bias", bias_shape));
  return tensors;
}

core::Result<LayerNorm> read_layer_norm(const SafetensorsFile& file, const std::string& name, std::size_t width,
                                        float epsilon) {
  const std::array<std::uint64_t, 1> shape{width};
  LayerNorm norm{.gamma = {}, .beta = {}, .epsilon = epsilon};
  CORE_TRY(norm.gamma, file.read_f32(name + ".weight", shape));
  CORE_TRY(norm.beta, file.read_f32(name + ".bias", shape));
  return norm;
}

}  // namespace scalestyle::nn
