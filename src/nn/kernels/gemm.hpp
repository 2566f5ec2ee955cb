#pragma once
// Matrix products against weights packed once: C[rows, out] = A[rows, in] * W^T, W row-major [out, in] as checkpoints
// store it, with bias, activation and residual fused.
//
// Determinism: an output element depends only on its own row of A, its own row of W and its epilogue operands; never
// on the number of rows, the row's position, the panels asked for, threads, or the instruction set. f32 accumulates
// k = 0, 1, ... with one fused multiply-add each. int8 accumulates exact integers. bf16 is the exception: software,
// AVX512-BF16 and AMX-BF16 order their sums differently and agree to 1e-5 * sum|a*w| per element; on one instruction
// set bf16 is as independent of batch mates as the others.
//
// Threads: a call runs on the calling thread and allocates nothing. Packed weights are immutable and may be shared.
// Shapes are the caller's duty (asserted); weights are checked when packed.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "core/result.hpp"
#include "nn/kernels/activation.hpp"
#include "nn/kernels/matrix.hpp"

namespace scalestyle::nn::kernels {

inline constexpr std::size_t kPanelColumns = 64;      // output features in one packed panel
inline constexpr std::size_t kMaxInFeatures = 32768;  // int8 sums stay well inside 32 bits

// Packing errors: invalid_argument when weights.size() != out * in, a size is zero or above the bound, or a weight is
// not finite (the message names row and column).
class PackedF32 {
 public:
  static core::Result<PackedF32> pack(std::span<const float> weights, std::size_t out_features, std::size_t in_features);
  [[nodiscard]] std::size_t out_features() const { return out_; }
  [[nodiscard]] std::size_t in_features() const { return in_; }
  [[nodiscard]] std::size_t panels() const { return (out_ + kPanelColumns - 1) / kPanelColumns; }
  [[nodiscard]] std::size_t size_bytes() const { return buffer_.size_bytes(); }
  [[nodiscard]] const float* panel(std::size_t index) const { return buffer_.as<float>() + index * in_ * kPanelColumns; }

 private:
  std::size_t out_ = 0;
  std::size_t in_ = 0;
  AlignedBuffer buffer_;  // [panel][k][64]
};

// Weights rounded to nearest-even bf16.
class PackedBf16 {
 public:
  static core::Result<PackedBf16> pack(std::span<const float> weights, std::size_t out_features, std::size_t in_features);
  // From little-endian bf16 numbers, 2 bytes a weight, as they are.
  static core::Result<PackedBf16> pack_bf16(std::span<const std::byte> weights, std::size_t out_features,
                                            std::size_t in_features);
  [[nodiscard]] std::size_t out_features() const { return out_; }
  [[nodiscard]] std::size_t in_features() const { return in_; }
  [[nodiscard]] std::size_t padded_in() const { return (in_ + 31) / 32 * 32; }
  [[nodiscard]] std::size_t panels() const { return (out_ + kPanelColumns - 1) / kPanelColumns; }
  [[nodiscard]] std::size_t size_bytes() const { return buffer_.size_bytes(); }
  [[nodiscard]] const std::uint16_t* panel(std::size_t index) const {
    return buffer_.as<std::uint16_t>() + index * padded_in() * kPanelColumns;
  }

 private:
  std::size_t out_ = 0;
  std::size_t in_ = 0;
  AlignedBuffer buffer_;  // [panel][k/2][64][2]: also an AMX tile with a stride of 256 bytes
};

// Signed bytes with one symmetric scale an output feature (largest magnitude -> 127).
class PackedInt8 {
 public:
  // `input_scale` (empty, or one positive number an input feature) multiplies the weights' columns before they are
  // quantised; the activations must then be divided by it (fold 1/input_scale into the preceding LayerNorm, or pass it
  // to quantize_rows). Source: SmoothQuant, arXiv 2211.10438.
  static core::Result<PackedInt8> pack(std::span<const float> weights, std::size_t out_features, std::size_t in_features,
                                       std::span<const float> input_scale = {});
  // From little-endian bf16 numbers, 2 bytes a weight, with no copy of them all as f32.
  static core::Result<PackedInt8> pack_bf16(std::span<const std::byte> weights, std::size_t out_features,
                                            std::size_t in_features);
  [[nodiscard]] std::size_t out_features() const { return out_; }
  [[nodiscard]] std::size_t in_features() const { return in_; }
  [[nodiscard]] std::size_t padded_in() const { return (in_ + 63) / 64 * 64; }
  [[nodiscard]] std::size_t panels() const { return (out_ + kPanelColumns - 1) / kPanelColumns; }
  [[nodiscard]] std::size_t size_bytes() const { return buffer_.size_bytes(); }
  [[nodiscard]] const std::int8_t* panel(std::size_t index) const {
    return buffer_.as<std::int8_t>() + index * padded_in() * kPanelColumns;
  }
  [[nodiscard]] const float* scales() const { return scales_.as<float>(); }                      // [panels * 64]
  [[nodiscard]] const std::int32_t* column_sums() const { return sums_.as<std::int32_t>(); }     // [panels * 64]
  // One quantised weight. The layout is private to the kernels: others read weights through this, at load time.
  [[nodiscard]] std::int8_t weight_at(std::size_t out_feature, std::size_t in_feature) const;

 private:
  template <class FillRow>
  static core::Result<PackedInt8> pack_rows(std::size_t out_features, std::size_t in_features, const FillRow& fill_row);

  std::size_t out_ = 0;
  std::size_t in_ = 0;
  AlignedBuffer buffer_;  // [panel][k/4][64][4]: also an AMX tile with a stride of 256 bytes
  AlignedBuffer scales_;
  AlignedBuffer sums_;  // of the quantised weights, for the activations' zero points
};

// c = activation(product + bias) + residual. Null pointers leave a step out.
struct Epilogue {
  const float* bias = nullptr;  // [out]
  Activation activation = Activation::kNone;
  const float* residual = nullptr;  // [rows, out]; may be the output itself
  std::size_t residual_stride = 0;
};

// Which panels (64 output columns each) to compute, for splitting one product over threads.
struct PanelRange {
  std::size_t first = 0;
  std::size_t count = std::numeric_limits<std::size_t>::max();  // clipped to the end
};

void gemm(const ConstMatrix& a, const PackedF32& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels = {});
void gemm(const Bf16View& a, const PackedBf16& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels = {});
// Weights alone are narrow: each is widened to f32, exactly, where it is multiplied, and f32 rows are accumulated in f32,
// k = 0, 1, ... with one fused multiply-add each; int8 sums are multiplied by the column's scale at the end. With bf16
// these are the bits of the f32 product of the same weights, on every instruction set. For a row or a few, which is how
// a language model generates: then the weights' way from memory is all that takes time.
void gemm(const ConstMatrix& a, const PackedBf16& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels = {});
void gemm(const ConstMatrix& a, const PackedInt8& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels = {});
void gemm(const QuantizedView& a, const PackedInt8& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels = {});

// Rows worth handing to one call when the caller goes on with the result row by row (LayerNorm, quantisation): enough
// to amortise reading the weights, few enough for the result to stay in the second-level cache.
[[nodiscard]] std::size_t preferred_row_block(std::size_t in_features, std::size_t out_features);

}  // namespace scalestyle::nn::kernels
