#include "ingest/models/bert_conversion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstring>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;
using Shape = std::vector<std::uint64_t>;

constexpr std::string_view kWeightSuffix = ".weight";
constexpr std::string_view kBiasSuffix = ".bias";

std::map<std::string, Shape> expected_tensors(const BertShape& shape) {
  std::map<std::string, Shape> expected;
  const auto linear = [&](const std::string& prefix, std::uint64_t in, std::uint64_t out) {
    expected[prefix + ".weight"] = {out, in};
    expected[prefix + ".bias"] = {out};
  };
  const auto norm = [&](const std::string& prefix) {
    expected[prefix + ".weight"] = {shape.hidden};
    expected[prefix + ".bias"] = {shape.hidden};
  };
  expected["embeddings.word_embeddings.weight"] = {shape.vocabulary, shape.hidden};
  expected["embeddings.position_embeddings.weight"] = {shape.positions, shape.hidden};
  expected["embeddings.token_type_embeddings.weight"] = {shape.token_types, shape.hidden};
  norm("embeddings.LayerNorm");
  for (std::uint64_t index = 0; index < shape.layers; ++index) {
    const std::string layer = fmt::format("encoder.layer.{}.", index);
    for (const char* part : {"query", "key", "value"}) {
      linear(layer + "attention.self." + part, shape.hidden, shape.hidden);
    }
    linear(layer + "attention.output.dense", shape.hidden, shape.hidden);
    norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", shape.hidden, shape.intermediate);
    linear(layer + "output.dense", shape.intermediate, shape.hidden);
    norm(layer + "output.LayerNorm");
  }
  return expected;
}

// For each weight of shape [in, out] that a MatMul reads: the name `<p>.weight` that the Add after it tells.
std::unordered_map<std::string_view, std::string> names_of_linear_weights(
    const OnnxGraph& graph, const std::unordered_map<std::string_view, const OnnxTensor*>& initializers) {
  std::unordered_map<std::string_view, std::string_view> weight_of_output;
  for (const OnnxNode& node : graph.nodes) {
    if (node.op_type != "MatMul" || node.inputs.size() != 2 || node.outputs.size() != 1) continue;
    if (initializers.contains(node.inputs[1])) weight_of_output[node.outputs[0]] = node.inputs[1];
  }
  std::unordered_map<std::string_view, std::string> names;
  for (const OnnxNode& node : graph.nodes) {
    if (node.op_type != "Add" || node.inputs.size() != 2) continue;
    for (std::size_t side = 0; side < 2; ++side) {
      const std::string_view bias = node.inputs[side];
      const auto product = weight_of_output.find(node.inputs[1 - side]);
      if (product == weight_of_output.end() || !initializers.contains(bias) || !bias.ends_with(kBiasSuffix)) continue;
      std::string name(bias.substr(0, bias.size() - kBiasSuffix.size()));
      names[product->second] = name.append(kWeightSuffix);
    }
  }
  return names;
}

std::vector<float> values_of(const OnnxTensor& tensor) {
  std::vector<float> values(tensor.raw_data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data.data(), tensor.raw_data.size());
  return values;
}

// [rows, columns] to [columns, rows], in tiles that stay in the first-level cache.
std::vector<float> transposed(const std::vector<float>& values, std::size_t rows, std::size_t columns) {
  constexpr std::size_t kTile = 32;
  std::vector<float> out(values.size());
  for (std::size_t row_start = 0; row_start < rows; row_start += kTile) {
    const std::size_t row_end = std::min(rows, row_start + kTile);
    for (std::size_t column_start = 0; column_start < columns; column_start += kTile) {
      const std::size_t column_end = std::min(columns, column_start + kTile);
      for (std::size_t row = row_start; row < row_end; ++row) {
        for (std::size_t column = column_start; column < column_end; ++column) {
          out[column * rows + row] = values[row * columns + column];
        }
      }
    }
  }
  return out;
}

F32Tensor named_tensor(const OnnxTensor& tensor,
                       const std::unordered_map<std::string_view, std::string>& linear_names) {
  const auto linear = linear_names.find(tensor.name);
  if (linear == linear_names.end() || tensor.shape.size() != 2) {
    return {std::string(tensor.name), tensor.shape, values_of(tensor)};
  }
  const std::uint64_t in = tensor.shape[0];
  const std::uint64_t out = tensor.shape[1];
  return {linear->second, {out, in}, transposed(values_of(tensor), in, out)};
}

}  // namespace

core::Result<std::vector<F32Tensor>> convert_bert(const OnnxGraph& graph, const BertShape& shape) {
  std::unordered_map<std::string_view, const OnnxTensor*> initializers;
  for (const OnnxTensor& tensor : graph.initializers) initializers[tensor.name] = &tensor;
  const auto linear_names = names_of_linear_weights(graph, initializers);

  auto missing = expected_tensors(shape);
  std::vector<F32Tensor> tensors;
  tensors.reserve(missing.size());
  for (const OnnxTensor& source : graph.initializers) {
    // Scalars and integer tensors are constants of the graph, not weights.
    if (source.data_type != kOnnxFloat32 || source.shape.empty()) continue;
    const auto linear = linear_names.find(source.name);
    const std::string name = linear == linear_names.end() ? std::string(source.name) : linear->second;
    const auto expected = missing.find(name);
    if (expected == missing.end()) {
      return fail(ErrorCode::kDataLoss, fmt::format("ONNX: '{}' is given twice or is no weight of this model", name));
    }
    Shape found = source.shape;
    if (linear != linear_names.end()) std::ranges::reverse(found);
    if (found != expected->second) {
      return fail(ErrorCode::kDataLoss, fmt::format("ONNX: '{}' has shape [{}], this model needs [{}]", name,
                                                    fmt::join(found, ", "), fmt::join(expected->second, ", ")));
    }
    missing.erase(expected);
    tensors.push_back(named_tensor(source, linear_names));
  }
  if (!missing.empty()) {
    return fail(ErrorCode::kDataLoss, fmt::format("ONNX: the weight '{}' is missing ({} are)", missing.begin()->first,
                                                  missing.size()));
  }
  return tensors;
}

core::Result<BertShape> bert_shape_of_config(std::string_view config_json) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(config_json, error);
  if (error || !parsed.is_object()) return fail(ErrorCode::kDataLoss, "config.json: not a JSON object");
  const auto& object = parsed.get_object();
  BertShape shape;
  const std::pair<const char*, std::uint64_t*> keys[] = {
      {"vocab_size", &shape.vocabulary},      {"max_position_embeddings", &shape.positions},
      {"type_vocab_size", &shape.token_types}, {"hidden_size", &shape.hidden},
      {"intermediate_size", &shape.intermediate}, {"num_hidden_layers", &shape.layers},
  };
  constexpr std::int64_t kLargest = 1 << 24;
  for (const auto& [key, target] : keys) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_int64() || value->get_int64() < 1 || value->get_int64() > kLargest) {
      return fail(ErrorCode::kDataLoss, fmt::format("config.json: '{}' must be a whole number from 1", key), key);
    }
    *target = static_cast<std::uint64_t>(value->get_int64());
  }
  if (shape.layers > 1000) return fail(ErrorCode::kDataLoss, "config.json: 'num_hidden_layers' is above 1000");
  return shape;
}

}  // namespace scalestyle::ingest::models
