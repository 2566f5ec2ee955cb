#pragma once
// Attention of one sequence over F32x16. Internal; include after one simd header.

#include "nn/kernels/generic_gemm.hpp"
#include "nn/kernels/generic_rows.hpp"

namespace scalestyle::nn::kernels {
namespace {

// keys_by_width[d][token], tokens padded with zeros to a multiple of 16.
inline void transpose_keys(const AttentionArgs& args, const float* keys, std::size_t padded, float* keys_by_width) {
  for (std::size_t token = 0; token < args.tokens; token += 16) {
    const std::size_t present = args.tokens - token < 16 ? args.tokens - token : 16;
    for (std::size_t d = 0; d < args.head_width; d += 16) {
      F32x16 square[16];
#pragma GCC unroll 16
      for (std::size_t i = 0; i < 16; ++i) {
        square[i] = i < present ? F32x16::load(keys + (token + i) * args.key_stride + d) : F32x16::zero();
      }
      F32x16::transpose(square);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < 16; ++i) square[i].store(keys_by_width + (d + i) * padded + token);
    }
  }
}

inline void attend_head(const AttentionArgs& args, std::size_t head) {
  const std::size_t padded = (args.tokens + 15) / 16 * 16;
  const std::size_t offset = head * args.head_width;
  float* keys_by_width = args.workspace;
  float* scores = args.workspace + args.head_width * padded;
  transpose_keys(args, args.keys + offset, padded, keys_by_width);
  const float scale = 1.0F / __builtin_sqrtf(static_cast<float>(args.head_width));
  const std::size_t tiles = (args.query_rows + F32x16::kTileRows - 1) / F32x16::kTileRows;
  for (std::size_t t = 0; t < tiles; ++t) {
    const std::size_t begin = args.query_rows * t / tiles;
    const std::size_t end = args.query_rows * (t + 1) / tiles;
    const float* queries = args.queries + begin * args.query_stride + offset;
    const F32Operands products{queries, args.query_stride, keys_by_width, padded, args.head_width};
    multiply_f32_tile(products, end - begin, padded, scores, padded);
    for (std::size_t r = 0; r < end - begin; ++r) {
      const std::size_t visible = args.causal ? begin + r + 1 : args.tokens;
      float* row = scores + r * padded;
      softmax_row(row, visible, scale);
      for (std::size_t j = visible; j < args.tokens; ++j) row[j] = 0.0F;
    }
    const F32Operands mixed{scores, padded, args.values + offset, args.key_stride, args.tokens};
    float* context = args.context + begin * args.context_stride + offset;
    multiply_f32_tile(mixed, end - begin, args.head_width, context, args.context_stride);
  }
}

// The values of `Vectors` times 16 columns, weighted by the scores, position 0, 1, … with one fused multiply-add each.
template <std::size_t Vectors>
inline void mix_values(const CachedAttentionArgs& args, std::size_t visible, std::size_t column, float* context) {
  F32x16 sum[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) sum[v] = F32x16::zero();
  const float* values = args.values + column;
  for (std::size_t position = 0; position < visible; ++position) {
    const F32x16 weight = F32x16::broadcast(args.scores[position]);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) sum[v] = F32x16::fma(weight, F32x16::load(values + 16 * v), sum[v]);
    values += args.head_width;
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) sum[v].store(context + column + 16 * v);
}

inline void cached_attention(const CachedAttentionArgs& args) {
  const float scale = 1.0F / __builtin_sqrtf(static_cast<float>(args.head_width));
  for (std::size_t r = 0; r < args.rows; ++r) {
    const float* query = args.queries + r * args.query_stride;
    const std::size_t visible = args.first_position + r + 1;
    for (std::size_t position = 0; position < visible; ++position) {
      args.scores[position] = dot_f32(query, args.keys + position * args.head_width, args.head_width);
    }
    softmax_row(args.scores, visible, scale);
    float* context = args.context + r * args.context_stride;
    std::size_t column = 0;
    for (; column + 64 <= args.head_width; column += 64) mix_values<4>(args, visible, column, context);
    for (; column < args.head_width; column += 16) mix_values<1>(args, visible, column, context);
  }
}

inline void attention(const AttentionArgs& args) {
  for (std::size_t head = 0; head < args.heads; ++head) attend_head(args, head);
}

}  // namespace
}  // namespace scalestyle::nn::kernels
