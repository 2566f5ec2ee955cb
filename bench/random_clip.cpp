#include "random_clip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "ingest/models/safetensors_writer.hpp"

namespace scalestyle::bench {

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t bits() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return state_ ^ (state_ >> 29U);
  }
  // The sum of four uniform numbers is near enough, and quick.
  float normal() {
    const std::uint64_t drawn = bits();
    float sum = 0;
    for (unsigned part = 0; part < 4; ++part) sum += static_cast<float>((drawn >> (16 * part)) & 0xFFFFU);
    return (sum / 65535.0F - 2.0F) * 1.7320508F;
  }
  float uniform() { return static_cast<float>(bits() >> 40U) / 16777216.0F; }
  std::size_t below(std::size_t end) { return (bits() >> 20U) % end; }

 private:
  std::uint64_t state_;
};

constexpr std::array<std::size_t, 2> kLargeChannels{133, 405};
constexpr float kLargeValue = 20.0F;  // added to them once, in the second layer
constexpr float kLargeGamma = 0.3F;   // what LayerNorm leaves of them

class Writer {
 public:
  Writer(const ClipShape& shape, std::uint64_t seed) : shape_(shape), random_(seed) {}

  std::vector<ingest::models::F32Tensor> tensors() {
    const std::size_t size = shape_.patch_size;
    const std::size_t across = shape_.image_size / size;
    const std::size_t vision = shape_.vision.hidden;
    prefix_ = "vision_model.";
    add("embeddings.class_embedding", {vision}, 0, 0.5F);
    add("embeddings.position_embedding.weight", {across * across + 1, vision}, 0, 0.3F);
    add("embeddings.patch_embedding.weight", {vision, 3, size, size}, 0, 1 / std::sqrt(static_cast<float>(3 * size * size)));
    norm("pre_layrnorm", vision, 1);
    tower(shape_.vision);
    norm("post_layernorm", vision, 1);
    prefix_ = "text_model.";
    add("embeddings.token_embedding.weight", {shape_.vocabulary, shape_.text.hidden}, 0, 0.5F);
    add("embeddings.position_embedding.weight", {shape_.max_tokens, shape_.text.hidden}, 0, 0.2F);
    tower(shape_.text);
    norm("final_layer_norm", shape_.text.hidden, 1);
    prefix_ = "";
    weight("visual_projection", shape_.dimension, vision, 1);
    weight("text_projection", shape_.dimension, shape_.text.hidden, 1);
    return std::move(tensors_);
  }

 private:
  void tower(const ClipTowerShape& tower) {
    for (std::size_t layer = 0; layer < tower.layers; ++layer) {
      const std::string base = fmt::format("encoder.layers.{}.", layer);
      const bool large = layer > 1;
      norm(base + "layer_norm1", tower.hidden, large ? kLargeGamma : 1);
      for (const char* part : {"self_attn.q_proj", "self_attn.k_proj"}) linear(base + part, tower.hidden, tower.hidden, 1.5F);
      linear(base + "self_attn.v_proj", tower.hidden, tower.hidden, 1);
      linear(base + "self_attn.out_proj", tower.hidden, tower.hidden, 0.6F);
      norm(base + "layer_norm2", tower.hidden, large ? kLargeGamma : 1);
      linear(base + "mlp.fc1", tower.intermediate, tower.hidden, 1, -0.6F);
      linear(base + "mlp.fc2", tower.hidden, tower.intermediate, 0.8F);
      if (layer != 1) continue;
      for (const std::size_t channel : kLargeChannels) {
        if (channel < tower.hidden) tensors_.back().values[channel] += kLargeValue;
      }
    }
  }
  void add(const std::string& name, std::vector<std::uint64_t> shape, float mean, float deviation) {
    std::uint64_t count = 1;
    for (const std::uint64_t size : shape) count *= size;
    ingest::models::F32Tensor tensor{prefix_ + name, std::move(shape), std::vector<float>(count)};
    for (float& value : tensor.values) value = mean + deviation * random_.normal();
    tensors_.push_back(std::move(tensor));
  }
  void norm(const std::string& name, std::size_t width, float large_gamma) {
    add(name + ".weight", {width}, 1, 0.2F);
    for (const std::size_t channel : kLargeChannels) {
      if (channel < width) tensors_.back().values[channel] *= large_gamma;
    }
    add(name + ".bias", {width}, 0, 0.1F);
  }
  void weight(const std::string& name, std::size_t out, std::size_t in, float gain) {
    add(name + ".weight", {out, in}, 0, gain / std::sqrt(static_cast<float>(in)));
  }
  // The bias comes last.
  void linear(const std::string& name, std::size_t out, std::size_t in, float gain, float bias = 0) {
    weight(name, out, in, gain);
    add(name + ".bias", {out}, bias, 0.1F);
  }

  ClipShape shape_;
  Random random_;
  std::string prefix_;
  std::vector<ingest::models::F32Tensor> tensors_;
};

std::string tower_json(const ClipTowerShape& tower) {
  return fmt::format(R"("hidden_act":"quick_gelu","hidden_size":{},"num_hidden_layers":{},"num_attention_heads":{},)"
                     R"("intermediate_size":{},"layer_norm_eps":1e-05)",
                     tower.hidden, tower.layers, tower.heads, tower.intermediate);
}

std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0U | (code >> 6U)), static_cast<char>(0x80U | (code & 0x3FU))};
}

// Byte-level BPE writes every byte as a letter: printable ones as themselves, the others as code points from 256 on.
std::vector<std::string> byte_letters() {
  const auto printable = [](unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
  };
  std::vector<std::string> letters;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (printable(byte)) letters.push_back(utf8(byte));
  }
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!printable(byte)) letters.push_back(utf8(next++));
  }
  return letters;
}

constexpr std::size_t kAsciiLetters = 94;  // the first of byte_letters()
constexpr std::string_view kWordEnd = "</w>";

// vocab.json and merges.txt of the right size, whose merges are of letters that English text does not have: it becomes a token
// a letter.
core::Status write_tokenizer(const std::filesystem::path& folder, std::size_t vocabulary) {
  const std::vector<std::string> letters = byte_letters();
  std::vector<std::string> tokens = letters;
  for (const std::string& letter : letters) tokens.push_back(letter + std::string(kWordEnd));
  std::vector<std::string> merges;
  const std::vector<std::string> ends = tokens;
  for (std::size_t first = kAsciiLetters; first < letters.size() && tokens.size() + 2 < vocabulary; ++first) {
    for (std::size_t end = 0; end < ends.size() && tokens.size() + 2 < vocabulary; ++end) {
      merges.push_back(letters[first] + ' ' + ends[end]);
      tokens.push_back(letters[first] + ends[end]);
    }
  }
  tokens.insert(tokens.end(), {"<|startoftext|>", "<|endoftext|>"});
  std::ofstream merge_file(folder / "merges.txt");
  merge_file << "#version: 0.2\n";
  for (const std::string& merge : merges) merge_file << merge << '\n';
  std::ofstream vocabulary_file(folder / "vocab.json");
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    vocabulary_file << (id == 0 ? '{' : ',') << '"';
    for (const char letter : tokens[id]) {
      if (letter == '"' || letter == '\\') vocabulary_file << '\\';
      vocabulary_file << letter;
    }
    vocabulary_file << "\":" << id;
  }
  vocabulary_file << '}';
  if (merge_file.flush() && vocabulary_file.flush()) return {};
  return core::fail(core::ErrorCode::kUnavailable, "cannot write a tokenizer into " + folder.string());
}

}  // namespace

core::Status write_random_clip(const std::filesystem::path& folder, const ClipShape& shape, std::uint64_t seed) {
  std::ofstream(folder / "config.json") << fmt::format(
      R"({{"model_type":"clip","projection_dim":{},)"
      R"("text_config":{{{},"max_position_embeddings":{},"vocab_size":{},"bos_token_id":{},"eos_token_id":{}}},)"
      R"("vision_config":{{{},"image_size":{},"patch_size":{},"num_channels":3}}}})",
      shape.dimension, tower_json(shape.text), shape.max_tokens, shape.vocabulary, shape.vocabulary - 2, shape.vocabulary - 1,
      tower_json(shape.vision), shape.image_size, shape.patch_size);
  std::ofstream(folder / "preprocessor_config.json") << fmt::format(
      R"({{"do_resize":true,"size":{0},"resample":3,"do_center_crop":true,"crop_size":{0},"do_normalize":true,)"
      R"("image_mean":[0.48145466,0.4578275,0.40821073],"image_std":[0.26862954,0.26130258,0.27577711]}})",
      shape.image_size);
  CORE_CHECK(write_tokenizer(folder, shape.vocabulary));
  auto tensors = Writer(shape, seed).tensors();
  return ingest::models::write_safetensors(folder / "model.safetensors", tensors);
}

std::vector<float> random_pictures(std::size_t count, std::size_t size, std::uint64_t seed) {
  constexpr std::array<float, 3> kBlack{-1.79F, -1.75F, -1.48F};  // 0 and 255 as CLIP's preprocessing maps them
  constexpr std::array<float, 3> kWhite{1.93F, 2.07F, 2.15F};
  Random random(seed);
  std::vector<float> pixels(count * 3 * size * size);
  for (std::size_t picture = 0; picture < count; ++picture) {
    float* const planes = pixels.data() + picture * 3 * size * size;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      std::fill_n(planes + channel * size * size, size * size, kWhite[channel]);
    }
    for (std::size_t area = 0; area < 4; ++area) {
      const std::size_t top = random.below(size / 2);
      const std::size_t left = random.below(size / 2);
      const std::size_t bottom = top + size / 8 + random.below(size / 2 - size / 8);
      const std::size_t right = left + size / 8 + random.below(size / 2 - size / 8);
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const float shade = random.uniform();
        const float texture = 0.1F * random.uniform();
        for (std::size_t line = top; line < bottom; ++line) {
          for (std::size_t column = left; column < right; ++column) {
            const float share = std::clamp(shade + texture * random.normal(), 0.0F, 1.0F);
            planes[(channel * size + line) * size + column] = kBlack[channel] + share * (kWhite[channel] - kBlack[channel]);
          }
        }
      }
    }
  }
  return pixels;
}

std::vector<std::vector<std::int32_t>> random_token_texts(std::size_t count, std::size_t tokens, std::size_t vocabulary,
                                                          std::uint64_t seed) {
  Random random(seed);
  std::vector<std::vector<std::int32_t>> texts(count, std::vector<std::int32_t>(tokens));
  for (auto& text : texts) {
    for (auto& id : text) id = static_cast<std::int32_t>(random.below(vocabulary - 2));
    text.front() = static_cast<std::int32_t>(vocabulary - 2);
    text.back() = static_cast<std::int32_t>(vocabulary - 1);
  }
  return texts;
}

}  // namespace scalestyle::bench
