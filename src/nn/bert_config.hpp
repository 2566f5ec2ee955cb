#pragma once
// What a hub-style `config.json` says about a model of the BERT family, checked against what this code computes.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "nn/bert_encoder.hpp"

namespace scalestyle::nn {

enum class BertType : std::uint8_t {
  kBert,
  kXlmRoberta,  // "xlm-roberta": the same layers; its positions begin behind the padding token's
};

struct BertConfig {
  BertType type = BertType::kBert;
  std::size_t hidden = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t intermediate = 0;
  std::size_t max_positions = 0;
  std::size_t vocabulary = 0;
  std::size_t token_types = 0;
  std::size_t first_position = 0;  // row of the position table for a text's first token
  float layer_norm_epsilon = 1e-12F;

  [[nodiscard]] std::size_t max_tokens() const { return max_positions - first_position; }
  [[nodiscard]] std::size_t head_width() const { return hidden / heads; }
};

// `name` is what errors call the file. Errors: kDataLoss for a damaged file or a size out of bounds; kUnsupported for
// another model type, activation or kind of positions.
[[nodiscard]] core::Result<BertConfig> parse_bert_config(std::string_view bytes, const std::string& name);

// The same from `config.json` in `model_dir`. Also kNotFound, kResourceExhausted above 1 MiB.
[[nodiscard]] core::Result<BertConfig> read_bert_config(const std::filesystem::path& model_dir);

// What a cross-encoder's maker applies to its output. sentence-transformers writes it into `config.json`, as
// `sentence_transformers.activation_fn` or, earlier, `sbert_ce_default_activation_function`; the sigmoid where neither is
// there.
enum class ScoreActivation : std::uint8_t { kSigmoid, kIdentity };
[[nodiscard]] std::string_view to_string(ScoreActivation activation);  // "sigmoid", "identity"
// Errors: as parse_bert_config; kUnsupported for another function, or more than one label.
[[nodiscard]] core::Result<ScoreActivation> parse_score_activation(std::string_view bytes, const std::string& name);
[[nodiscard]] core::Result<ScoreActivation> read_score_activation(const std::filesystem::path& model_dir);

// The pooling that sentence-transformers' `1_Pooling/config.json` in `model_dir` asks for; nothing when there is no such
// file. Errors: kDataLoss; kUnsupported for other poolings than CLS and mean, or several at once.
[[nodiscard]] core::Result<std::optional<Pooling>> read_pooling(const std::filesystem::path& model_dir);

}  // namespace scalestyle::nn
