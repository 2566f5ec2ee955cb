#include "nn/bert_weights.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

namespace scalestyle::nn {

namespace {

// The hub's files have the parameters of the whole model, or of the encoder in it alone.
std::string find_prefix(const SafetensorsFile& file) {
  for (const char* prefix : {"bert.", "roberta."}) {
    if (file.contains(std::string(prefix) + "embeddings.word_embeddings.weight")) return prefix;
  }
  return "";
}

}  // namespace

BertTensorReader::BertTensorReader(const SafetensorsFile& file, const BertConfig& config)
    : file_(file), config_(config), prefix_(find_prefix(file)) {}

core::Result<LinearTensors> BertTensorReader::linear(const std::string& full_name, std::size_t out,
                                                     std::size_t in) const {
  return read_linear(file_, full_name, out, in);
}

core::Result<LayerNorm> BertTensorReader::layer_norm(const std::string& suffix) const {
  return read_layer_norm(file_, name(suffix), config_.hidden, config_.layer_norm_epsilon);
}

core::Result<std::vector<float>> BertTensorReader::table(const std::string& suffix, std::size_t rows) const {
  const std::array<std::uint64_t, 2> shape{rows, config_.hidden};
  return file_.read_f32(name(suffix), shape);
}

core::Result<LayerTensors> BertTensorReader::layer(std::size_t index) const {
  const std::string suffix = fmt::format("encoder.layer.{}.", index);
  const std::string base = name(suffix);
  const std::size_t hidden = config_.hidden;
  AttentionTensors attention;
  CORE_TRY(attention.query, linear(base + "attention.self.query", hidden, hidden));
  CORE_TRY(attention.key, linear(base + "attention.self.key", hidden, hidden));
  CORE_TRY(attention.value, linear(base + "attention.self.value", hidden, hidden));
  CORE_TRY(attention.output, linear(base + "attention.output.dense", hidden, hidden));
  LayerTensors layer;
  set_attention(std::move(attention), {config_.heads, config_.head_width()}, layer);
  CORE_TRY(layer.attention_norm, layer_norm(suffix + "attention.output.LayerNorm"));
  CORE_TRY(layer.up, linear(base + "intermediate.dense", config_.intermediate, hidden));
  CORE_TRY(layer.down, linear(base + "output.dense", hidden, config_.intermediate));
  CORE_TRY(layer.output_norm, layer_norm(suffix + "output.LayerNorm"));
  return layer;
}

}  // namespace scalestyle::nn
