#include "random_qwen2.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/files.hpp"

namespace scalestyle::bench {

namespace {

constexpr std::uint64_t kHidden = 1536;
constexpr std::uint64_t kKeyValueWidth = 256;
constexpr std::uint64_t kIntermediate = 8960;
constexpr std::uint64_t kVocabulary = 151'936;

struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  float centre = 0;
  float reach = 0;  // values are even in centre ± reach

  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t product = 1;
    for (const std::uint64_t size : shape) product *= size;
    return product;
  }
};

std::vector<Tensor> tensors(std::size_t layers) {
  std::vector<Tensor> all;
  const auto linear = [&](const std::string& name, std::uint64_t out, std::uint64_t in, bool bias) {
    all.push_back({name + ".weight", {out, in}, 0, std::sqrt(3.0F / static_cast<float>(in))});  // a deviation of 1 / root of in
    if (bias) all.push_back({name + ".bias", {out}, 0, 0.2F});
  };
  const auto norm = [&](const std::string& name) { all.push_back({name + ".weight", {kHidden}, 1, 0.2F}); };
  all.push_back({"model.embed_tokens.weight", {kVocabulary, kHidden}, 0, 0.05F});
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::string base = fmt::format("model.layers.{}.", layer);
    norm(base + "input_layernorm");
    linear(base + "self_attn.q_proj", kHidden, kHidden, true);
    linear(base + "self_attn.k_proj", kKeyValueWidth, kHidden, true);
    linear(base + "self_attn.v_proj", kKeyValueWidth, kHidden, true);
    linear(base + "self_attn.o_proj", kHidden, kHidden, false);
    norm(base + "post_attention_layernorm");
    linear(base + "mlp.gate_proj", kIntermediate, kHidden, false);
    linear(base + "mlp.up_proj", kIntermediate, kHidden, false);
    linear(base + "mlp.down_proj", kHidden, kIntermediate, false);
  }
  norm("model.norm");
  return all;
}

std::string header(const std::vector<Tensor>& all) {
  std::string text = "{";
  std::uint64_t offset = 0;
  for (const Tensor& tensor : all) {
    const std::uint64_t end = offset + 2 * tensor.count();
    text += fmt::format(R"({}"{}":{{"dtype":"BF16","shape":[{}],"data_offsets":[{},{}]}})", text.size() == 1 ? "" : ",",
                        tensor.name, fmt::join(tensor.shape, ","), offset, end);
    offset = end;
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

void write_values(std::ofstream& stream, const Tensor& tensor, std::uint64_t& state) {
  std::vector<std::uint16_t> block(std::size_t{1} << 20U);
  for (std::uint64_t left = tensor.count(); left > 0;) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size()));
    for (std::size_t i = 0; i < count; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      const float even = static_cast<float>(static_cast<std::int32_t>(state >> 32U)) * 0x1p-31F;
      block[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(tensor.centre + tensor.reach * even) >> 16U);
    }
    stream.write(static_cast<const char*>(static_cast<const void*>(block.data())), static_cast<std::streamsize>(2 * count));
    left -= count;
  }
}

std::string config(std::size_t layers) {
  return fmt::format(
      R"({{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","hidden_act":"silu","hidden_size":{},"intermediate_size":{},)"
      R"("max_position_embeddings":32768,"num_attention_heads":12,"num_hidden_layers":{},"num_key_value_heads":2,)"
      R"("rms_norm_eps":1e-06,"rope_theta":1000000.0,"tie_word_embeddings":true,"torch_dtype":"bfloat16",)"
      R"("use_sliding_window":false,"vocab_size":{}}})",
      kHidden, kIntermediate, layers, kVocabulary);
}

}  // namespace

core::Status write_random_qwen2(const std::filesystem::path& folder, std::size_t layers) {
  const auto there = core::read_text_file(folder / "config.json", std::size_t{1} << 20U);
  if (there && *there == config(layers)) return {};
  CORE_CHECK(core::make_folders(folder));
  const std::vector<Tensor> all = tensors(layers);
  const std::string head = header(all);
  const std::uint64_t length = head.size();
  std::ofstream stream(folder / "model.safetensors", std::ios::binary);
  stream.write(static_cast<const char*>(static_cast<const void*>(&length)), sizeof length);
  stream << head;
  std::uint64_t state = 1;
  for (const Tensor& tensor : all) write_values(stream, tensor, state);
  stream.close();
  if (!stream) {
    return core::fail(core::ErrorCode::kUnavailable, fmt::format("cannot write {}", (folder / "model.safetensors").string()));
  }
  // Last: a folder with it is complete.
  return core::write_file_atomically(folder / "config.json", config(layers));
}

}  // namespace scalestyle::bench
