#pragma once
// Attention over one sequence of a ragged batch, all heads, in f32.
// Same bits on every instruction set and wherever the sequence lies in the batch.

#include <cstddef>
#include <span>

#include "nn/kernels/matrix.hpp"

namespace scalestyle::nn::kernels {

struct AttentionShape {
  std::size_t heads = 0;
  std::size_t head_width = 0;   // a multiple of 16; hidden = heads * head_width
  bool first_row_only = false;  // only the first token's query (CLS pooling in the last layer)
  bool causal = false;          // token i sees tokens 0..i
};

// Floats of workspace needed for sequences of up to `max_tokens`.
[[nodiscard]] std::size_t attention_workspace_floats(std::size_t max_tokens, const AttentionShape& shape);

// qkv: [tokens, 3 * hidden] = queries | keys | values, as one fused projection writes them; tokens >= 1.
// context: [tokens, hidden] ([1, hidden] with first_row_only) = softmax(q k^T / sqrt(head_width)) v, heads side by side.
// workspace: attention_workspace_floats(tokens, shape) floats, 64-byte aligned, not shared between threads.
void attention(const ConstMatrix& qkv, const AttentionShape& shape, const Matrix& context, std::span<float> workspace);

// The same with the queries apart, for a last layer that projects only the first row: queries [1 or tokens, hidden],
// keys_values [tokens, 2 * hidden] = keys | values.
void attention(const ConstMatrix& queries, const ConstMatrix& keys_values, const AttentionShape& shape,
               const Matrix& context, std::span<float> workspace);

// One head's queries over keys and values kept from earlier: row r of `queries` stands at position first_position + r and
// sees positions 0 .. first_position + r. keys, values: [first_position + rows, head_width] or more, no gaps between rows;
// scores: first_position + rows floats. A row's context does not depend on the rows beside it.
struct CachedKeysValues {
  const float* keys = nullptr;
  const float* values = nullptr;
  std::size_t first_position = 0;
};
void cached_attention(const ConstMatrix& queries, const CachedKeysValues& kept, const Matrix& context,
                      std::span<float> scores);

}  // namespace scalestyle::nn::kernels
