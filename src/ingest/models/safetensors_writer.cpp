#include "ingest/models/safetensors_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <bit>
#include <cerrno>
#include <fstream>

#include "core/files.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr std::uint64_t kDataAlignment = 64;

core::Status check(const std::vector<F32Tensor>& sorted) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const F32Tensor& tensor = sorted[i];
    if (i > 0 && sorted[i - 1].name == tensor.name) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("tensor '{}' is given twice", tensor.name));
    }
    std::uint64_t count = 1;
    for (const std::uint64_t dimension : tensor.shape) {
      if (__builtin_mul_overflow(count, dimension, &count)) count = ~std::uint64_t{0};
    }
    if (count != tensor.values.size()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("tensor '{}' has {} values, its shape needs {}", tensor.name,
                                                           tensor.values.size(), count));
    }
  }
  return {};
}

std::string header_json(const std::vector<F32Tensor>& sorted) {
  std::string json = R"({"__metadata__":{"format":"pt"})";
  std::uint64_t offset = 0;
  for (const F32Tensor& tensor : sorted) {
    const std::uint64_t end = offset + tensor.values.size() * sizeof(float);
    json += fmt::format(R"(,{}:{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})",
                        boost::json::serialize(boost::json::value(tensor.name)), fmt::join(tensor.shape, ","), offset,
                        end);
    offset = end;
  }
  json += '}';
  const std::uint64_t unpadded = sizeof(std::uint64_t) + json.size();
  json.append((kDataAlignment - unpadded % kDataAlignment) % kDataAlignment, ' ');
  return json;
}

}  // namespace

core::Status write_safetensors(const std::filesystem::path& path, std::vector<F32Tensor>& tensors) {
  std::ranges::sort(tensors, {}, &F32Tensor::name);
  CORE_CHECK(check(tensors));
  const std::string header = header_json(tensors);
  const std::uint64_t header_bytes = header.size();
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(&header_bytes), sizeof(header_bytes));
  out.write(header.data(), static_cast<std::streamsize>(header.size()));
  for (const F32Tensor& tensor : tensors) {
    out.write(reinterpret_cast<const char*>(tensor.values.data()),
              static_cast<std::streamsize>(tensor.values.size() * sizeof(float)));
  }
  out.close();
  if (!out) return std::unexpected(core::system_error("write", path, errno));
  return core::sync_file(path);
}

}  // namespace scalestyle::ingest::models
