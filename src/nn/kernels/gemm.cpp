#include "nn/kernels/gemm.hpp"

#include <algorithm>
#include <cassert>

#include "nn/kernels/isa.hpp"
#include "nn/kernels/kernel_table.hpp"

namespace scalestyle::nn::kernels {
namespace {

template <class Args, class View, class Weights>
Args common_args(const View& a, const Weights& weights, const Epilogue& epilogue, const Matrix& out,
                 PanelRange panels) {
  assert(a.columns == weights.in_features());
  assert(out.rows == a.rows && out.columns == weights.out_features());
  Args args{};
  args.a_stride = a.stride;
  args.rows = a.rows;
  args.panels = weights.panel(0);
  args.panel_first = std::min(panels.first, weights.panels());
  args.panel_end = args.panel_first + std::min(panels.count, weights.panels() - args.panel_first);
  args.out_features = weights.out_features();
  args.epilogue = {epilogue.bias, epilogue.residual, epilogue.residual_stride, epilogue.activation, out.data, out.stride};
  return args;
}

}  // namespace

void gemm(const ConstMatrix& a, const PackedF32& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels) {
  auto args = common_args<GemmF32Args>(a, weights, epilogue, out, panels);
  args.a = a.data;
  args.depth = weights.in_features();
  active_kernels().gemm_f32(args);
}

void gemm(const Bf16View& a, const PackedBf16& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels) {
  auto args = common_args<GemmBf16Args>(a, weights, epilogue, out, panels);
  args.a = a.values;
  args.depth = weights.padded_in();
  active_kernels().gemm_bf16(args);
}

void gemm(const QuantizedView& a, const PackedInt8& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels) {
  auto args = common_args<GemmInt8Args>(a, weights, epilogue, out, panels);
  args.a = a.values;
  args.depth = weights.padded_in();
  args.row_scales = a.scales;
  args.row_zero_points = a.zero_points;
  args.column_scales = weights.scales();
  args.column_sums = weights.column_sums();
  active_kernels().gemm_int8(args);
}

void gemm(const ConstMatrix& a, const PackedBf16& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels) {
  auto args = common_args<GemmF32Bf16Args>(a, weights, epilogue, out, panels);
  args.a = a.data;
  args.depth = weights.in_features();
  args.padded_depth = weights.padded_in();
  active_kernels().gemm_f32_bf16(args);
}

void gemm(const ConstMatrix& a, const PackedInt8& weights, const Epilogue& epilogue, const Matrix& out,
          PanelRange panels) {
  auto args = common_args<GemmF32Int8Args>(a, weights, epilogue, out, panels);
  args.a = a.data;
  args.depth = weights.in_features();
  args.padded_depth = weights.padded_in();
  args.column_scales = weights.scales();
  active_kernels().gemm_f32_int8(args);
}

std::size_t preferred_row_block(std::size_t in_features, std::size_t out_features) {
  // Operand and f32 result of a block in 1 MiB, the second-level cache of the smaller current server cores.
  constexpr std::size_t kBlockBytes = 768 * 1024;
  // Whole tiles, two at a time: the rest of a block would pass all weights by for a few rows.
  const std::size_t rows = active_isa() == Isa::kAmxInt8 ? 32 : 28;
  const std::size_t row_bytes = std::max<std::size_t>(in_features + out_features * sizeof(float), 1);
  return std::clamp<std::size_t>(kBlockBytes / row_bytes / rows * rows, rows, 8 * rows);
}

}  // namespace scalestyle::nn::kernels
