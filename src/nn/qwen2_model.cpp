#include "nn/qwen2_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace scalestyle::nn {

using core::ErrorCode;
using Shape = WeightOnlyLinear::Shape;

namespace {

constexpr const char* kEmbeddings = "model.embed_tokens.weight";

// Of one layer, in the order of Qwen2Layer.
std::array<Shape, 7> layer_shapes(const Qwen2Config& config) {
  return {Shape{config.hidden, config.hidden},          Shape{config.key_value_width(), config.hidden},
          Shape{config.key_value_width(), config.hidden}, Shape{config.hidden, config.hidden},
          Shape{config.intermediate, config.hidden},    Shape{config.intermediate, config.hidden},
          Shape{config.hidden, config.intermediate}};
}

}  // namespace

std::size_t Qwen2Layer::size_bytes() const {
  std::size_t total = 0;
  for (const WeightOnlyLinear* part : {&query, &key, &value, &attention_output, &gate, &up, &down}) total += part->size_bytes();
  return total;
}

Qwen2Model::Qwen2Model(SafetensorsShards shards, const Qwen2Config& config, const Qwen2Options& options)
    : shards_(std::move(shards)),
      config_(config),
      precision_(options.precision),
      hash_(options.weights_sha256.empty() ? shards_.sha256() : options.weights_sha256) {}

core::Result<std::unique_ptr<const Qwen2Model>> Qwen2Model::load(const std::filesystem::path& model_dir,
                                                                 const Qwen2Options& options) {
  CORE_TRY(const Qwen2Config config, read_qwen2_config(model_dir));
  CORE_TRY(SafetensorsShards shards, SafetensorsShards::open(model_dir));
  std::unique_ptr<Qwen2Model> model(new Qwen2Model(std::move(shards), config, options));
  CORE_CHECK(model->load_weights());
  return model;
}

core::Status Qwen2Model::load_weights() {
  CORE_CHECK(load_embeddings());
  shards_.release_pages();  // which the hash has read
  layers_.reserve(config_.layers);
  for (std::size_t index = 0; index < config_.layers; ++index) {
    CORE_TRY(Qwen2Layer layer, load_layer(index));
    layers_.push_back(std::move(layer));
    // What has been packed is not needed again; keeping it until the end would double the memory meanwhile.
    shards_.release_pages();
  }
  const std::array<std::uint64_t, 1> hidden{config_.hidden};
  CORE_TRY(final_norm_, shards_.read_f32("model.norm.weight", hidden));
  const char* const head = config_.tied_head ? kEmbeddings : "lm_head.weight";
  CORE_TRY(head_, WeightOnlyLinear::load(shards_, head, "", {config_.vocabulary, config_.hidden}, precision_));
  shards_.release_pages();  // rows of the embedding table come back as tokens use them
  return {};
}

core::Status Qwen2Model::load_embeddings() {
  const std::array<std::uint64_t, 2> shape{config_.vocabulary, config_.hidden};
  CORE_TRY(embeddings_, shards_.find(kEmbeddings, shape));
  if (!is_floating_point(embeddings_->type)) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("tensor \"{}\" is {}, a floating-point type is needed", kEmbeddings,
                                                        to_string(embeddings_->type)));
  }
  if (config_.tied_head) return {};  // its packing looks at every value
  std::vector<float> row(config_.hidden);
  for (std::size_t token = 0; token < config_.vocabulary; ++token) {
    embed(static_cast<std::int32_t>(token), row);
    if (std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) continue;
    return core::fail(ErrorCode::kDataLoss, fmt::format("tensor \"{}\": row {} has a value that is not finite; fetch the "
                                                        "model again", kEmbeddings, token));
  }
  return {};
}

core::Result<Qwen2Layer> Qwen2Model::load_layer(std::size_t index) const {
  const std::string base = fmt::format("model.layers.{}.", index);
  const auto shapes = layer_shapes(config_);
  const auto linear = [&](const char* part, Shape shape, bool has_bias) {
    const std::string name = base + part;
    return WeightOnlyLinear::load(shards_, name + ".weight", has_bias ? name + ".bias" : "", shape, precision_);
  };
  const std::array<std::uint64_t, 1> hidden{config_.hidden};
  Qwen2Layer layer;
  CORE_TRY(layer.attention_norm, shards_.read_f32(base + "input_layernorm.weight", hidden));
  CORE_TRY(layer.query, linear("self_attn.q_proj", shapes[0], true));
  CORE_TRY(layer.key, linear("self_attn.k_proj", shapes[1], true));
  CORE_TRY(layer.value, linear("self_attn.v_proj", shapes[2], true));
  CORE_TRY(layer.attention_output, linear("self_attn.o_proj", shapes[3], false));
  CORE_TRY(layer.mlp_norm, shards_.read_f32(base + "post_attention_layernorm.weight", hidden));
  CORE_TRY(layer.gate, linear("mlp.gate_proj", shapes[4], false));
  CORE_TRY(layer.up, linear("mlp.up_proj", shapes[5], false));
  CORE_TRY(layer.down, linear("mlp.down_proj", shapes[6], false));
  return layer;
}

std::size_t Qwen2Model::weight_bytes(const Qwen2Config& config, Precision precision) {
  std::size_t layer = 0;
  for (const Shape& shape : layer_shapes(config)) layer += WeightOnlyLinear::packed_bytes(shape, precision);
  return config.layers * layer + WeightOnlyLinear::packed_bytes({config.vocabulary, config.hidden}, precision);
}

std::size_t Qwen2Model::weight_bytes() const {
  std::size_t total = head_.size_bytes();
  for (const Qwen2Layer& layer : layers_) total += layer.size_bytes();
  return total;
}

double Qwen2Model::layer_operations() const {
  double weights = 0;
  for (const Shape& shape : layer_shapes(config_)) weights += static_cast<double>(shape.out) * static_cast<double>(shape.in);
  return 2 * weights * static_cast<double>(config_.layers);
}

double Qwen2Model::head_operations() const {
  return 2 * static_cast<double>(config_.vocabulary) * static_cast<double>(config_.hidden);
}

void Qwen2Model::embed(std::int32_t token, std::span<float> out) const {
  read_elements(*embeddings_, static_cast<std::size_t>(token) * config_.hidden, out);
}

}  // namespace scalestyle::nn
