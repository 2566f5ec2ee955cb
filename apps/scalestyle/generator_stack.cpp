#include "generator_stack.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <utility>

#include "adapters/embedded/http_client_curl.hpp"
#include "adapters/embedded/local_text_generator.hpp"
#include "adapters/remote_inference/http_text_generator.hpp"
#include "model_choice.hpp"
#include "nn/precision.hpp"

namespace scalestyle::app {

std::vector<std::string> with_generation_settings(std::vector<std::string> names) {
  constexpr std::array kNames{"generation_enabled",     "generation_model",       "generation_precision",
                              "generation_url",         "generation_max_tokens",  "generation_temperature",
                              "generation_top_p",       "generation_seed",        "generation_budget_ms"};
  names.insert(names.end(), kNames.begin(), kNames.end());
  return names;
}

core::Result<search::ReasonOptions> reason_options(const core::Settings& settings) {
  search::ReasonOptions options;
  options.max_tokens = static_cast<std::size_t>(settings.integer("generation_max_tokens"));
  options.temperature = settings.number("generation_temperature");
  options.top_p = settings.number("generation_top_p");
  options.seed = static_cast<std::uint64_t>(settings.integer("generation_seed"));
  options.budget = std::chrono::milliseconds(settings.integer("generation_budget_ms"));
  CORE_CHECK(options.validate());
  return options;
}

core::Result<std::unique_ptr<GeneratorStack>> GeneratorStack::open(const core::Settings& settings, Compute& compute,
                                                                   core::TimerQueue& timers, telemetry::Metrics& metrics) {
  std::unique_ptr<GeneratorStack> stack(new GeneratorStack);
  if (!settings.boolean("generation_enabled")) return stack;
  CORE_TRY(const auto options, reason_options(settings));
  if (settings.is_set("generation_url")) {
    CORE_CHECK(stack->open_server(settings, compute));
  } else {
    CORE_TRY(stack->generator_, load_generator(settings, compute));
  }
  stack->reasons_ = std::make_unique<search::ReasonService>(*stack->generator_, timers, metrics, options);
  return stack;
}

core::Status GeneratorStack::open_server(const core::Settings& settings, Compute& compute) {
  CORE_TRY(auto client, adapters::HttpClientCurl::create({}, compute.clock()));
  adapters::remote_inference::HttpTextGenerator::Options options;
  options.base_url = settings.text("generation_url");
  options.model = settings.text("generation_model");
  CORE_TRY(generator_, adapters::remote_inference::HttpTextGenerator::create(options, *client));
  io_ = std::jthread([transfers = client.get()](const std::stop_token& stop) { transfers->run(stop); });
  client_ = std::move(client);
  return {};
}

core::Result<std::unique_ptr<ports::TextGenerator>> load_generator(const core::Settings& settings, Compute& compute) {
  CORE_TRY(const auto chosen, choose_model(settings, "generation_model", settings.text("generation_model")));
  adapters::embedded::LocalTextGenerator::Options options;
  options.model_dir = chosen.folder;
  options.model_name = chosen.name;
  options.model.weights_sha256 = chosen.weights_sha256;
  CORE_TRY(options.model.precision, nn::parse_precision(settings.text("generation_precision")));
  CORE_TRY(const std::size_t need, adapters::embedded::LocalTextGenerator::memory_need_bytes(options));
  CORE_CHECK(check_memory("generation_enabled", chosen.name, need));
  CORE_TRY(auto generator, adapters::embedded::LocalTextGenerator::load(options, compute.pool(Lane::kRerank), compute.clock()));
  return std::unique_ptr<ports::TextGenerator>(std::move(generator));
}

}  // namespace scalestyle::app
