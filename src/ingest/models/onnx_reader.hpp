#pragma once
// Reads the parts of an ONNX file that hold weights: the graph's nodes (operator, inputs, outputs) and its
// initialisers. A minimal protobuf reader for ModelProto, GraphProto, NodeProto, TensorProto and
// OperatorSetIdProto; every other field is skipped. Source: onnx.proto3 of ONNX 1.x.
// Every length is checked against the message that holds it; views point into the caller's bytes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::ingest::models {

inline constexpr std::int32_t kOnnxFloat32 = 1;  // TensorProto.DataType.FLOAT

struct OnnxTensor {
  std::string_view name;
  std::vector<std::uint64_t> shape;
  std::int32_t data_type = 0;
  std::span<const std::byte> raw_data;  // little-endian; size checked for kOnnxFloat32
};

struct OnnxNode {
  std::string_view op_type;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
};

struct OnnxGraph {
  std::int64_t opset_version = 0;  // of the default domain
  std::vector<OnnxNode> nodes;     // in graph order
  std::vector<OnnxTensor> initializers;
};

// `bytes` must outlive the graph. Errors: kDataLoss (damaged), kUnsupported (weights in other files, or float
// tensors not stored as raw bytes).
[[nodiscard]] core::Result<OnnxGraph> read_onnx(std::span<const std::byte> bytes);

}  // namespace scalestyle::ingest::models
