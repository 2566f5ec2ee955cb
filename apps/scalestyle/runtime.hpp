#pragma once
// What serve, evaluate and ingest share: the clock, the compute threads, the encoder.

#include <filesystem>
#include <memory>
#include <string>

#include "adapters/embedded/local_text_encoder.hpp"
#include "compute.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// The jobs that wait for a thread, whenever `metrics` are rendered. `compute` outlives the last render.
void show_pool(telemetry::Metrics& metrics, Compute& compute);

// `compute_threads`, or one a core this process may run on.
[[nodiscard]] std::size_t compute_threads(const core::Settings& settings);

// Applies the `isa` setting.
[[nodiscard]] core::Status choose_kernels(const core::Settings& settings);

// The encoder of the `model` setting in the given precision, computing in `lane`; verifies the weights against the model
// manifest.
[[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::LocalTextEncoder>> load_encoder(
    const core::Settings& settings, const std::string& precision, Compute& compute, Lane lane = Lane::kQuery);

// The instruction that the model's card puts before queries, where the `query_prefix` setting wants it; else empty.
[[nodiscard]] core::Result<std::string> query_prefix(const core::Settings& settings);

// That instruction whatever the setting, for who asks for it by name; empty where the card has none.
[[nodiscard]] core::Result<std::string> model_query_prompt(const core::Settings& settings);
// How the `model` makes one vector of its tokens': "cls", "mean".
[[nodiscard]] core::Result<std::string> text_pooling(const core::Settings& settings);
// What vectors of the `model` setting in that precision are, without loading it: but for the hash of its weights, which is empty.
[[nodiscard]] core::Result<ports::EncoderInfo> text_model_info(const core::Settings& settings, const std::string& precision);

// The `data` setting; kInvalidArgument when it is not set.
[[nodiscard]] core::Result<std::filesystem::path> data_folder(const core::Settings& settings);

}  // namespace scalestyle::app
