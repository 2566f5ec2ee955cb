#include "ingest/models/onnx_reader.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "core/protobuf_fields.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;
using core::ProtobufField;
using core::WireType;

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
  CORE_CHECK(core::for_each_field(bytes, "ONNX TensorProto", [&](const ProtobufField& field) -> core::Status {
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
  CORE_CHECK(core::for_each_field(bytes, "ONNX NodeProto", [&](const ProtobufField& field) -> core::Status {
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
  return core::for_each_field(bytes, "ONNX GraphProto", [&](const ProtobufField& field) -> core::Status {
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
  CORE_CHECK(core::for_each_field(bytes, "ONNX OperatorSetIdProto", [&](const ProtobufField& field) -> core::Status {
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
  CORE_CHECK(core::for_each_field(bytes, "ONNX ModelProto", [&](const ProtobufField& field) -> core::Status {
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
