#pragma once
// Writes f32 tensors as one safetensors file. The bytes depend on the tensors alone: they are laid out in the
// order of their names, and the header is padded with spaces so that the data starts on a 64-byte boundary.
// Source: the format section of the safetensors README (8-byte little-endian header length, JSON, data).

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::ingest::models {

struct F32Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;  // row-major, product of shape
};

// Writes `path` anew (not atomically; the caller renames) and syncs it to disk. Sorts `tensors` by name.
// Errors: kInvalidArgument (a name twice, a size that is not the shape's), kUnavailable (disk).
[[nodiscard]] core::Status write_safetensors(const std::filesystem::path& path, std::vector<F32Tensor>& tensors);

}  // namespace scalestyle::ingest::models
