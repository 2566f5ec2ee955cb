#pragma once
// Qwen2 causal language model (Qwen2-1.5B-Instruct and others of its kind) on our own kernels: the weights. What computes
// with them is nn/qwen2_session.hpp.
//
// Precision is that of the weights alone; rows, sums and the keys and values that are kept are f32. bf16 holds a bf16
// checkpoint exactly: logits are those of f32, bit for bit, at half the memory. int8 rounds each output's weights to 255
// steps of one scale, the head included; embeddings are always read from the file as it is. The file stays mapped for them
// and gives its other pages back: what is held is weight_bytes().
// Source: Qwen2 technical report, arXiv 2407.10671; parameter names as on the hub.
//
// Thread safety: a const model is shared by threads, each with its own session.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "nn/precision.hpp"
#include "nn/qwen2_config.hpp"
#include "nn/safetensors_shards.hpp"
#include "nn/weight_only_linear.hpp"

namespace scalestyle::nn {

struct Qwen2Options {
  Precision precision = Precision::kBf16;
  // What SafetensorsShards::sha256() gives where the caller has verified the files; computed (and the files read) when empty.
  std::string weights_sha256{};
};

struct Qwen2Layer {
  std::vector<float> attention_norm;
  WeightOnlyLinear query;
  WeightOnlyLinear key;
  WeightOnlyLinear value;
  WeightOnlyLinear attention_output;
  std::vector<float> mlp_norm;
  WeightOnlyLinear gate;
  WeightOnlyLinear up;
  WeightOnlyLinear down;

  [[nodiscard]] std::size_t size_bytes() const;
};

class Qwen2Model {
 public:
  // `model_dir` holds config.json and model.safetensors, or several of them with model.safetensors.index.json. Blocking:
  // reads all weights. Errors: kNotFound, kDataLoss, kUnsupported (another architecture), naming file and key or tensor.
  [[nodiscard]] static core::Result<std::unique_ptr<const Qwen2Model>> load(const std::filesystem::path& model_dir,
                                                                            const Qwen2Options& options);
  // What weight_bytes() will be.
  [[nodiscard]] static std::size_t weight_bytes(const Qwen2Config& config, Precision precision);

  [[nodiscard]] const Qwen2Config& config() const { return config_; }
  [[nodiscard]] Precision precision() const { return precision_; }
  [[nodiscard]] const std::string& weights_hash() const { return hash_; }
  // Packed weights held in memory. All of them are read for each generated token.
  [[nodiscard]] std::size_t weight_bytes() const;
  // Multiply-adds × 2 of the matrix products of one token; the head's are needed for the last token of a prompt alone.
  [[nodiscard]] double layer_operations() const;
  [[nodiscard]] double head_operations() const;

  // For sessions. The token's row of the embedding table; ids must be inside the vocabulary.
  void embed(std::int32_t token, std::span<float> out) const;
  [[nodiscard]] const std::vector<Qwen2Layer>& layers() const { return layers_; }
  [[nodiscard]] std::span<const float> final_norm() const { return final_norm_; }
  [[nodiscard]] const WeightOnlyLinear& head() const { return head_; }

 private:
  Qwen2Model(SafetensorsShards shards, const Qwen2Config& config, const Qwen2Options& options);
  [[nodiscard]] core::Status load_weights();
  [[nodiscard]] core::Status load_embeddings();
  [[nodiscard]] core::Result<Qwen2Layer> load_layer(std::size_t index) const;

  SafetensorsShards shards_;
  Qwen2Config config_;
  Precision precision_;
  std::string hash_;
  const TensorView* embeddings_ = nullptr;  // into shards_
  std::vector<Qwen2Layer> layers_;
  std::vector<float> final_norm_;
  WeightOnlyLinear head_;
};

}  // namespace scalestyle::nn
