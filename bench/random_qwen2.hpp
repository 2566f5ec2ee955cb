#pragma once
// A Qwen2 language model in the true shape of Qwen2-1.5B-Instruct with random bf16 weights, as a model folder (config.json and
// model.safetensors, 3.1 GB with all layers): what can be timed without the real weights.

#include <cstddef>
#include <filesystem>

#include "core/result.hpp"

namespace scalestyle::bench {

inline constexpr std::size_t kQwen2Layers = 28;

// The same arguments write the same bytes. A folder that is there already with so many layers is left as it is.
[[nodiscard]] core::Status write_random_qwen2(const std::filesystem::path& folder, std::size_t layers);

}  // namespace scalestyle::bench
