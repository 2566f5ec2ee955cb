#pragma once
// Turns an ONNX export of a BERT encoder into the tensors of the original checkpoint, bit for bit.
// Exporters keep the names of embeddings, layer norms and biases, but fold each linear weight into an anonymous
// `onnx::MatMul_n` of shape [in, out]. In Add(p.bias, MatMul(x, W)) the transpose of W is `p.weight` [out, in].

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ingest/models/onnx_reader.hpp"
#include "ingest/models/safetensors_writer.hpp"

namespace scalestyle::ingest::models {

struct BertShape {
  std::uint64_t vocabulary = 0;
  std::uint64_t positions = 0;
  std::uint64_t token_types = 0;
  std::uint64_t hidden = 0;
  std::uint64_t intermediate = 0;
  std::uint64_t layers = 0;
};

// Exactly the tensors of a BERT encoder of `shape`, without prefix and without pooler (the exports have none).
// Errors: kDataLoss naming the tensor that is missing, twice, unnamed or of another shape.
[[nodiscard]] core::Result<std::vector<F32Tensor>> convert_bert(const OnnxGraph& graph, const BertShape& shape);

// The shape that a BERT config.json tells. Errors: kDataLoss, naming the key at fault.
[[nodiscard]] core::Result<BertShape> bert_shape_of_config(std::string_view config_json);

}  // namespace scalestyle::ingest::models
