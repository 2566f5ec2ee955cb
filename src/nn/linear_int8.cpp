#include <cassert>
#include <cmath>

#include "nn/kernels/elementwise.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/linear.hpp"
#include "nn/outliers.hpp"

namespace scalestyle::nn {

namespace {

constexpr std::size_t kPanelColumns = kernels::kPanelColumns;
constexpr std::size_t kGroup = 4;  // consecutive inputs that lie side by side in a packed panel

// An outlier is above this many root mean squares of its row.
constexpr float kOutlierRms = 5.0F;
// There cannot be more than 1 / 25 of the row's columns; rows of real texts have 2 to 5.
constexpr std::size_t max_outliers(std::size_t columns) { return columns / 25 + 1; }

// Moves the outliers of one row to buffers.outliers and leaves zeros.
void take_outliers(const kernels::Matrix& values, std::size_t row, const OutlierKernels& loops, RowBuffers& buffers) {
  float* const data = values.row(row);
  const RowShape shape = loops.row_shape(data, values.columns);
  const float limit = kOutlierRms * std::sqrt(shape.sum_of_squares / static_cast<float>(values.columns));
  if (!(shape.largest > limit)) return;
  const std::size_t count = loops.find_above(data, values.columns, limit, buffers.columns.data());
  for (std::size_t index = 0; index < count; ++index) {
    const std::uint32_t column = buffers.columns[index];
    buffers.outliers.push_back({static_cast<std::uint32_t>(row), column, data[column]});
    data[column] = 0;
  }
}

std::int8_t packed_at(const kernels::PackedInt8& packed, std::size_t row, std::size_t column) {
  const std::int8_t* const panel = packed.panel(row / kPanelColumns);
  return panel[(column / kGroup * kPanelColumns + row % kPanelColumns) * kGroup + column % kGroup];
}

OutlierColumn columns_of(const kernels::PackedInt8& packed) {
  return {packed.panel(0), packed.padded_in() * kPanelColumns, packed.scales()};
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
  std::vector<float> rest(tensors.weight.size());
  for (std::size_t row = 0; row < tensors.out; ++row) {
    const float scale = linear.coarse_.scales()[row];
    for (std::size_t column = 0; column < tensors.in; ++column) {
      const std::size_t index = row * tensors.in + column;
      rest[index] = tensors.weight[index] - scale * static_cast<float>(packed_at(linear.coarse_, row, column));
    }
  }
  CORE_TRY(linear.fine_, kernels::PackedInt8::pack(rest, tensors.out, tensors.in));
  linear.bias_ = tensors.bias;
  linear.multiply_fine_ = tensors.in > tensors.out;
  return linear;
}

void LinearInt8::reserve(RowBuffers& buffers, std::size_t rows, std::size_t columns) {
  buffers.quantized.emplace(rows, columns);
  buffers.outliers.reserve(rows * max_outliers(columns));
  buffers.columns.resize(columns);
}

void LinearInt8::prepare(const kernels::Matrix& values, RowBuffers& buffers) {
  const OutlierKernels& loops = active_outlier_kernels();
  buffers.outliers.clear();
  for (std::size_t row = 0; row < values.rows; ++row) take_outliers(values, row, loops, buffers);
  kernels::quantize_rows(values, *buffers.quantized);
  for (const Outlier& outlier : buffers.outliers) values.row(outlier.row)[outlier.column] = outlier.value;
}

void LinearInt8::apply(const kernels::Matrix& /*values*/, const RowBuffers& buffers, const LinearCall& call,
                       const kernels::Matrix& out) const {
  assert(!call.gelu || call.residual.data == nullptr);
  const kernels::QuantizedView rows = buffers.quantized->view();
  const kernels::Epilogue epilogue{.bias = bias_.data(),
                                   .activation = kernels::Activation::kNone,
                                   .residual = call.residual.data,
                                   .residual_stride = call.residual.stride};
  kernels::gemm(rows, coarse_, epilogue, out);
  if (multiply_fine_) {
    kernels::gemm(rows, fine_, {.bias = nullptr, .residual = out.data, .residual_stride = out.stride}, out);
  }
  add_outliers(buffers.outliers, out);
  if (call.gelu) kernels::gelu_erf(out);
}

void LinearInt8::add_outliers(std::span<const Outlier> outliers, const kernels::Matrix& out) const {
  const OutlierKernels& loops = active_outlier_kernels();
  OutlierArgs args{.coarse = columns_of(coarse_), .fine = columns_of(fine_), .out_features = out.columns};
  for (const Outlier& outlier : outliers) {
    args.column = outlier.column;
    args.value = outlier.value;
    args.out = out.row(outlier.row);
    loops.add(args);
  }
}

}  // namespace scalestyle::nn
