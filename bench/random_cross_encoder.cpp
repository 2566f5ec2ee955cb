#include "random_cross_encoder.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <utility>

#include "ingest/models/safetensors_writer.hpp"
#include "nn/bert_config.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::bench {

namespace {

constexpr std::size_t kVocabulary = 30'522;
constexpr std::size_t kPositions = 514;
constexpr std::size_t kFirstWord = 5;  // below lie control tokens
// Real texts have none of the words. A WordPiece vocabulary makes each of them one unknown token; SentencePiece joins all that is
// unknown in a row into one, so pairs would be much too short. A word that begins with one of these is two tokens, others join the one
// before: a query of four words with the text of an H&M article has 55 tokens, as chosen on these texts (about 60 are expected).
constexpr std::string_view kInitials = "bcdfhlmprstwBCDFHLMPRSTW";

std::size_t vocabulary_of(const CrossEncoderShape& shape) { return kVocabulary + (shape.xlm_roberta ? kInitials.size() : 0); }

class Normal {
 public:
  explicit Normal(std::uint64_t seed) : state_(seed * 2 + 1) {}
  // The sum of four uniform numbers is near enough, and quick.
  float next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t bits = state_ ^ (state_ >> 29U);
    float sum = 0;
    for (unsigned part = 0; part < 4; ++part) sum += static_cast<float>((bits >> (16 * part)) & 0xFFFFU);
    return (sum / 65535.0F - 2.0F) * 1.7320508F;
  }

 private:
  std::uint64_t state_;
};

class Writer {
 public:
  Writer(const CrossEncoderShape& shape, float gain)
      : shape_(shape), gain_(gain), prefix_(shape.xlm_roberta ? "roberta." : "bert.") {}

  std::vector<ingest::models::F32Tensor> tensors() {
    const std::size_t hidden = shape_.hidden;
    table("embeddings.word_embeddings", vocabulary_of(shape_));
    table("embeddings.position_embeddings", kPositions);
    table("embeddings.token_type_embeddings", shape_.xlm_roberta ? 1 : 2);
    norm("embeddings.LayerNorm");
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
      const std::string base = fmt::format("encoder.layer.{}.", layer);
      for (const char* part : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}) {
        linear(prefix_ + base + part, hidden, hidden);
      }
      norm(base + "attention.output.LayerNorm");
      linear(prefix_ + base + "intermediate.dense", shape_.intermediate, hidden);
      linear(prefix_ + base + "output.dense", hidden, shape_.intermediate);
      norm(base + "output.LayerNorm");
    }
    linear(shape_.xlm_roberta ? "classifier.dense" : prefix_ + "pooler.dense", hidden, hidden);
    linear(shape_.xlm_roberta ? "classifier.out_proj" : "classifier", 1, hidden);
    return std::move(tensors_);
  }

 private:
  void add(const std::string& name, std::vector<std::uint64_t> shape, float mean, float deviation) {
    std::uint64_t count = 1;
    for (const std::uint64_t size : shape) count *= size;
    ingest::models::F32Tensor tensor{name, std::move(shape), std::vector<float>(count)};
    for (float& value : tensor.values) value = mean + deviation * random_.next();
    tensors_.push_back(std::move(tensor));
  }
  void table(const std::string& name, std::size_t rows) { add(prefix_ + name + ".weight", {rows, shape_.hidden}, 0, 0.5F); }
  void norm(const std::string& name) {
    add(prefix_ + name + ".weight", {shape_.hidden}, 1, 0.2F);
    add(prefix_ + name + ".bias", {shape_.hidden}, 0, 0.2F);
  }
  void linear(const std::string& name, std::size_t out, std::size_t in) {
    add(name + ".weight", {out, in}, 0, gain_ / std::sqrt(static_cast<float>(in)));
    add(name + ".bias", {out}, 0, 0.1F);
  }

  CrossEncoderShape shape_;
  float gain_;
  std::string prefix_;
  Normal random_{7};
  std::vector<ingest::models::F32Tensor> tensors_;
};

std::string varint(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>(value | 0x80U);
  return bytes + static_cast<char>(value);
}

// A SentencePiece model of whole words, and initials.
std::string sentencepiece_model() {
  std::string model;
  const auto piece = [&model](const std::string& text, char kind) {
    std::string message = "\x0A" + varint(text.size()) + text;
    message += std::string("\x15\x00\x00\x80\xBF\x18", 6) + kind;  // the score -1
    model += "\x0A" + varint(message.size()) + message;
  };
  piece("<unk>", 2);
  piece("<s>", 3);
  piece("</s>", 3);
  for (std::size_t word = 0; word + kFirstWord < kVocabulary; ++word) piece(fmt::format("\xE2\x96\x81w{}", word), 1);
  for (const char initial : kInitials) piece(fmt::format("\xE2\x96\x81{}", initial), 1);
  return model;
}

std::string word_list() {
  std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (std::size_t word = 0; word + kFirstWord < kVocabulary; ++word) words += fmt::format("w{}\n", word);
  return words;
}

}  // namespace

core::Status write_random_cross_encoder(const std::filesystem::path& folder, const CrossEncoderShape& shape, float gain) {
  std::ofstream(folder / "config.json") << fmt::format(
      R"({{"model_type":"{}","hidden_act":"gelu","hidden_size":{},"num_hidden_layers":{},"num_attention_heads":{},)"
      R"("intermediate_size":{},"max_position_embeddings":{},"vocab_size":{},"type_vocab_size":{},"pad_token_id":{},)"
      R"("layer_norm_eps":1e-12,"id2label":{{"0":"LABEL_0"}}}})",
      shape.xlm_roberta ? "xlm-roberta" : "bert", shape.hidden, shape.layers, shape.heads, shape.intermediate, kPositions,
      vocabulary_of(shape), shape.xlm_roberta ? 1 : 2, shape.xlm_roberta ? 1 : 0);
  if (shape.xlm_roberta) {
    std::ofstream(folder / "sentencepiece.bpe.model", std::ios::binary) << sentencepiece_model();
  } else {
    std::ofstream(folder / "vocab.txt") << word_list();
  }
  auto tensors = Writer(shape, gain).tensors();
  return ingest::models::write_safetensors(folder / "model.safetensors", tensors);
}

core::Status write_random_head(const std::filesystem::path& folder, const std::filesystem::path& encoder_dir,
                               std::size_t seed) {
  for (const char* file : {"config.json", "tokenizer.json"}) {
    std::filesystem::copy_file(encoder_dir / file, folder / file, std::filesystem::copy_options::overwrite_existing);
  }
  CORE_TRY(const nn::BertConfig config, nn::read_bert_config(encoder_dir));
  CORE_TRY(const nn::SafetensorsFile file, nn::SafetensorsFile::open(encoder_dir / "model.safetensors"));
  std::vector<ingest::models::F32Tensor> tensors;
  for (const auto& [name, tensor] : file.tensors()) {
    if (tensor.type != nn::TensorType::kF32 || name.starts_with("pooler.")) continue;
    CORE_TRY(auto values, file.read_f32(name, tensor.shape));
    tensors.push_back({name, tensor.shape, std::move(values)});
  }
  Normal random(seed);
  const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape, float deviation) {
    std::uint64_t count = 1;
    for (const std::uint64_t size : shape) count *= size;
    ingest::models::F32Tensor tensor{name, std::move(shape), std::vector<float>(count)};
    for (float& value : tensor.values) value = deviation * random.next();
    tensors.push_back(std::move(tensor));
  };
  const std::uint64_t hidden = config.hidden;
  const float deviation = 1 / std::sqrt(static_cast<float>(hidden));
  add("pooler.dense.weight", {hidden, hidden}, deviation);
  add("pooler.dense.bias", {hidden}, deviation);
  add("classifier.weight", {1, hidden}, deviation);
  add("classifier.bias", {1}, deviation);
  return ingest::models::write_safetensors(folder / "model.safetensors", tensors);
}

std::string random_words(std::size_t words, std::size_t seed) {
  std::string text;
  std::uint64_t state = seed * 2654435761U + 99;
  for (std::size_t word = 0; word < words; ++word) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += fmt::format("w{} ", (state >> 33U) % (kVocabulary - kFirstWord));
  }
  return text;
}

}  // namespace scalestyle::bench
