#include "runtime.hpp"

#include <sched.h>

#include <algorithm>

#include "ingest/models/model_store.hpp"
#include "nn/kernels/isa.hpp"

namespace scalestyle::app {

void show_pool(telemetry::Metrics& metrics, Compute& compute) {
  const auto queued = metrics.gauge({"scalestyle_pool_queued_jobs", "Jobs that wait for a compute thread, in all lanes."});
  const auto threads = metrics.gauge({"scalestyle_pool_threads", "Compute threads of a lane."});
  threads.set(static_cast<double>(compute.pool().threads()));
  metrics.on_render([&compute, queued] { queued.set(static_cast<double>(compute.queued())); });
}

std::size_t compute_threads(const core::Settings& settings) {
  if (const auto wanted = settings.integer("compute_threads"); wanted > 0) return static_cast<std::size_t>(wanted);
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&allowed)));
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

core::Status choose_kernels(const core::Settings& settings) { return nn::kernels::force_isa(settings.text("isa")); }

namespace {

// What the models' cards say and their weights do not.
struct ModelCard {
  std::string_view name;
  nn::Pooling pooling;
  std::string_view query_prefix;
  std::size_t dimension;
  std::size_t max_tokens;
};
constexpr ModelCard kModelCards[] = {
    {"bge-small-en-v1.5", nn::Pooling::kCls, "Represent this sentence for searching relevant passages: ", 384, 512},
    {"all-MiniLM-L6-v2", nn::Pooling::kMean, "", 384, 512},
};

core::Result<ModelCard> model_card(const core::Settings& settings) {
  const std::string& name = settings.text("model");
  const auto* found = std::ranges::find(kModelCards, name, &ModelCard::name);
  if (found != std::end(kModelCards)) return *found;
  return core::fail(core::ErrorCode::kInvalidArgument, "'" + name + "' is not a text embedding model", "model");
}

}  // namespace

core::Result<std::unique_ptr<adapters::embedded::LocalTextEncoder>> load_encoder(const core::Settings& settings,
                                                                                 const std::string& precision,
                                                                                 Compute& compute, Lane lane) {
  CORE_TRY(const auto card, model_card(settings));
  CORE_TRY(auto installed, ingest::models::open_model(settings.text("models"), card.name));
  CORE_TRY(const auto parsed_precision, nn::parse_precision(precision));
  adapters::embedded::LocalTextEncoder::Options options;
  options.model_dir = installed.folder;
  options.model_name = card.name;
  options.encoder = {.precision = parsed_precision, .pooling = card.pooling, .weights_sha256 = installed.weights_sha256};
  return adapters::embedded::LocalTextEncoder::load(options, compute.pool(lane), compute.clock());
}

core::Result<std::string> query_prefix(const core::Settings& settings) {
  CORE_TRY(const auto card, model_card(settings));
  return std::string(settings.boolean("query_prefix") ? card.query_prefix : "");
}

core::Result<std::string> model_query_prompt(const core::Settings& settings) {
  CORE_TRY(const auto card, model_card(settings));
  return std::string(card.query_prefix);
}

core::Result<std::string> text_pooling(const core::Settings& settings) {
  CORE_TRY(const auto card, model_card(settings));
  return std::string(nn::to_string(card.pooling));
}

core::Result<ports::EncoderInfo> text_model_info(const core::Settings& settings, const std::string& precision) {
  CORE_TRY(const auto card, model_card(settings));
  return ports::EncoderInfo{.model = std::string(card.name),
                            .weights_hash = {},
                            .precision = precision,
                            .dimension = card.dimension,
                            .max_tokens = card.max_tokens};
}

core::Result<std::filesystem::path> data_folder(const core::Settings& settings) {
  if (settings.is_set("data")) return std::filesystem::path(settings.text("data"));
  return core::fail(core::ErrorCode::kInvalidArgument, "--data is missing: name the folder of the catalogue's generations", "data");
}

}  // namespace scalestyle::app
