#pragma once
// The tensors of one BERT layer as the encoder multiplies by them: names resolved, query/key/value joined, heads padded
// to the attention kernel's width. Packing to a precision is linear.hpp's work.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "nn/bert_config.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

struct LinearTensors {
  std::size_t out = 0;
  std::size_t in = 0;
  std::vector<float> weight;  // row-major [out, in]
  std::vector<float> bias;    // [out]
  bool fine = false;          // rounding errors of int8 weights are too much here; see LinearInt8
};

struct LayerNormTensors {
  std::vector<float> gamma;
  std::vector<float> beta;
};

struct BertLayerTensors {
  LinearTensors query;      // [heads * padded head width, hidden]
  LinearTensors key_value;  // keys, then values
  LinearTensors attention_output;
  LayerNormTensors attention_norm;
  LinearTensors up;
  LinearTensors down;
  LayerNormTensors output_norm;
};

// Reads the parameters of one model file by the hub's names, with the prefix `bert.` or `roberta.` where the file has it.
// `pooler.*`, `classifier.*` and the integer `embeddings.position_ids` are not read.
class BertTensorReader {
 public:
  // Both must outlive the reader.
  BertTensorReader(const SafetensorsFile& file, const BertConfig& config);

  [[nodiscard]] std::string name(const std::string& suffix) const { return prefix_ + suffix; }
  [[nodiscard]] std::size_t padded_head_width() const { return padded_head_width_; }

  [[nodiscard]] core::Result<BertLayerTensors> layer(std::size_t index) const;
  [[nodiscard]] core::Result<LayerNormTensors> layer_norm(const std::string& suffix) const;
  [[nodiscard]] core::Result<std::vector<float>> table(const std::string& suffix, std::size_t rows) const;
  // `full_name`.weight and .bias: no prefix is put before it.
  [[nodiscard]] core::Result<LinearTensors> linear(const std::string& full_name, std::size_t out, std::size_t in) const;

 private:
  // Pads every head to padded_head_width_ with zeros; multiplies by `factor`.
  [[nodiscard]] LinearTensors pad_head_rows(const LinearTensors& tensors, float factor) const;
  [[nodiscard]] LinearTensors pad_head_columns(const LinearTensors& tensors) const;

  const SafetensorsFile& file_;
  const BertConfig& config_;
  std::string prefix_;
  std::size_t padded_head_width_ = 0;
};

}  // namespace scalestyle::nn
