#pragma once
// Reader of the safetensors format (github.com/huggingface/safetensors): 8 bytes of header length, a JSON header,
// then the tensors' bytes. The file is mapped, nothing is copied; every offset is checked before it is used.
//
// Errors of open(): kNotFound; kDataLoss for anything wrong inside. Each names the file and, where there is one, the
// tensor. Thread safety: const methods on any number of threads.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/result.hpp"

namespace scalestyle::nn {

enum class TensorType : std::uint8_t { kBool, kU8, kI8, kI16, kU16, kF16, kBf16, kI32, kU32, kF32, kF64, kI64, kU64 };
[[nodiscard]] std::string_view to_string(TensorType type);
[[nodiscard]] std::size_t size_bytes(TensorType type);

[[nodiscard]] bool is_floating_point(TensorType type);  // f16, bf16, f32, f64

struct TensorView {
  TensorType type = TensorType::kF32;
  std::vector<std::uint64_t> shape;  // row-major; empty for a scalar
  std::span<const std::byte> bytes;  // valid while the file lives; aligned only as the file has it
};

// Elements first … first + out.size() of a floating-point tensor, in row-major order, as f32. Values that are not finite stay.
void read_elements(const TensorView& tensor, std::size_t first, std::span<float> out);

class SafetensorsFile {
 public:
  [[nodiscard]] static core::Result<SafetensorsFile> open(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }
  [[nodiscard]] bool contains(std::string_view name) const { return tensors_.contains(name); }
  // The tensor `name` of exactly `shape`. Errors: kDataLoss when there is none or it has another shape.
  [[nodiscard]] core::Result<const TensorView*> find(std::string_view name, std::span<const std::uint64_t> shape) const;
  // The same where it lies, as f32. Errors: kDataLoss also when it is of another type or not aligned to 4 bytes.
  [[nodiscard]] core::Result<std::span<const float>> view_f32(std::string_view name,
                                                              std::span<const std::uint64_t> shape) const;
  // The same as a copy, converted from bf16, f16 or f64 where it is one. Errors: kDataLoss, also for a value that is
  // not finite.
  [[nodiscard]] core::Result<std::vector<float>> read_f32(std::string_view name,
                                                          std::span<const std::uint64_t> shape) const;
  // Lower-case hexadecimal SHA-256 of the whole file.
  [[nodiscard]] std::string sha256() const;
  // Gives resident pages back to the system; later reads load them again from the file.
  void release_pages() const { file_.release_pages(); }

 private:
  SafetensorsFile(std::filesystem::path path, core::MappedFile file) : path_(std::move(path)), file_(std::move(file)) {}
  [[nodiscard]] core::Status parse();
  [[nodiscard]] std::unexpected<core::Error> damaged(std::string_view what) const;

  std::filesystem::path path_;
  core::MappedFile file_;
  std::map<std::string, TensorView, std::less<>> tensors_;
};

}  // namespace scalestyle::nn
