#pragma once
// What a hub-style `config.json` says about a BERT encoder, checked against what this code computes.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "nn/bert_encoder.hpp"

namespace scalestyle::nn {

struct BertConfig {
  std::size_t hidden = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t intermediate = 0;
  std::size_t max_positions = 0;
  std::size_t vocabulary = 0;
  std::size_t token_types = 0;
  float layer_norm_epsilon = 1e-12F;

  [[nodiscard]] std::size_t head_width() const { return hidden / heads; }
};

// `name` is what errors call the file. Errors: kDataLoss for a damaged file or a size out of bounds; kUnsupported for
// another model type, activation or kind of positions.
[[nodiscard]] core::Result<BertConfig> parse_bert_config(std::string_view bytes, const std::string& name);

// The pooling that sentence-transformers' `1_Pooling/config.json` in `model_dir` asks for; nothing when there is no such
// file. Errors: kDataLoss; kUnsupported for other poolings than CLS and mean, or several at once.
[[nodiscard]] core::Result<std::optional<Pooling>> read_pooling(const std::filesystem::path& model_dir);

}  // namespace scalestyle::nn
