#pragma once
// What a hub-style `config.json` says about a Qwen2 language model, checked against what this code computes.
// Source: Qwen2 technical report, arXiv 2407.10671; key names as in Hugging Face's Qwen2Config.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::nn {

struct Qwen2Config {
  std::size_t hidden = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t key_value_heads = 0;  // divides heads: each serves heads / key_value_heads of them
  std::size_t intermediate = 0;
  std::size_t max_positions = 0;
  std::size_t vocabulary = 0;
  double rope_theta = 10'000;
  float rms_norm_epsilon = 1e-6F;
  bool tied_head = false;  // the embedding table is the head's weight too

  [[nodiscard]] std::size_t head_width() const { return hidden / heads; }
  [[nodiscard]] std::size_t key_value_width() const { return key_value_heads * head_width(); }
};

// `name` is what errors call the file. Errors: kDataLoss for a damaged file or a size out of bounds; kUnsupported for
// another model type or activation, a sliding window, scaled positions, or heads whose width is no multiple of 16.
[[nodiscard]] core::Result<Qwen2Config> parse_qwen2_config(std::string_view bytes, const std::string& name);

// The same from `config.json` in `model_dir`. Also kNotFound, kResourceExhausted above 1 MiB.
[[nodiscard]] core::Result<Qwen2Config> read_qwen2_config(const std::filesystem::path& model_dir);

}  // namespace scalestyle::nn
