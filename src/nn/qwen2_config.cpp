#include "nn/qwen2_config.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "core/files.hpp"

namespace scalestyle::nn {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20U;

struct Fields {
  const json::object& object;
  const std::string& name;

  // Null also for a key whose value is null.
  [[nodiscard]] const json::value* find(std::string_view key) const {
    const json::value* value = object.if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  [[nodiscard]] core::Status size(std::string_view key, std::size_t maximum, std::size_t& out) const {
    const json::value* value = find(key);
    const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
    if (number == nullptr || *number < 1 || static_cast<std::uint64_t>(*number) > maximum) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {} must be a whole number from 1 to {}", name, key, maximum));
    }
    out = static_cast<std::size_t>(*number);
    return {};
  }
  // An absent key leaves `out` as it is. Both bounds are excluded.
  [[nodiscard]] core::Status number(std::string_view key, double above, double below, double& out) const {
    const json::value* value = find(key);
    if (value == nullptr) return {};
    boost::system::error_code error;
    const auto read = value->to_number<double>(error);
    if (error || !(read > above) || !(read < below)) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {} must be a number between {} and {}", name, key, above, below));
    }
    out = read;
    return {};
  }
  [[nodiscard]] core::Status flag(std::string_view key, bool& out) const {
    const json::value* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_bool()) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {} must be true or false", name, key));
    out = value->get_bool();
    return {};
  }
  [[nodiscard]] core::Status exactly(std::string_view key, std::string_view only, bool required) const {
    const json::value* value = find(key);
    if (value == nullptr && !required) return {};
    if (value == nullptr || *value != json::value(only)) {
      return core::fail(ErrorCode::kUnsupported, fmt::format("{}: {} must be \"{}\"", name, key, only));
    }
    return {};
  }
};

// `rope_theta`, or in newer files `rope_parameters` with it inside. Positions that are scaled are another computation.
core::Status read_rope(const Fields& fields, Qwen2Config& config) {
  CORE_CHECK(fields.number("rope_theta", 1, 1e12, config.rope_theta));
  for (const std::string_view key : {"rope_scaling", "rope_parameters"}) {
    const json::value* value = fields.find(key);
    if (value == nullptr) continue;
    const json::object* inside = value->if_object();
    if (inside == nullptr) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {} must be an object", fields.name, key));
    const Fields nested{*inside, fields.name};
    CORE_CHECK(nested.exactly("rope_type", "default", false));
    CORE_CHECK(nested.exactly("type", "default", false));
    CORE_CHECK(nested.number("rope_theta", 1, 1e12, config.rope_theta));
  }
  return {};
}

core::Status check_heads(const Fields& fields, const Qwen2Config& config) {
  if (config.hidden % config.heads != 0 || config.heads % config.key_value_heads != 0) {
    return core::fail(ErrorCode::kDataLoss,
                      fmt::format("{}: hidden_size {} must divide into {} num_attention_heads, and these into {} "
                                  "num_key_value_heads",
                                  fields.name, config.hidden, config.heads, config.key_value_heads));
  }
  std::size_t width = config.head_width();
  if (fields.find("head_dim") != nullptr) CORE_CHECK(fields.size("head_dim", 1024, width));
  if (width != config.head_width() || width % 16 != 0) {
    return core::fail(ErrorCode::kUnsupported,
                      fmt::format("{}: heads {} wide; hidden_size / num_attention_heads = {}, a multiple of 16, is supported",
                                  fields.name, width, config.head_width()));
  }
  return {};
}

}  // namespace

core::Result<Qwen2Config> parse_qwen2_config(std::string_view bytes, const std::string& name) {
  boost::system::error_code error;
  const json::value value = json::parse(bytes, error);
  if (error) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: not JSON: {}", name, error.message()));
  if (!value.is_object()) return core::fail(ErrorCode::kDataLoss, name + ": not a JSON object");
  const Fields fields{value.get_object(), name};
  CORE_CHECK(fields.exactly("model_type", "qwen2", true));
  CORE_CHECK(fields.exactly("hidden_act", "silu", false));
  bool sliding_window = false;
  CORE_CHECK(fields.flag("use_sliding_window", sliding_window));
  if (sliding_window) return core::fail(ErrorCode::kUnsupported, name + ": use_sliding_window must be false");
  Qwen2Config config;
  CORE_CHECK(fields.size("hidden_size", 16384, config.hidden));
  CORE_CHECK(fields.size("num_hidden_layers", 256, config.layers));
  CORE_CHECK(fields.size("num_attention_heads", 256, config.heads));
  config.key_value_heads = config.heads;
  if (fields.find("num_key_value_heads") != nullptr) {
    CORE_CHECK(fields.size("num_key_value_heads", 256, config.key_value_heads));
  }
  CORE_CHECK(fields.size("intermediate_size", 32768, config.intermediate));
  CORE_CHECK(fields.size("max_position_embeddings", 1'000'000, config.max_positions));
  CORE_CHECK(fields.size("vocab_size", 4'000'000, config.vocabulary));
  double epsilon = 1e-6;
  CORE_CHECK(fields.number("rms_norm_eps", 0, 1, epsilon));
  config.rms_norm_epsilon = static_cast<float>(epsilon);
  CORE_CHECK(fields.flag("tie_word_embeddings", config.tied_head));
  CORE_CHECK(read_rope(fields, config));
  CORE_CHECK(check_heads(fields, config));
  return config;
}

core::Result<Qwen2Config> read_qwen2_config(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "config.json";
  CORE_TRY(const std::string bytes, core::read_text_file(path, kMaxConfigBytes));
  return parse_qwen2_config(bytes, path.string());
}

}  // namespace scalestyle::nn
