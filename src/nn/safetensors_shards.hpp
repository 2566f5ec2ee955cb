#pragma once
// A model's tensors in one safetensors file, or in several with an index that says which file has which: `model.safetensors`,
// or `model.safetensors.index.json` {"weight_map": {tensor: file}} and the files beside it. All are mapped.
//
// Errors of open(): kNotFound; kDataLoss for a damaged index or file, a file name that leads elsewhere, or a tensor that is
// not in the file it should be in. Thread safety: const methods on any number of threads.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

class SafetensorsShards {
 public:
  // The single file where there is one, else the index.
  [[nodiscard]] static core::Result<SafetensorsShards> open(const std::filesystem::path& model_dir);

  [[nodiscard]] bool contains(std::string_view name) const { return places_.contains(name); }
  // As SafetensorsFile's.
  [[nodiscard]] core::Result<const TensorView*> find(std::string_view name, std::span<const std::uint64_t> shape) const;
  [[nodiscard]] core::Result<std::vector<float>> read_f32(std::string_view name, std::span<const std::uint64_t> shape) const;

  // Of one file its SHA-256, in lower-case hexadecimal; of several that of the lines "<SHA-256>  <file name>\n" in the order
  // of their names, as sha256sum prints them.
  [[nodiscard]] std::string sha256() const;
  void release_pages() const;

 private:
  explicit SafetensorsShards(std::filesystem::path model_dir) : model_dir_(std::move(model_dir)) {}
  [[nodiscard]] core::Status open_indexed(const std::filesystem::path& index);
  [[nodiscard]] core::Result<const SafetensorsFile*> file_of(std::string_view name) const;

  std::filesystem::path model_dir_;
  std::map<std::string, SafetensorsFile, std::less<>> files_;         // by file name
  std::map<std::string, const SafetensorsFile*, std::less<>> places_;  // into files_, whose nodes stay where they are
};

}  // namespace scalestyle::nn
