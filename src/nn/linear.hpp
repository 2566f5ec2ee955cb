#pragma once
// y = W x (+ b) in one precision a type, over the packed weights and products of kernels/. A caller prepares the rows once
// (nothing for f32, rounding for bf16, quantisation for int8) and may then multiply them by several weights.
//
// A row of the result depends on its own row of the input only. Thread safety: packed weights are immutable; prepared
// RowBuffers may be read by several threads, each applying the weights to panels of its own.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "nn/kernels/gemm.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/layer_tensors.hpp"
#include "nn/outliers.hpp"

namespace scalestyle::nn {

// Rows in the form a product takes. Grows in reserve(), never while computing.
struct RowBuffers {
  std::optional<kernels::QuantizedRows> quantized;
  std::optional<kernels::QuantizedRows> rest;  // one row without its outliers
  std::optional<kernels::Bf16Rows> bf16;
  std::vector<Outlier> outliers;
  std::vector<std::uint32_t> columns;  // of one row's outliers
};

// What the rows are that a product is prepared for.
enum class RowKind : std::uint8_t { kHidden, kBeforeGelu, kBeforeQuickGelu };

struct LinearCall {
  // Applied before the residual is added; never asked of a type with kGeluInPrepare.
  kernels::Activation activation = kernels::Activation::kNone;
  kernels::ConstMatrix residual{};  // no data: none; may be the output itself
  kernels::PanelRange panels{};     // the output features to compute
};

class LinearF32 {
 public:
  static constexpr bool kGeluInPrepare = false;
  [[nodiscard]] static core::Result<LinearF32> pack(const LinearTensors& tensors);
  static void reserve(RowBuffers& /*buffers*/, std::size_t /*rows*/, std::size_t /*columns*/) {}
  static void prepare(const kernels::Matrix& /*values*/, RowBuffers& /*buffers*/, RowKind /*kind*/) {}
  void apply(const kernels::Matrix& values, const RowBuffers& buffers, const LinearCall& call,
             const kernels::Matrix& out) const;
  [[nodiscard]] std::size_t panels() const { return weights_.panels(); }
  [[nodiscard]] std::size_t size_bytes() const { return weights_.size_bytes(); }

 private:
  kernels::PackedF32 weights_;
  std::vector<float> bias_;
};

class LinearBf16 {
 public:
  static constexpr bool kGeluInPrepare = false;
  [[nodiscard]] static core::Result<LinearBf16> pack(const LinearTensors& tensors);
  static void reserve(RowBuffers& buffers, std::size_t rows, std::size_t columns) { buffers.bf16.emplace(rows, columns); }
  static void prepare(const kernels::Matrix& values, RowBuffers& buffers, RowKind kind);
  void apply(const kernels::Matrix& values, const RowBuffers& buffers, const LinearCall& call,
             const kernels::Matrix& out) const;
  [[nodiscard]] std::size_t panels() const { return weights_.panels(); }
  [[nodiscard]] std::size_t size_bytes() const { return weights_.size_bytes(); }

 private:
  kernels::PackedBf16 weights_;
  std::vector<float> bias_;
};

// Unsigned bytes a token times signed bytes an output feature. Values far outside their row (attention sinks: one
// channel may hold nearly the whole length of the vector) would take the scale from all others: prepare() sets them
// apart in the rows that suffer from it, and apply() adds their products in f32, by weights of 16 bits. `fine` is the
// rounding error of `coarse`, itself quantised: together 15 bits a weight, where tensors.fine asks for it.
// Measurements: docs/decisions/0003-int8-encoder.md.
class LinearInt8 {
 public:
  static constexpr bool kGeluInPrepare = true;  // the outliers' products come before it
  [[nodiscard]] static core::Result<LinearInt8> pack(const LinearTensors& tensors);
  static void reserve(RowBuffers& buffers, std::size_t rows, std::size_t columns);
  // Leaves kHidden rows as they are; others become their activation, which is what the product then takes.
  static void prepare(const kernels::Matrix& values, RowBuffers& buffers, RowKind kind);
  void apply(const kernels::Matrix& values, const RowBuffers& buffers, const LinearCall& call,
             const kernels::Matrix& out) const;
  [[nodiscard]] std::size_t panels() const { return coarse_.panels(); }
  [[nodiscard]] std::size_t size_bytes() const {
    return coarse_.size_bytes() + (fine_ ? fine_->size_bytes() : 0) + by_input_.size_bytes();
  }

 private:
  void pack_by_input(const LinearTensors& tensors);
  void add_outliers(std::span<const Outlier> outliers, kernels::PanelRange panels, const kernels::Matrix& out) const;

  kernels::PackedInt8 coarse_;
  std::optional<kernels::PackedInt8> fine_;
  kernels::AlignedBuffer by_input_;  // int16 [in][by_input_stride_]
  std::size_t by_input_stride_ = 0;
  std::vector<float> by_input_scales_;
  std::vector<float> bias_;
};

}  // namespace scalestyle::nn
