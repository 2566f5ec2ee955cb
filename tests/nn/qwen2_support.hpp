#pragma once
// The golden Qwen2 model and its chats, and copies of it that are stored differently.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "nn/safetensors.hpp"

namespace scalestyle::nn::test {

struct GoldenChat {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> greedy;  // 20 tokens
  std::vector<float> logits;         // after the prompt
};

// Throws when the file cannot be read.
[[nodiscard]] std::vector<GoldenChat> read_golden_chats(const std::filesystem::path& folder);

struct StoredTensor {
  std::string name;
  TensorType type;
  std::vector<std::uint64_t> shape;
  std::string bytes;
};

[[nodiscard]] std::vector<StoredTensor> read_tensors(const std::filesystem::path& path);
void write_tensors(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors);

}  // namespace scalestyle::nn::test
