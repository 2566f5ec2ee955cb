#pragma once
// The parameters of a model of the BERT family by the hub's names.

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "nn/bert_config.hpp"
#include "nn/layer_tensors.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

// Reads the parameters of one model file, with the prefix `bert.` or `roberta.` where the file has it. `pooler.*`,
// `classifier.*` and the integer `embeddings.position_ids` are not read. Errors: kDataLoss, naming file and tensor.
class BertTensorReader {
 public:
  // Both must outlive the reader.
  BertTensorReader(const SafetensorsFile& file, const BertConfig& config);

  [[nodiscard]] std::string name(const std::string& suffix) const { return prefix_ + suffix; }

  [[nodiscard]] core::Result<LayerTensors> layer(std::size_t index) const;
  [[nodiscard]] core::Result<LayerNorm> layer_norm(const std::string& suffix) const;
  [[nodiscard]] core::Result<std::vector<float>> table(const std::string& suffix, std::size_t rows) const;
  // `full_name`.weight and .bias: no prefix is put before it.
  [[nodiscard]] core::Result<LinearTensors> linear(const std::string& full_name, std::size_t out, std::size_t in) const;

 private:
  const SafetensorsFile& file_;
  const BertConfig& config_;
  std::string prefix_;
};

}  // namespace scalestyle::nn
