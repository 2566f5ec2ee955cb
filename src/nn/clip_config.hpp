#pragma once
// What a hub-style `config.json` says about a CLIP model, checked against what this code computes.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "nn/kernels/activation.hpp"
#include "nn/layer_stack.hpp"

namespace scalestyle::nn {

struct ClipTowerConfig {
  std::size_t hidden = 0;
  std::size_t layers = 12;
  std::size_t heads = 0;
  std::size_t intermediate = 0;
  float layer_norm_epsilon = 1e-5F;
  kernels::Activation activation = kernels::Activation::kQuickGelu;

  [[nodiscard]] StackShape stack_shape(bool causal, LastRows last_rows) const;
};

// What a file leaves out has the value of ViT-B/32, as the hub's library has it.
struct ClipConfig {
  ClipTowerConfig vision{.hidden = 768, .heads = 12, .intermediate = 3072};
  ClipTowerConfig text{.hidden = 512, .heads = 8, .intermediate = 2048};
  std::size_t image_size = 224;  // width and height in pixels
  std::size_t patch_size = 32;   // divides it
  std::size_t max_tokens = 77;
  std::size_t vocabulary = 49408;
  std::int32_t end_token = 49407;  // a text's vector is this token's
  std::size_t dimension = 512;     // of the space both towers end in

  [[nodiscard]] std::size_t patches() const { return (image_size / patch_size) * (image_size / patch_size); }
  [[nodiscard]] std::size_t patch_values() const { return 3 * patch_size * patch_size; }
  [[nodiscard]] std::size_t image_values() const { return 3 * image_size * image_size; }
};

// `name` is what errors call the file. Errors: kDataLoss for a damaged file or a size out of bounds; kUnsupported for
// another model type or activation, other than three channels, or patches that do not fill the picture.
[[nodiscard]] core::Result<ClipConfig> parse_clip_config(std::string_view bytes, const std::string& name);

// The same from `config.json` in `model_dir`. Also kNotFound, kResourceExhausted above 1 MiB.
[[nodiscard]] core::Result<ClipConfig> read_clip_config(const std::filesystem::path& model_dir);

}  // namespace scalestyle::nn
