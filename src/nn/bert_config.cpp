#include "nn/bert_config.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "nn/config_fields.hpp"

namespace scalestyle::nn {

namespace json = boost::json;
using core::ErrorCode;

namespace {

core::Result<BertType> read_type(const json::object& object, const std::string& name) {
  const json::value* value = object.if_contains("model_type");
  if (value == nullptr || *value == "bert") return BertType::kBert;
  if (*value == "xlm-roberta") return BertType::kXlmRoberta;
  return core::fail(ErrorCode::kUnsupported, name + ": model_type must be \"bert\" or \"xlm-roberta\"");
}

// fairseq, where the model comes from, counts positions from the padding token's id on.
core::Status read_first_position(const json::object& object, const std::string& name, BertConfig& config) {
  std::int64_t padding = 1;
  if (const json::value* value = object.if_contains("pad_token_id")) {
    const std::int64_t* number = value->if_int64();
    if (number == nullptr || *number < 0 || static_cast<std::uint64_t>(*number) + 3 > config.max_positions) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: pad_token_id must leave room among {} positions", name,
                                                          config.max_positions));
    }
    padding = *number;
  }
  config.first_position = static_cast<std::size_t>(padding) + 1;
  return {};
}

// The value at `key`, or at `section`.`key`; null where there is none.
const json::value* find(const json::object& object, std::string_view section, std::string_view key) {
  if (section.empty()) return object.if_contains(key);
  const json::value* inside = object.if_contains(section);
  return inside == nullptr || !inside->is_object() ? nullptr : inside->get_object().if_contains(key);
}

}  // namespace

core::Result<BertConfig> parse_bert_config(std::string_view bytes, const std::string& name) {
  CORE_TRY(const json::object object, parse_config(bytes, name));
  const ConfigFields fields{object, name};
  CORE_CHECK(fields.exactly("hidden_act", "gelu"));
  CORE_CHECK(fields.exactly("position_embedding_type", "absolute"));
  BertConfig config;
  CORE_TRY(config.type, read_type(object, name));
  CORE_CHECK(fields.size("hidden_size", 8192, config.hidden));
  CORE_CHECK(fields.size("num_hidden_layers", 256, config.layers));
  CORE_CHECK(fields.size("num_attention_heads", 256, config.heads));
  CORE_CHECK(fields.size("intermediate_size", 32768, config.intermediate));
  CORE_CHECK(fields.size("max_position_embeddings", 65536, config.max_positions));
  CORE_CHECK(fields.size("vocab_size", 4'000'000, config.vocabulary));
  CORE_CHECK(fields.size("type_vocab_size", 64, config.token_types));
  if (config.type == BertType::kXlmRoberta) CORE_CHECK(read_first_position(object, name, config));
  if (config.hidden % config.heads != 0) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: hidden_size {} does not divide into {} num_attention_heads",
                                                        name, config.hidden, config.heads));
  }
  CORE_CHECK(fields.layer_norm_epsilon(config.layer_norm_epsilon));
  return config;
}

core::Result<BertConfig> read_bert_config(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "config.json";
  CORE_TRY(const std::string bytes, read_config_file(path));
  return parse_bert_config(bytes, path.string());
}

std::string_view to_string(ScoreActivation activation) {
  return activation == ScoreActivation::kSigmoid ? "sigmoid" : "identity";
}

core::Result<ScoreActivation> parse_score_activation(std::string_view bytes, const std::string& name) {
  CORE_TRY(const json::object object, parse_config(bytes, name));
  if (const json::value* labels = object.if_contains("id2label");
      labels != nullptr && labels->is_object() && labels->get_object().size() != 1) {
    return core::fail(ErrorCode::kUnsupported,
                      fmt::format("{}: id2label has {} labels; a cross-encoder that ranks has one", name,
                                  labels->get_object().size()));
  }
  const json::value* function = find(object, "sentence_transformers", "activation_fn");
  if (function == nullptr) function = find(object, "", "sbert_ce_default_activation_function");
  if (function == nullptr || function->is_null()) return ScoreActivation::kSigmoid;
  const std::string_view text = function->is_string() ? std::string_view(function->get_string()) : std::string_view();
  if (text.ends_with(".Sigmoid")) return ScoreActivation::kSigmoid;
  if (text.ends_with(".Identity")) return ScoreActivation::kIdentity;
  return core::fail(ErrorCode::kUnsupported,
                    fmt::format("{}: the activation function must be Sigmoid or Identity, not \"{}\"", name, text));
}

core::Result<ScoreActivation> read_score_activation(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "config.json";
  CORE_TRY(const std::string bytes, read_config_file(path));
  return parse_score_activation(bytes, path.string());
}

core::Result<std::optional<Pooling>> read_pooling(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "1_Pooling" / "config.json";
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) return std::optional<Pooling>{};
  CORE_TRY(const std::string bytes, read_config_file(path));
  CORE_TRY(const json::object object, parse_config(bytes, path.string()));
  std::optional<Pooling> pooling;
  std::size_t chosen = 0;
  constexpr std::string_view kPrefix = "pooling_mode_";
  for (const auto& member : object) {
    if (!std::string_view(member.key()).starts_with(kPrefix) || member.value() != json::value(true)) continue;
    ++chosen;
    if (member.key() == "pooling_mode_cls_token") pooling = Pooling::kCls;
    if (member.key() == "pooling_mode_mean_tokens") pooling = Pooling::kMean;
  }
  if (chosen != 1 || !pooling) {
    return core::fail(ErrorCode::kUnsupported,
                      path.string() + ": exactly one of pooling_mode_cls_token and pooling_mode_mean_tokens must be true");
  }
  return pooling;
}

}  // namespace scalestyle::nn
