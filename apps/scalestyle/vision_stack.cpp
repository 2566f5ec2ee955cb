#include "vision_stack.hpp"

#include <system_error>
#include <utility>

#include "model_choice.hpp"
#include "nn/precision.hpp"

namespace scalestyle::app {

std::vector<std::string> with_vision_settings(std::vector<std::string> names) {
  for (const char* name : {"vision_enabled", "vision_model", "vision_precision"}) names.emplace_back(name);
  return names;
}

core::Result<std::unique_ptr<adapters::embedded::LocalImageEncoder>> load_image_encoder(const core::Settings& settings,
                                                                                       Compute& compute) {
  if (!settings.boolean("vision_enabled")) return nullptr;
  CORE_TRY(const auto precision, nn::parse_precision(settings.text("vision_precision")));
  CORE_TRY(auto model, choose_model(settings, "vision_model", settings.text("vision_model")));
  std::error_code error;
  const auto weights_bytes = std::filesystem::file_size(model.folder / "model.safetensors", error);
  if (!error) CORE_CHECK(check_memory("vision_enabled", model.name, memory_need(weights_bytes, 32, precision)));
  adapters::embedded::LocalImageEncoder::Options options;
  options.model_dir = std::move(model.folder);
  options.model_name = std::move(model.name);
  options.precision = precision;
  options.weights_sha256 = std::move(model.weights_sha256);
  return adapters::embedded::LocalImageEncoder::create(options, compute.pool(Lane::kPicture), compute.clock());
}

}  // namespace scalestyle::app
