// Files of weights: every tensor lies within the file and can be read whole.

#include <cstring>

#include "fuzz/memory_file.hpp"
#include "fuzz/target.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::fuzz {
namespace {

std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + header + std::string(data_bytes, '\x01');
}

void check(std::string_view bytes) {
  const MemoryFile memory(bytes);
  const auto file = nn::SafetensorsFile::open(memory.path());
  if (!file) {
    require(file.error().code == core::ErrorCode::kDataLoss && !file.error().message.empty());
    return;
  }
  for (const auto& [name, tensor] : file->tensors()) {
    std::uint64_t elements = 1;
    for (const std::uint64_t side : tensor.shape) elements *= side;
    require(elements * nn::size_bytes(tensor.type) == tensor.bytes.size() && tensor.bytes.size() <= bytes.size());
    if (!nn::is_floating_point(tensor.type)) continue;
    std::vector<float> values(elements);
    nn::read_elements(tensor, 0, values);
    static_cast<void>(file->read_f32(name, tensor.shape).has_value());
    static_cast<void>(file->view_f32(name, tensor.shape).has_value());
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {file_of(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                  R"("b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})", 16),
          file_of(R"({"h":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"e":{"dtype":"BF16","shape":[0],)"
                  R"("data_offsets":[8,8]}})", 8), file_of("{}", 0)};
}

std::vector<std::string> words() {
  return {"\"dtype\":\"F64\"", "\"dtype\":\"BF16\"", "\"shape\":[", "\"data_offsets\":[0,8]", "18446744073709551615",
          "4294967296", "-1", "1.5", "null", "{", "}"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scalestyle::fuzz::check(scalestyle::fuzz::text_of(data, size));
  return 0;
}
