#pragma once
// The layers of a BERT encoder in one precision, and the buffers they work in. One chunk of texts goes through all
// layers; the chunk's tokens stand behind each other, a text's attention sees its own rows only.
//
// Thread safety: a stack is immutable; buffers belong to one thread, and to its team's helpers while a product runs.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "nn/bert_config.hpp"
#include "nn/bert_weights.hpp"
#include "nn/kernels/attention.hpp"
#include "nn/kernels/elementwise.hpp"
#include "nn/linear.hpp"
#include "nn/precision.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

// What a chunk may need at most.
struct BufferShape {
  std::size_t tokens = 0;    // rows of a chunk
  std::size_t hidden = 0;
  std::size_t attention = 0;  // heads * padded head width
  std::size_t intermediate = 0;
  std::size_t ffn_rows = 0;  // rows of the feed-forward part at a time
  std::size_t attention_floats = 0;

  [[nodiscard]] bool covers(const BufferShape& other) const;
};

struct BertBuffers {
  BufferShape shape;
  Precision precision = Precision::kF32;
  kernels::AlignedBuffer hidden;      // [tokens, hidden]
  kernels::AlignedBuffer first_rows;  // [tokens, hidden]: the CLS rows of the last layer
  kernels::AlignedBuffer projected;   // [tokens, 3 * attention]
  kernels::AlignedBuffer context;     // [tokens, attention]
  kernels::AlignedBuffer expanded;    // [ffn_rows, intermediate]
  kernels::AlignedBuffer scores;      // [attention_floats]
  RowBuffers narrow;                  // rows of up to max(hidden, attention)
  RowBuffers wide;                    // rows of up to intermediate
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> positions;
  std::vector<std::size_t> starts;    // first row of each text, and the end of the last
  Team* team = nullptr;               // whose helpers share the products of the running encode(); null: none

  [[nodiscard]] std::size_t size_bytes() const;
};

class BertStack {
 public:
  virtual ~BertStack() = default;
  BertStack() = default;
  BertStack(const BertStack&) = delete;
  BertStack& operator=(const BertStack&) = delete;

  // Reads and packs all layers. `first_row_only`: the last layer gives each text's first row alone (CLS pooling).
  [[nodiscard]] static core::Result<std::unique_ptr<const BertStack>> load(const BertTensorReader& reader,
                                                                           const BertConfig& config, Precision precision,
                                                                           bool first_row_only);

  [[nodiscard]] virtual BufferShape buffer_shape(std::size_t tokens) const = 0;
  virtual void reserve(BertBuffers& buffers, const BufferShape& shape) const = 0;
  // Runs the texts described by buffers.starts, whose embedded and normalised rows are in buffers.hidden. Returns the
  // last layer's rows: one a text with first_row_only, else one a token.
  [[nodiscard]] virtual kernels::Matrix forward(BertBuffers& buffers) const = 0;
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
};

}  // namespace scalestyle::nn
