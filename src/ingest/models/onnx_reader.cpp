#include "ingest/models/onnx_reader.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <utility>

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t varint = 0;
  std::span<const std::byte> bytes;

  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// Walks the fields of one message. After an error `next` keeps returning it.
class MessageReader {
 public:
  MessageReader(std::span<const std::byte> bytes, const char* message) : bytes_(bytes), message_(message) {}

  // The next field; an empty optional at the end of the message.
  core::Result<std::optional<Field>> next() {
    if (at_ == bytes_.size()) return std::optional<Field>{};
    const auto key = varint();
    if (!key) return damaged("field key");
    Field field;
    const std::uint64_t number = *key >> 3;
    if (number == 0 || number > 536'870'911) return damaged("field number");
    field.number = static_cast<std::uint32_t>(number);
    switch (*key & 7) {
      case 0: {
        const auto value = varint();
        if (!value) return damaged("integer");
        field.varint = *value;
        return std::optional(field);
      }
      case 1: return fixed(field, WireType::kFixed64, 8);
      case 2: {
        const auto length = varint();
        if (!length || *length > bytes_.size() - at_) return damaged("length");
        return fixed(field, WireType::kBytes, *length);
      }
      case 5: return fixed(field, WireType::kFixed32, 4);
      default: return damaged("wire type");
    }
  }

 private:
  core::Result<std::optional<Field>> fixed(Field field, WireType type, std::size_t size) {
    if (bytes_.size() - at_ < size) return damaged("value");
    field.type = type;
    field.bytes = bytes_.subspan(at_, size);
    at_ += size;
    return std::optional(field);
  }

  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
      if (shift == 63 && byte > 1) return std::nullopt;
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::unexpected<core::Error> damaged(const char* what) const {
    return fail(ErrorCode::kDataLoss, fmt::format("ONNX: damaged {} at byte {} of a {}", what, at_, message_));
  }

  std::span<const std::byte> bytes_;
  const char* message_;
  std::size_t at_ = 0;
};

// Calls `visit(field)` for each field; `visit` returns a Status.
template <class Visit>
core::Status for_each_field(std::span<const std::byte> bytes, const char* message, Visit&& visit) {
  MessageReader reader(bytes, message);
  while (true) {
    auto field = reader.next();
    if (!field) return std::unexpected(std::move(field).error());
    if (!*field) return {};
    CORE_CHECK(visit(**field));
  }
}

core::Status append_dimension(OnnxTensor& tensor, std::uint64_t dimension) {
  if (dimension > std::numeric_limits<std::uint32_t>::max() || tensor.shape.size() == 8) {
    return fail(ErrorCode::kDataLoss, "ONNX: a tensor has an impossible shape");
  }
  tensor.shape.push_back(dimension);
  return {};
}

core::Status append_packed_dimensions(OnnxTensor& tensor, std::span<const std::byte> packed) {
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (const std::byte byte : packed) {
    if (shift >= 63) return fail(ErrorCode::kDataLoss, "ONNX: a tensor has an impossible shape");
    value |= (std::to_integer<std::uint64_t>(byte) & 0x7f) << shift;
    shift += 7;
    if ((byte & std::byte{0x80}) != std::byte{}) continue;
    CORE_CHECK(append_dimension(tensor, value));
    value = 0;
    shift = 0;
  }
  if (shift != 0) return fail(ErrorCode::kDataLoss, "ONNX: a tensor's shape is truncated");
  return {};
}

core::Status check_float_size(const OnnxTensor& tensor) {
  std::uint64_t size_bytes = sizeof(float);
  for (const std::uint64_t dimension : tensor.shape) {
    if (__builtin_mul_overflow(size_bytes, dimension, &size_bytes)) {
      return fail(ErrorCode::kDataLoss, fmt::format("ONNX: tensor '{}' has an impossible shape", tensor.name));
    }
  }
  if (size_bytes == tensor.raw_data.size()) return {};
  if (tensor.raw_data.empty()) {
    return fail(ErrorCode::kUnsupported, fmt::format("ONNX: tensor '{}' is not stored as raw bytes", tensor.name));
  }
  return fail(ErrorCode::kDataLoss, fmt::format("ONNX: tensor '{}' has {} bytes, its shape needs {}", tensor.name,
                                                tensor.raw_data.size(), size_bytes));
}

core::Result<OnnxTensor> read_tensor(std::span<const std::byte> bytes) {
  OnnxTensor tensor;
  bool external = false;
  CORE_CHECK(for_each_field(bytes, "TensorProto", [&](const Field& field) -> core::Status {
    switch (field.number) {
      case 1:
        return field.type == WireType::kBytes ? append_packed_dimensions(tensor, field.bytes)
                                              : append_dimension(tensor, field.varint);
      case 2: tensor.data_type = static_cast<std::int32_t>(field.varint & 0x7fffffff); break;
      case 8: tensor.name = field.text(); break;
      case 9: tensor.raw_data = field.bytes; break;
      case 14: external = field.varint == 1; break;
      default: break;
    }
    return {};
  }));
  if (external) {
    return fail(ErrorCode::kUnsupported, fmt::format("ONNX: tensor '{}' lies in another file", tensor.name));
  }
  if (tensor.data_type == kOnnxFloat32) CORE_CHECK(check_float_size(tensor));
  return tensor;
}

core::Result<OnnxNode> read_node(std::span<const std::byte> bytes) {
  OnnxNode node;
  CORE_CHECK(for_each_field(bytes, "NodeProto", [&](const Field& field) -> core::Status {
    switch (field.number) {
      case 1: node.inputs.push_back(field.text()); break;
      case 2: node.outputs.push_back(field.text()); break;
      case 4: node.op_type = field.text(); break;
      default: break;
    }
    return {};
  }));
  return node;
}

core::Status read_graph(std::span<const std::byte> bytes, OnnxGraph& graph) {
  return for_each_field(bytes, "GraphProto", [&](const Field& field) -> core::Status {
    if (field.type != WireType::kBytes) return {};
    if (field.number == 1) {
      CORE_TRY(auto node, read_node(field.bytes));
      graph.nodes.push_back(std::move(node));
    } else if (field.number == 5) {
      CORE_TRY(auto tensor, read_tensor(field.bytes));
      graph.initializers.push_back(std::move(tensor));
    }
    return {};
  });
}

core::Status read_opset(std::span<const std::byte> bytes, OnnxGraph& graph) {
  std::string_view domain;
  std::int64_t version = 0;
  CORE_CHECK(for_each_field(bytes, "OperatorSetIdProto", [&](const Field& field) -> core::Status {
    if (field.number == 1) domain = field.text();
    if (field.number == 2) version = static_cast<std::int64_t>(field.varint & 0x7fffffff);
    return {};
  }));
  if (domain.empty() || domain == "ai.onnx") graph.opset_version = version;
  return {};
}

}  // namespace

core::Result<OnnxGraph> read_onnx(std::span<const std::byte> bytes) {
  OnnxGraph graph;
  bool has_graph = false;
  CORE_CHECK(for_each_field(bytes, "ModelProto", [&](const Field& field) -> core::Status {
    if (field.type != WireType::kBytes) return {};
    if (field.number == 8) return read_opset(field.bytes, graph);
    if (field.number != 7) return {};
    has_graph = true;
    return read_graph(field.bytes, graph);
  }));
  if (!has_graph) return fail(ErrorCode::kDataLoss, "ONNX: the file holds no graph");
  return graph;
}

}  // namespace scalestyle::ingest::models
