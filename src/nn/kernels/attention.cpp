#include "nn/kernels/attention.hpp"

#include <cassert>

#include "nn/kernels/kernel_table.hpp"

namespace scalestyle::nn::kernels {

std::size_t attention_workspace_floats(std::size_t max_tokens, const AttentionShape& shape) {
  constexpr std::size_t kMostTileRows = 16;
  const std::size_t padded = (max_tokens + 15) / 16 * 16;
  return (shape.head_width + kMostTileRows) * padded;
}

void attention(const ConstMatrix& queries, const ConstMatrix& keys_values, const AttentionShape& shape,
               const Matrix& context, std::span<float> workspace) {
  const std::size_t hidden = shape.heads * shape.head_width;
  [[maybe_unused]] const std::size_t tokens = keys_values.rows;
  assert(tokens >= 1 && shape.head_width % 16 == 0 && keys_values.columns == 2 * hidden);
  assert(queries.columns == hidden && context.columns == hidden);
  const std::size_t query_rows = shape.first_row_only ? 1 : queries.rows;
  assert(query_rows <= queries.rows && context.rows == query_rows);
  assert(shape.first_row_only || query_rows == tokens);
  assert(workspace.size() >= attention_workspace_floats(tokens, shape));
  active_kernels().attention({queries.data, queries.stride, keys_values.data, keys_values.data + hidden,
                              keys_values.stride, query_rows, keys_values.rows, shape.heads, shape.head_width,
                              shape.causal, context.data, context.stride, workspace.data()});
}

void attention(const ConstMatrix& qkv, const AttentionShape& shape, const Matrix& context, std::span<float> workspace) {
  const std::size_t hidden = shape.heads * shape.head_width;
  assert(qkv.columns == 3 * hidden);
  const ConstMatrix queries{qkv.data, qkv.rows, hidden, qkv.stride};
  const ConstMatrix keys_values{qkv.data + hidden, qkv.rows, 2 * hidden, qkv.stride};
  attention(queries, keys_values, shape, context, workspace);
}

void cached_attention(const ConstMatrix& queries, const CachedKeysValues& kept, const Matrix& context,
                      std::span<float> scores) {
  assert(queries.columns % 16 == 0 && context.columns == queries.columns && context.rows == queries.rows);
  assert(scores.size() >= kept.first_position + queries.rows);
  active_kernels().cached_attention({queries.data, queries.stride, queries.rows, kept.first_position, kept.keys,
                                     kept.values, queries.columns, context.data, context.stride, scores.data()});
}

}  // namespace scalestyle::nn::kernels
