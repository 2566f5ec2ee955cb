#include "nn/bert_config.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "core/files.hpp"

namespace scalestyle::nn {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20U;

core::Result<json::object> parse_object(std::string_view bytes, const std::string& name) {
  boost::system::error_code error;
  json::value value = json::parse(bytes, error);
  if (error) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: not JSON: {}", name, error.message()));
  if (!value.is_object()) return core::fail(ErrorCode::kDataLoss, name + ": not a JSON object");
  return std::move(value.get_object());
}

struct Fields {
  const json::object& object;
  const std::string& name;

  [[nodiscard]] core::Status size(std::string_view key, std::size_t maximum, std::size_t& out) const {
    const json::value* value = object.if_contains(key);
    const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
    if (number == nullptr || *number < 1 || static_cast<std::uint64_t>(*number) > maximum) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {} must be a whole number from 1 to {}", name, key, maximum));
    }
    out = static_cast<std::size_t>(*number);
    return {};
  }
  // An absent key has the value `only`.
  [[nodiscard]] core::Status exactly(std::string_view key, std::string_view only) const {
    const json::value* value = object.if_contains(key);
    if (value == nullptr) return {};
    const json::string* text = value->if_string();
    if (text == nullptr || *text != only) {
      return core::fail(ErrorCode::kUnsupported, fmt::format("{}: {} must be \"{}\"", name, key, only));
    }
    return {};
  }
};

}  // namespace

core::Result<BertConfig> parse_bert_config(std::string_view bytes, const std::string& name) {
  CORE_TRY(const json::object object, parse_object(bytes, name));
  const Fields fields{object, name};
  CORE_CHECK(fields.exactly("model_type", "bert"));
  CORE_CHECK(fields.exactly("hidden_act", "gelu"));
  CORE_CHECK(fields.exactly("position_embedding_type", "absolute"));
  BertConfig config;
  CORE_CHECK(fields.size("hidden_size", 8192, config.hidden));
  CORE_CHECK(fields.size("num_hidden_layers", 256, config.layers));
  CORE_CHECK(fields.size("num_attention_heads", 256, config.heads));
  CORE_CHECK(fields.size("intermediate_size", 32768, config.intermediate));
  CORE_CHECK(fields.size("max_position_embeddings", 65536, config.max_positions));
  CORE_CHECK(fields.size("vocab_size", 4'000'000, config.vocabulary));
  CORE_CHECK(fields.size("type_vocab_size", 64, config.token_types));
  if (config.hidden % config.heads != 0) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: hidden_size {} does not divide into {} num_attention_heads",
                                                        name, config.hidden, config.heads));
  }
  if (const json::value* epsilon = object.if_contains("layer_norm_eps")) {
    boost::system::error_code error;
    const auto value = epsilon->to_number<double>(error);
    if (error || !(value > 0) || !(value < 1)) {
      return core::fail(ErrorCode::kDataLoss, name + ": layer_norm_eps must be a number between 0 and 1");
    }
    config.layer_norm_epsilon = static_cast<float>(value);
  }
  return config;
}

core::Result<std::optional<Pooling>> read_pooling(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "1_Pooling" / "config.json";
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) return std::optional<Pooling>{};
  CORE_TRY(const std::string bytes, core::read_text_file(path, kMaxConfigBytes));
  CORE_TRY(const json::object object, parse_object(bytes, path.string()));
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
