#pragma once
// The model that a setting names: a fetched one of the manifest, or any folder. And whether this machine has the memory.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/settings.hpp"
#include "nn/precision.hpp"

namespace scalestyle::app {

struct ChosenModel {
  std::string name;
  std::filesystem::path folder;
  std::string weights_sha256;  // of model.safetensors; empty where the folder was given by a path
};

// `model` is a name of the manifest, or a path (with a "/") to a model's folder. A model of the manifest is verified whole.
// Errors, all with `setting` as field: kNotFound and kDataLoss name the `scalestyle models fetch` command that helps.
[[nodiscard]] core::Result<ChosenModel> choose_model(const core::Settings& settings, std::string_view setting,
                                                     const std::string& model);

// Bytes that the model holds while it serves: about its weights in that precision, and room to compute in.
// `weights_bytes` and `stored_bits` (32 or 16 a weight) are of model.safetensors.
[[nodiscard]] std::uint64_t memory_need(std::uint64_t weights_bytes, unsigned stored_bits, nn::Precision precision);

// What the machine can still give; 0: not known.
[[nodiscard]] std::uint64_t available_memory();

// kResourceExhausted, field `setting`, when `need` is more than available_memory(): says both, and that `setting`=false (or a
// narrower precision) helps.
[[nodiscard]] core::Status check_memory(std::string_view setting, std::string_view model, std::uint64_t need);

}  // namespace scalestyle::app
