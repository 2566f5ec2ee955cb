#pragma once
// One table of functions an instruction set. Internal to nn/kernels. The argument structs hold raw pointers only, so
// that files compiled for a newer processor instantiate no inline function that a baseline file could be linked to.

#include <cstddef>
#include <cstdint>

#include "nn/kernels/activation.hpp"
#include "nn/kernels/isa.hpp"

namespace scalestyle::nn::kernels {

struct EpilogueArgs {
  const float* bias;      // [out] or null
  const float* residual;  // or null
  std::size_t residual_stride;
  Activation activation;
  float* out;
  std::size_t out_stride;
};

// W: float, uint16_t (bf16) or int8_t, packed; A: what it is multiplied by.
template <class A, class W>
struct GemmArgs {
  const A* a;
  std::size_t a_stride;
  std::size_t rows;
  std::size_t depth;         // in features, padded as packed
  const W* panels;           // the first packed panel
  std::size_t panel_first;
  std::size_t panel_end;
  std::size_t out_features;
  EpilogueArgs epilogue;
};
using GemmF32Args = GemmArgs<float, float>;
using GemmBf16Args = GemmArgs<std::uint16_t, std::uint16_t>;
struct GemmInt8Args : GemmArgs<std::uint8_t, std::int8_t> {
  const float* row_scales;
  const std::int32_t* row_zero_points;
  const float* column_scales;        // [panels * 64]
  const std::int32_t* column_sums;   // [panels * 64]
};

// f32 rows times weights that are widened to f32 as they are used.
template <class W>
struct GemmWideningArgs : GemmArgs<float, W> {
  std::size_t padded_depth;      // of a packed panel; `depth` is what is multiplied
  const float* column_scales;    // [panels * 64], or null
};
using GemmF32Bf16Args = GemmWideningArgs<std::uint16_t>;
using GemmF32Int8Args = GemmWideningArgs<std::int8_t>;

struct QuantizeArgs {
  std::uint8_t* values;
  std::size_t stride;
  float* scales;
  std::int32_t* zero_points;
};

struct RowsArgs {
  const float* in;
  std::size_t in_stride;
  float* out;
  std::size_t out_stride;
  std::size_t rows;
  std::size_t columns;
};

struct LayerNormArgs {
  RowsArgs rows;
  const float* residual;  // or null
  std::size_t residual_stride;
  const float* gamma;
  const float* beta;
  float epsilon;
  QuantizeArgs quantize;  // values null: none
};

struct RmsNormArgs {
  RowsArgs rows;
  const float* gamma;
  float epsilon;
};

struct CachedAttentionArgs {
  const float* queries;  // of one head
  std::size_t query_stride;
  std::size_t rows;
  std::size_t first_position;  // of the first row
  const float* keys;           // [positions, head_width]
  const float* values;         // [positions, head_width]
  std::size_t head_width;
  float* context;
  std::size_t context_stride;
  float* scores;  // [first_position + rows]
};

struct AttentionArgs {
  const float* queries;
  std::size_t query_stride;
  const float* keys;
  const float* values;
  std::size_t key_stride;  // of keys and values
  std::size_t query_rows;
  std::size_t tokens;
  std::size_t heads;
  std::size_t head_width;
  bool causal;
  float* context;
  std::size_t context_stride;
  float* workspace;
};

struct EmbeddingArgs {
  const float* word;
  std::size_t word_stride;
  const float* position;
  std::size_t position_stride;
  const float* type_row;  // or null
  const std::int32_t* token_ids;
  const std::int32_t* position_ids;
  std::size_t rows;
  std::size_t columns;
  float* out;
  std::size_t out_stride;
};

struct ScanArgs {
  const std::int8_t* queries;  // [count, dimension]
  const std::int8_t* tiles;    // [dimension / 4][16][4]
  const std::int16_t* wide;    // [count, dimension]
  const std::int32_t* sums;
  std::size_t query_count;
  std::size_t dimension;
  const std::int8_t* vectors;
  const std::uint32_t* rows;  // null: consecutive
  std::size_t count;
  std::int32_t* out;
  std::size_t out_stride;
};

struct IntervalArgs {
  float common;
  float scales[2];
  float norm;
  float loss;
  float slack;
  float threshold;
  const float* row_scales;
  const float* row_errors;
  const float* row_norms;
  const float* row_projections;
  const std::int32_t* dots[2];  // [64] each, the second may be null
  std::size_t count;
  float* estimates;  // [64]
  float* bounds;     // [64]
};

struct KernelTable {
  Isa isa;
  const char* bf16_name;  // how bf16 products are computed: "software", "avx512_bf16", "amx_bf16"
  void (*gemm_f32)(const GemmF32Args&);
  void (*gemm_bf16)(const GemmBf16Args&);
  void (*gemm_int8)(const GemmInt8Args&);
  void (*gemm_f32_bf16)(const GemmF32Bf16Args&);
  void (*gemm_f32_int8)(const GemmF32Int8Args&);
  void (*layer_norm)(const LayerNormArgs&);
  void (*rms_norm)(const RmsNormArgs&);
  void (*gelu)(const RowsArgs&);
  void (*quick_gelu)(const RowsArgs&);
  void (*silu_multiply)(const RowsArgs&, const float* factor, std::size_t factor_stride);
  void (*quantize)(const RowsArgs&, const float* multiplier, const QuantizeArgs&);
  void (*gelu_quantize)(const RowsArgs&, const QuantizeArgs&);
  void (*quick_gelu_quantize)(const RowsArgs&, const QuantizeArgs&);
  void (*round_to_bf16)(const RowsArgs&, std::uint16_t* out, std::size_t out_stride);
  void (*softmax)(const RowsArgs&);
  void (*l2_normalize)(const RowsArgs&);
  void (*embedding_sum)(const EmbeddingArgs&);
  void (*attention)(const AttentionArgs&);
  void (*cached_attention)(const CachedAttentionArgs&);
  void (*dot_int8)(const ScanArgs&);
  float (*dot_f32)(const float* a, const float* b, std::size_t dimension);
  std::uint64_t (*score_intervals)(const IntervalArgs&);
};

[[nodiscard]] const KernelTable& active_kernels();

// Complete tables; avx2 and avx512 use widening int8 and software bf16.
[[nodiscard]] KernelTable scalar_kernels();
[[nodiscard]] KernelTable avx2_kernels();
[[nodiscard]] KernelTable avx512_kernels();

// Replacements for single entries.
void gemm_int8_avx_vnni(const GemmInt8Args& args);
void dot_int8_avx_vnni(const ScanArgs& args);
void gemm_int8_avx512_vnni(const GemmInt8Args& args);
void dot_int8_avx512_vnni(const ScanArgs& args);
void gemm_bf16_avx512(const GemmBf16Args& args);
void gemm_int8_amx(const GemmInt8Args& args);
void gemm_bf16_amx(const GemmBf16Args& args);
void dot_int8_amx(const ScanArgs& args);

}  // namespace scalestyle::nn::kernels
