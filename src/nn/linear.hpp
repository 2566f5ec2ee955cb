#pragma once
// y = W x + b in one precision a type, over the packed weights and products of kernels/. A caller prepares the rows once
// (nothing for f32, rounding for bf16, quantisation for int8) and may then multiply them by several weights.
//
// A row of the result depends on its own row of the input only. Thread safety: packed weights are immutable; RowBuffers
// belong to one thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "nn/bert_weights.hpp"
#include "nn/kernels/gemm.hpp"
#include "nn/kernels/matrix.hpp"

namespace scalestyle::nn {

// One value of a row that is too large to share a scale with the others; see LinearInt8.
struct Outlier {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  float value = 0;
};

// Rows in the form a product takes. Grows in reserve(), never while computing.
struct RowBuffers {
  std::optional<kernels::QuantizedRows> quantized;
  std::optional<kernels::Bf16Rows> bf16;
  std::vector<Outlier> outliers;
  std::vector<std::uint32_t> columns;  // of one row's outliers
};

struct LinearCall {
  bool gelu = false;               // applied before the residual is added; int8 takes one or the other
  kernels::ConstMatrix residual{};  // no data: none; may be the output itself
};

class LinearF32 {
 public:
  [[nodiscard]] static core::Result<LinearF32> pack(const LinearTensors& tensors);
  static void reserve(RowBuffers& /*buffers*/, std::size_t /*rows*/, std::size_t /*columns*/) {}
  static void prepare(const kernels::Matrix& /*values*/, RowBuffers& /*buffers*/) {}
  void apply(const kernels::Matrix& values, const RowBuffers& buffers, const LinearCall& call,
             const kernels::Matrix& out) const;
  [[nodiscard]] std::size_t size_bytes() const { return weights_.size_bytes(); }

 private:
  kernels::PackedF32 weights_;
  std::vector<float> bias_;
};

class LinearBf16 {
 public:
  [[nodiscard]] static core::Result<LinearBf16> pack(const LinearTensors& tensors);
  static void reserve(RowBuffers& buffers, std::size_t rows, std::size_t columns) { buffers.bf16.emplace(rows, columns); }
  static void prepare(const kernels::Matrix& values, RowBuffers& buffers);
  void apply(const kernels::Matrix& values, const RowBuffers& buffers, const LinearCall& call,
             const kernels::Matrix& out) const;
  [[nodiscard]] std::size_t size_bytes() const { return weights_.size_bytes(); }

 private:
  kernels::PackedBf16 weights_;
  std::vector<float> bias_;
};

// Unsigned bytes a token times signed bytes an output feature. Values far outside their row (attention sinks: one
// channel may hold nearly the whole length of the vector) would take the scale from all others: prepare() sets them
// apart, and apply() adds their products in f32. `fine` is the rounding error of `coarse`, itself quantised: together
// 15 bits a weight, for the outliers' products everywhere and for all products of a layer that narrows (FFN down).
// Measurements: docs/decisions/0003-int8-encoder.md.
class LinearInt8 {
 public:
  [[nodiscard]] static core::Result<LinearInt8> pack(const LinearTensors& tensors);
  static void reserve(RowBuffers& buffers, std::size_t rows, std::size_t columns);
  // Leaves `values` as they are.
  static void prepare(const kernels::Matrix& values, RowBuffers& buffers);
  void apply(const kernels::Matrix& values, const RowBuffers& buffers, const LinearCall& call,
             const kernels::Matrix& out) const;
  [[nodiscard]] std::size_t size_bytes() const { return coarse_.size_bytes() + fine_.size_bytes(); }

 private:
  void add_outliers(std::span<const Outlier> outliers, const kernels::Matrix& out) const;

  kernels::PackedInt8 coarse_;
  kernels::PackedInt8 fine_;
  std::vector<float> bias_;
  bool multiply_fine_ = false;
};

}  // namespace scalestyle::nn
