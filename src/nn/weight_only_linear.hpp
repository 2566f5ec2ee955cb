#pragma once
// y = W x + b with f32 rows and f32 sums, and weights kept as f32, as bf16 (of a bf16 checkpoint: as they are, so that the
// result is that of f32, bit for bit) or as int8 with one scale an output. The precision of a language model's products,
// where one row at a time makes the weights' size the cost.
//
// Thread safety: immutable; threads may compute panels of their own.

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "nn/kernels/gemm.hpp"
#include "nn/precision.hpp"
#include "nn/safetensors_shards.hpp"

namespace scalestyle::nn {

class WeightOnlyLinear {
 public:
  struct Shape {
    std::size_t out = 0;
    std::size_t in = 0;
  };

  // Reads `weight` [out, in] and, unless the name is empty, `bias` [out]. Errors: kDataLoss, naming the tensor.
  [[nodiscard]] static core::Result<WeightOnlyLinear> load(const SafetensorsShards& shards, const std::string& weight,
                                                           const std::string& bias, Shape shape, Precision precision);
  // What size_bytes() will be.
  [[nodiscard]] static std::size_t packed_bytes(Shape shape, Precision precision);

  // Computes 64 outputs of every row, those of one panel; `residual`, where it has data, is added. May be `out` itself.
  void apply_panel(const kernels::ConstMatrix& rows, std::size_t panel, const kernels::Matrix& out,
                   const kernels::ConstMatrix& residual = {}) const;
  [[nodiscard]] std::size_t out_features() const;
  [[nodiscard]] std::size_t panels() const;
  [[nodiscard]] std::size_t size_bytes() const;

 private:
  std::variant<kernels::PackedF32, kernels::PackedBf16, kernels::PackedInt8> weights_;
  std::vector<float> bias_;  // empty: none
};

}  // namespace scalestyle::nn
