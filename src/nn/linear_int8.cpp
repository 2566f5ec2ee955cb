#include <algorithm>
#include <cassert>
#include <cmath>

#include "nn/kernels/elementwise.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/linear.hpp"
#include "nn/outliers.hpp"

namespace scalestyle::nn {

namespace {

// A row has outliers when its mean magnitude is fewer quantisation steps than `least_mean_steps`; they are its values
// above `limit_means` times that mean. GELU leaves rows sparse, with larger values for their mean.
struct OutlierRule {
  float least_mean_steps;
  float limit_means;
};
constexpr OutlierRule kHiddenRule{16.0F, 6.0F};
constexpr OutlierRule kGeluRule{10.0F, 10.0F};

constexpr std::size_t kStrideFeatures = 64;
constexpr float kLargestInt16 = 32767.0F;

// Moves the outliers of one quantised row to buffers.outliers and quantises the rest of it again.
void take_outliers(const kernels::Matrix& values, std::size_t row, const OutlierRule& rule, RowBuffers& buffers) {
  const OutlierKernels& loops = active_outlier_kernels();
  kernels::QuantizedRows& quantized = *buffers.quantized;
  const std::uint8_t* const bytes = quantized.values() + row * quantized.stride();
  const std::uint64_t deviation = loops.deviation(bytes, values.columns, quantized.zero_points()[row]);
  const float mean_steps = static_cast<float>(deviation) / static_cast<float>(values.columns);
  if (!(mean_steps < rule.least_mean_steps)) return;
  float* const data = values.row(row);
  const float limit = rule.limit_means * mean_steps * quantized.scales()[row];
  const std::size_t count = loops.find_above(data, values.columns, limit, buffers.columns.data());
  if (count == 0) return;
  const std::size_t first = buffers.outliers.size();
  for (std::size_t index = 0; index < count; ++index) {
    const std::uint32_t column = buffers.columns[index];
    buffers.outliers.push_back({static_cast<std::uint32_t>(row), column, data[column]});
    data[column] = 0;
  }
  kernels::QuantizedRows& rest = *buffers.rest;
  kernels::quantize_rows(values.row_block(row, 1), rest);
  std::copy_n(rest.values(), rest.stride(), quantized.values() + row * quantized.stride());
  quantized.scales()[row] = rest.scales()[0];
  quantized.zero_points()[row] = rest.zero_points()[0];
  for (std::size_t index = first; index < buffers.outliers.size(); ++index) {
    data[buffers.outliers[index].column] = buffers.outliers[index].value;
  }
}

}  // namespace

const OutlierKernels& active_outlier_kernels() {
  static const OutlierKernels scalar = outlier_kernels_scalar();
#if defined(__x86_64__)
  static const OutlierKernels avx2 = outlier_kernels_avx2();
  static const OutlierKernels avx512 = outlier_kernels_avx512();
  const kernels::Isa isa = kernels::active_isa();
  if (isa >= kernels::Isa::kAvx512) return avx512;
  if (isa >= kernels::Isa::kAvx2) return avx2;
#endif
  return scalar;
}

core::Result<LinearInt8> LinearInt8::pack(const LinearTensors& tensors) {
  LinearInt8 linear;
  CORE_TRY(linear.coarse_, kernels::PackedInt8::pack(tensors.weight, tensors.out, tensors.in));
  linear.bias_ = tensors.bias;
  linear.pack_by_input(tensors);
  if (!tensors.fine) return linear;
  std::vector<float> rest(tensors.weight.size());
  for (std::size_t row = 0; row < tensors.out; ++row) {
    const float scale = linear.coarse_.scales()[row];
    for (std::size_t column = 0; column < tensors.in; ++column) {
      const std::size_t index = row * tensors.in + column;
      rest[index] = tensors.weight[index] - scale * static_cast<float>(linear.coarse_.weight_at(row, column));
    }
  }
  CORE_TRY(linear.fine_, kernels::PackedInt8::pack(rest, tensors.out, tensors.in));
  return linear;
}

void LinearInt8::pack_by_input(const LinearTensors& tensors) {
  by_input_stride_ = (tensors.out + kStrideFeatures - 1) / kStrideFeatures * kStrideFeatures;
  by_input_ = kernels::AlignedBuffer(tensors.in * by_input_stride_ * sizeof(std::int16_t));
  std::vector<float> largest(tensors.in, 1e-30F);  // its reciprocal is finite
  for (std::size_t index = 0; index < tensors.weight.size(); ++index) {
    float& column = largest[index % tensors.in];
    column = std::max(column, std::fabs(tensors.weight[index]));
  }
  by_input_scales_.resize(tensors.in);
  for (std::size_t column = 0; column < tensors.in; ++column) by_input_scales_[column] = largest[column] / kLargestInt16;
  auto* const packed = by_input_.as<std::int16_t>();
  for (std::size_t row = 0; row < tensors.out; ++row) {
    for (std::size_t column = 0; column < tensors.in; ++column) {
      const float scaled = tensors.weight[row * tensors.in + column] / largest[column] * kLargestInt16;
      packed[column * by_input_stride_ + row] = static_cast<std::int16_t>(std::nearbyint(scaled));
    }
  }
}

void LinearInt8::reserve(RowBuffers& buffers, std::size_t rows, std::size_t columns) {
  buffers.quantized.emplace(rows, columns);
  buffers.rest.emplace(1, columns);
  buffers.outliers.reserve(rows * columns);  // pages are taken as they are used: real rows need a few
  buffers.columns.resize(columns);
}

void LinearInt8::prepare(const kernels::Matrix& values, RowBuffers& buffers, RowKind kind) {
  switch (kind) {
    case RowKind::kHidden: kernels::quantize_rows(values, *buffers.quantized); break;
    case RowKind::kBeforeGelu: kernels::gelu_quantize(values, *buffers.quantized); break;
    case RowKind::kBeforeQuickGelu: kernels::quick_gelu_quantize(values, *buffers.quantized); break;
  }
  buffers.outliers.clear();
  for (std::size_t row = 0; row < values.rows; ++row) {
    take_outliers(values, row, kind == RowKind::kHidden ? kHiddenRule : kGeluRule, buffers);
  }
}

void LinearInt8::apply(const kernels::Matrix& /*values*/, const RowBuffers& buffers, const LinearCall& call,
                       const kernels::Matrix& out) const {
  assert(call.activation == kernels::Activation::kNone);
  const kernels::QuantizedView rows = buffers.quantized->view();
  const kernels::Epilogue epilogue{.bias = bias_.empty() ? nullptr : bias_.data(),
                                   .activation = kernels::Activation::kNone,
                                   .residual = call.residual.data,
                                   .residual_stride = call.residual.stride};
  kernels::gemm(rows, coarse_, epilogue, out, call.panels);
  if (fine_) {
    kernels::gemm(rows, *fine_, {.bias = nullptr, .residual = out.data, .residual_stride = out.stride}, out, call.panels);
  }
  add_outliers(buffers.outliers, call.panels, out);
}

void LinearInt8::add_outliers(std::span<const Outlier> outliers, kernels::PanelRange panels,
                              const kernels::Matrix& out) const {
  const OutlierKernels& loops = active_outlier_kernels();
  const std::size_t column = std::min(panels.first * kernels::kPanelColumns, out.columns);
  const std::size_t count = std::min(panels.count, coarse_.panels()) * kernels::kPanelColumns;
  for (std::size_t first = 0; first < outliers.size();) {
    std::size_t end = first + 1;
    while (end < outliers.size() && outliers[end].row == outliers[first].row) ++end;
    loops.add({.weights = by_input_.as<std::int16_t>() + column,
               .stride = by_input_stride_,
               .scales = by_input_scales_.data(),
               .outliers = outliers.data() + first,
               .count = end - first,
               .out = out.row(outliers[first].row) + column,
               .out_features = std::min(count, out.columns - column)});
    first = end;
  }
}

}  // namespace scalestyle::nn
