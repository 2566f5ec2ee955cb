#include "nn/bert_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace scalestyle::nn {

namespace {

// The hub's files have the parameters of the whole model, or of the encoder in it alone.
std::string find_prefix(const SafetensorsFile& file) {
  for (const char* prefix : {"bert.", "roberta."}) {
    if (file.contains(std::string(prefix) + "embeddings.word_embeddings.weight")) return prefix;
  }
  return "";
}

constexpr std::size_t kHeadWidthMultiple = 16;  // what the attention kernel takes

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

LinearTensors stack(const LinearTensors& first, const LinearTensors& second) {
  LinearTensors out = first;
  out.out += second.out;
  out.weight.insert(out.weight.end(), second.weight.begin(), second.weight.end());
  out.bias.insert(out.bias.end(), second.bias.begin(), second.bias.end());
  return out;
}

}  // namespace

BertTensorReader::BertTensorReader(const SafetensorsFile& file, const BertConfig& config)
    : file_(file),
      config_(config),
      prefix_(find_prefix(file)),
      padded_head_width_(round_up(config.head_width(), kHeadWidthMultiple)) {}

core::Result<LinearTensors> BertTensorReader::linear(const std::string& full_name, std::size_t out,
                                                     std::size_t in) const {
  LinearTensors tensors{.out = out, .in = in, .weight = {}, .bias = {}};
  const std::array<std::uint64_t, 2> weight_shape{out, in};
  const std::array<std::uint64_t, 1> bias_shape{out};
  CORE_TRY(tensors.weight, file_.read_f32(full_name + ".weight", weight_shape));
  CORE_TRY(tensors.bias, file_.read_f32(full_name + ".bias", bias_shape));
  return tensors;
}

core::Result<LayerNormTensors> BertTensorReader::layer_norm(const std::string& suffix) const {
  const std::array<std::uint64_t, 1> shape{config_.hidden};
  LayerNormTensors tensors;
  CORE_TRY(tensors.gamma, file_.read_f32(name(suffix + ".weight"), shape));
  CORE_TRY(tensors.beta, file_.read_f32(name(suffix + ".bias"), shape));
  return tensors;
}

core::Result<std::vector<float>> BertTensorReader::table(const std::string& suffix, std::size_t rows) const {
  const std::array<std::uint64_t, 2> shape{rows, config_.hidden};
  return file_.read_f32(name(suffix), shape);
}

LinearTensors BertTensorReader::pad_head_rows(const LinearTensors& tensors, float factor) const {
  const std::size_t width = config_.head_width();
  LinearTensors out{.out = config_.heads * padded_head_width_, .in = tensors.in, .weight = {}, .bias = {}};
  out.weight.assign(out.out * out.in, 0.0F);
  out.bias.assign(out.out, 0.0F);
  for (std::size_t row = 0; row < tensors.out; ++row) {
    const std::size_t to = row / width * padded_head_width_ + row % width;
    out.bias[to] = tensors.bias[row] * factor;
    for (std::size_t column = 0; column < tensors.in; ++column) {
      out.weight[to * out.in + column] = tensors.weight[row * tensors.in + column] * factor;
    }
  }
  return out;
}

LinearTensors BertTensorReader::pad_head_columns(const LinearTensors& tensors) const {
  const std::size_t width = config_.head_width();
  LinearTensors out{.out = tensors.out, .in = config_.heads * padded_head_width_, .weight = {}, .bias = tensors.bias};
  out.weight.assign(out.out * out.in, 0.0F);
  for (std::size_t row = 0; row < tensors.out; ++row) {
    for (std::size_t column = 0; column < tensors.in; ++column) {
      const std::size_t to = column / width * padded_head_width_ + column % width;
      out.weight[row * out.in + to] = tensors.weight[row * tensors.in + column];
    }
  }
  return out;
}

core::Result<BertLayerTensors> BertTensorReader::layer(std::size_t index) const {
  const std::string suffix = fmt::format("encoder.layer.{}.", index);
  const std::string base = name(suffix);
  const std::size_t hidden = config_.hidden;
  CORE_TRY(LinearTensors query, linear(base + "attention.self.query", hidden, hidden));
  CORE_TRY(LinearTensors key, linear(base + "attention.self.key", hidden, hidden));
  CORE_TRY(LinearTensors value, linear(base + "attention.self.value", hidden, hidden));
  BertLayerTensors layer;
  CORE_TRY(layer.attention_output, linear(base + "attention.output.dense", hidden, hidden));
  if (padded_head_width_ != config_.head_width()) {
    // The kernel divides scores by the root of the padded width: the queries make up for it.
    const float factor = std::sqrt(static_cast<float>(padded_head_width_) / static_cast<float>(config_.head_width()));
    query = pad_head_rows(query, factor);
    key = pad_head_rows(key, 1.0F);
    value = pad_head_rows(value, 1.0F);
    layer.attention_output = pad_head_columns(layer.attention_output);
  }
  layer.query = std::move(query);
  layer.key_value = stack(key, value);
  CORE_TRY(layer.attention_norm, layer_norm(suffix + "attention.output.LayerNorm"));
  CORE_TRY(layer.up, linear(base + "intermediate.dense", config_.intermediate, hidden));
  CORE_TRY(layer.down, linear(base + "output.dense", hidden, config_.intermediate));
  CORE_TRY(layer.output_norm, layer_norm(suffix + "output.LayerNorm"));
  return layer;
}

}  // namespace scalestyle::nn
