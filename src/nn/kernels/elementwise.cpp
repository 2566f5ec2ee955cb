#include "nn/kernels/elementwise.hpp"

#include <cassert>

#include "nn/kernels/kernel_table.hpp"

namespace scalestyle::nn::kernels {
namespace {

RowsArgs rows_args(const ConstMatrix& in, const Matrix& out) {
  assert(in.rows == out.rows && in.columns == out.columns);
  return {in.data, in.stride, out.data, out.stride, in.rows, in.columns};
}

RowsArgs input_args(const ConstMatrix& in) { return {in.data, in.stride, nullptr, 0, in.rows, in.columns}; }

QuantizeArgs quantize_args(QuantizedRows& out) {
  return {out.values(), out.stride(), out.scales(), out.zero_points()};
}

LayerNormArgs layer_norm_args(const ConstMatrix& in, const LayerNormWeights& weights, const Matrix& out,
                              const ConstMatrix& residual) {
  assert(weights.gamma.size() == in.columns && weights.beta.size() == in.columns);
  assert(residual.data == nullptr || (residual.rows == in.rows && residual.columns == in.columns));
  LayerNormArgs args{};
  args.rows = rows_args(in, out);
  args.residual = residual.data;
  args.residual_stride = residual.stride;
  args.gamma = weights.gamma.data();
  args.beta = weights.beta.data();
  args.epsilon = weights.epsilon;
  return args;
}

}  // namespace

void layer_norm(const ConstMatrix& in, const LayerNormWeights& weights, const Matrix& out,
                const ConstMatrix& residual) {
  active_kernels().layer_norm(layer_norm_args(in, weights, out, residual));
}

void layer_norm_quantize(const ConstMatrix& in, const LayerNormWeights& weights, const Matrix& out,
                         QuantizedRows& quantized, const ConstMatrix& residual) {
  LayerNormArgs args = layer_norm_args(in, weights, out, residual);
  quantized.reshape(in.rows, in.columns);
  args.quantize = quantize_args(quantized);
  active_kernels().layer_norm(args);
}

void rms_norm(const ConstMatrix& in, std::span<const float> gamma, float epsilon, const Matrix& out) {
  assert(gamma.size() == in.columns);
  active_kernels().rms_norm({rows_args(in, out), gamma.data(), epsilon});
}

void silu_multiply(const Matrix& values, const ConstMatrix& factor) {
  assert(factor.rows == values.rows && factor.columns == values.columns);
  active_kernels().silu_multiply(rows_args(values, values), factor.data, factor.stride);
}

void gelu_erf(const Matrix& values) { active_kernels().gelu(rows_args(values, values)); }

void quick_gelu(const Matrix& values) { active_kernels().quick_gelu(rows_args(values, values)); }

void quantize_rows(const ConstMatrix& in, QuantizedRows& out, std::span<const float> channel_multiplier) {
  assert(channel_multiplier.empty() || channel_multiplier.size() == in.columns);
  out.reshape(in.rows, in.columns);
  const float* multiplier = channel_multiplier.empty() ? nullptr : channel_multiplier.data();
  active_kernels().quantize(input_args(in), multiplier, quantize_args(out));
}

void gelu_quantize(const Matrix& in, QuantizedRows& out) {
  out.reshape(in.rows, in.columns);
  active_kernels().gelu_quantize(rows_args(in, in), quantize_args(out));
}

void quick_gelu_quantize(const Matrix& in, QuantizedRows& out) {
  out.reshape(in.rows, in.columns);
  active_kernels().quick_gelu_quantize(rows_args(in, in), quantize_args(out));
}

void round_to_bf16(const ConstMatrix& in, Bf16Rows& out) {
  out.reshape(in.rows, in.columns);
  active_kernels().round_to_bf16(input_args(in), out.values(), out.stride());
}

void softmax_rows(const Matrix& values) { active_kernels().softmax(rows_args(values, values)); }

void l2_normalize(const Matrix& values) { active_kernels().l2_normalize(rows_args(values, values)); }

void embedding_sum(const EmbeddingTables& tables, std::span<const std::int32_t> token_ids,
                   std::span<const std::int32_t> position_ids, const Matrix& out) {
  assert(token_ids.size() == out.rows && position_ids.size() == out.rows);
  assert(tables.word.columns == out.columns && tables.position.columns == out.columns);
  for ([[maybe_unused]] const std::int32_t id : token_ids) {
    assert(id >= 0 && static_cast<std::size_t>(id) < tables.word.rows);
  }
  for ([[maybe_unused]] const std::int32_t id : position_ids) {
    assert(id >= 0 && static_cast<std::size_t>(id) < tables.position.rows);
  }
  active_kernels().embedding_sum({tables.word.data, tables.word.stride, tables.position.data, tables.position.stride,
                                  tables.type_row, token_ids.data(), position_ids.data(), out.rows, out.columns,
                                  out.data, out.stride});
}

}  // namespace scalestyle::nn::kernels
