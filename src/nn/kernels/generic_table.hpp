#pragma once
// Fills a table with the generic kernels of the including file's F32x16. Internal.

#include "nn/kernels/generic_attention.hpp"
#include "nn/kernels/generic_gemm.hpp"
#include "nn/kernels/generic_rows.hpp"
#include "nn/kernels/generic_widening.hpp"

namespace scalestyle::nn::kernels {
namespace {

inline KernelTable generic_table(Isa isa) {
  KernelTable table{};
  table.isa = isa;
  table.bf16_name = "software";
  table.gemm_f32 = [](const GemmF32Args& args) { for_each_tile<F32Kernel>(args); };
  table.gemm_bf16 = [](const GemmBf16Args& args) { for_each_tile<SoftwareBf16Kernel>(args); };
  table.gemm_f32_bf16 = [](const GemmF32Bf16Args& args) { for_each_tile<WideningKernel<Bf16Weights>>(args); };
  table.gemm_f32_int8 = [](const GemmF32Int8Args& args) { for_each_tile<WideningKernel<Int8Weights>>(args); };
  table.layer_norm = layer_norm;
  table.rms_norm = rms_norm;
  table.gelu = gelu_rows;
  table.quick_gelu = quick_gelu_rows;
  table.silu_multiply = silu_multiply_rows;
  table.quantize = quantize_rows;
  table.gelu_quantize = activate_quantize_rows<Activation::kGeluErf>;
  table.quick_gelu_quantize = activate_quantize_rows<Activation::kQuickGelu>;
  table.round_to_bf16 = round_rows_to_bf16;
  table.softmax = softmax_rows;
  table.l2_normalize = l2_normalize_rows;
  table.embedding_sum = embedding_sum;
  table.attention = attention;
  table.cached_attention = cached_attention;
  table.dot_f32 = dot_f32;
  table.score_intervals = score_intervals;
  return table;
}

}  // namespace
}  // namespace scalestyle::nn::kernels
