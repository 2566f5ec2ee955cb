#include "nn/clip_config.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "nn/config_fields.hpp"
#include "nn/kernels/gemm.hpp"

namespace scalestyle::nn {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxImageSize = 4096;
constexpr std::size_t kMaxPatches = 4096;  // a picture's tokens; attention grows with their square

// Configurations of 2021 have an end token of 2 beside a vocabulary where that is a quotation mark; such a model ends a
// text with its last id, as the hub's library has it too.
constexpr std::int64_t kFormerEndToken = 2;

// The object at `key`; nothing where it is absent or null. Old writers repeat a section as `key`_dict, which then counts.
core::Result<const json::object*> find_section(const ConfigFields& file, const std::string& key, const json::object& empty) {
  for (const std::string& name : {key + "_dict", key}) {
    const json::value* value = file.object.if_contains(name);
    if (value == nullptr || value->is_null()) continue;
    if (!value->is_object()) return file.damaged(name, "must be an object");
    return &value->get_object();
  }
  return &empty;
}

core::Status read_activation(const ConfigFields& fields, kernels::Activation& out) {
  const json::value* value = fields.object.if_contains("hidden_act");
  if (value == nullptr) return {};
  if (*value == "quick_gelu") {
    out = kernels::Activation::kQuickGelu;
  } else if (*value == "gelu") {
    out = kernels::Activation::kGeluErf;
  } else {
    return fields.unsupported("hidden_act", "must be \"quick_gelu\" or \"gelu\"");
  }
  return {};
}

core::Status read_tower(const ConfigFields& fields, ClipTowerConfig& tower) {
  CORE_CHECK(fields.size_if_there("hidden_size", 8192, tower.hidden));
  CORE_CHECK(fields.size_if_there("num_hidden_layers", 256, tower.layers));
  CORE_CHECK(fields.size_if_there("num_attention_heads", 256, tower.heads));
  CORE_CHECK(fields.size_if_there("intermediate_size", kernels::kMaxInFeatures, tower.intermediate));
  CORE_CHECK(fields.layer_norm_epsilon(tower.layer_norm_epsilon));
  CORE_CHECK(read_activation(fields, tower.activation));
  if (tower.hidden % tower.heads != 0) {
    return fields.damaged("hidden_size",
                          fmt::format("{} does not divide into {} num_attention_heads", tower.hidden, tower.heads));
  }
  return {};
}

core::Status read_vision(const ConfigFields& fields, ClipConfig& config) {
  CORE_CHECK(read_tower(fields, config.vision));
  CORE_CHECK(fields.size_if_there("image_size", kMaxImageSize, config.image_size));
  CORE_CHECK(fields.size_if_there("patch_size", kMaxImageSize, config.patch_size));
  if (const json::value* channels = fields.object.if_contains("num_channels"); channels != nullptr && *channels != 3) {
    return fields.unsupported("num_channels", "must be 3");
  }
  if (config.image_size % config.patch_size != 0) {
    return fields.unsupported("patch_size",
                              fmt::format("{} does not divide image_size {}", config.patch_size, config.image_size));
  }
  if (config.patch_values() > kernels::kMaxInFeatures || config.patches() > kMaxPatches) {
    return fields.unsupported("patch_size", fmt::format("{} gives {} patches of {} values; at most {} of {} are computed",
                                                        config.patch_size, config.patches(), config.patch_values(),
                                                        kMaxPatches, kernels::kMaxInFeatures));
  }
  return {};
}

core::Status read_text(const ConfigFields& fields, ClipConfig& config) {
  CORE_CHECK(read_tower(fields, config.text));
  CORE_CHECK(fields.size_if_there("max_position_embeddings", 65536, config.max_tokens));
  CORE_CHECK(fields.size_if_there("vocab_size", 4'000'000, config.vocabulary));
  const auto last = static_cast<std::int64_t>(config.vocabulary) - 1;
  config.end_token = static_cast<std::int32_t>(last);
  const json::value* end = fields.object.if_contains("eos_token_id");
  if (end == nullptr || *end == kFormerEndToken) return {};
  const std::int64_t* number = end->if_int64();
  if (number == nullptr || *number < 0 || *number > last) {
    return fields.damaged("eos_token_id", fmt::format("must be a token id from 0 to {}", last));
  }
  config.end_token = static_cast<std::int32_t>(*number);
  return {};
}

}  // namespace

StackShape ClipTowerConfig::stack_shape(bool causal, LastRows last_rows) const {
  return {.layers = layers,
          .hidden = hidden,
          .heads = heads,
          .intermediate = intermediate,
          .norm = NormPlace::kBefore,
          .activation = activation,
          .causal = causal,
          .last_rows = last_rows};
}

core::Result<ClipConfig> parse_clip_config(std::string_view bytes, const std::string& name) {
  CORE_TRY(const json::object object, parse_config(bytes, name));
  const ConfigFields file{object, name};
  if (!object.contains("model_type")) return file.unsupported("model_type", "is missing; it must be \"clip\"");
  CORE_CHECK(file.exactly("model_type", "clip"));
  ClipConfig config;
  CORE_CHECK(file.size_if_there("projection_dim", 8192, config.dimension));
  const json::object empty;
  CORE_TRY(const json::object* const vision, find_section(file, "vision_config", empty));
  CORE_TRY(const json::object* const text, find_section(file, "text_config", empty));
  CORE_CHECK(read_vision({*vision, name, "vision_config"}, config));
  CORE_CHECK(read_text({*text, name, "text_config"}, config));
  return config;
}

core::Result<ClipConfig> read_clip_config(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "config.json";
  CORE_TRY(const std::string bytes, read_config_file(path));
  return parse_clip_config(bytes, path.string());
}

}  // namespace scalestyle::nn
