#pragma once
// Row-wise kernels around the matrix products. All give the same bits on every instruction set: the same polynomials
// with the same fused multiply-adds, and reductions over a fixed number of virtual lanes joined in one fixed tree.
//
// Every function works on whole rows independently, allocates nothing, runs on the calling thread; in and out may be
// the same memory where both are f32. Shapes are the caller's duty (asserted).

#include <cstddef>
#include <cstdint>
#include <span>

#include "nn/kernels/matrix.hpp"

namespace scalestyle::nn::kernels {

struct LayerNormWeights {
  std::span<const float> gamma;  // [columns]
  std::span<const float> beta;   // [columns]
  float epsilon = 1e-12F;
};

// out = (x - mean) / sqrt(variance + epsilon) * gamma + beta with x = in (+ residual when its data is not null).
void layer_norm(const ConstMatrix& in, const LayerNormWeights& weights, const Matrix& out,
                const ConstMatrix& residual = {});

// layer_norm, and the same rows quantised (quantized is reshaped to out's shape).
void layer_norm_quantize(const ConstMatrix& in, const LayerNormWeights& weights, const Matrix& out,
                         QuantizedRows& quantized, const ConstMatrix& residual = {});

// out = x / sqrt(mean of squares + epsilon) * gamma. Source: Zhang and Sennrich, arXiv 1910.07467.
void rms_norm(const ConstMatrix& in, std::span<const float> gamma, float epsilon, const Matrix& out);

// values = silu(values) * factor with silu(x) = x * sigmoid(x). Source: SwiGLU, Shazeer, arXiv 2002.05202.
void silu_multiply(const Matrix& values, const ConstMatrix& factor);

// x * (1 + erf(x / sqrt 2)) / 2, absolute error below 1e-6 * max(1, |x|).
void gelu_erf(const Matrix& values);

// x * sigmoid(1.702 x), CLIP's activation.
void quick_gelu(const Matrix& values);

// Per row: scale = (max(x, 0) - min(x, 0)) / 255, zero_point = round(-min / scale),
// byte = round(x / scale) + zero_point.
// A row of zeros gets scale 1 and zero point 0. Not-a-number is left out of the range and becomes byte 0; a row with an
// infinity loses its values. Reshapes `out`.
// `channel_multiplier` (empty or [columns]) multiplies x first (see PackedInt8::pack).
void quantize_rows(const ConstMatrix& in, QuantizedRows& out, std::span<const float> channel_multiplier = {});

// The same for GELU(x) and for quick GELU(x): activation and quantisation in one pass over the row. `in` is overwritten
// with the activation.
void gelu_quantize(const Matrix& in, QuantizedRows& out);
void quick_gelu_quantize(const Matrix& in, QuantizedRows& out);

// Rounds to nearest-even bf16 and pads. Reshapes `out`.
void round_to_bf16(const ConstMatrix& in, Bf16Rows& out);

// Softmax over each row, in place.
void softmax_rows(const Matrix& values);

// Each row divided by max(its length, 1e-12), in place. Squares are summed in f32.
void l2_normalize(const Matrix& values);

// out[i] = word[token_ids[i]] + position[position_ids[i]] + type (one row, may be null). Ids must be inside the tables.
struct EmbeddingTables {
  ConstMatrix word;
  ConstMatrix position;
  const float* type_row = nullptr;  // [columns]
};
void embedding_sum(const EmbeddingTables& tables, std::span<const std::int32_t> token_ids,
                   std::span<const std::int32_t> position_ids, const Matrix& out);

}  // namespace scalestyle::nn::kernels
