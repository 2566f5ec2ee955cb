#pragma once
// The layers of a transformer encoder in one precision, and the buffers they work in: BERT's, which normalise after each
// sum, and CLIP's, which normalise before. One chunk of sequences (texts, pictures) goes through all layers; the chunk's
// tokens stand behind each other, a sequence's attention sees its own rows only.
//
// Thread safety: a stack is immutable; buffers belong to one thread, and to its team's helpers while a product runs.
// Sources: Devlin et al., arXiv 1810.04805; Radford et al. (CLIP), arXiv 2103.00020.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/result.hpp"
#include "nn/kernels/activation.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/layer_tensors.hpp"
#include "nn/linear.hpp"
#include "nn/precision.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

// Where LayerNorm stands: x = norm(x + f(x)), or x = x + f(norm(x)).
enum class NormPlace : std::uint8_t { kAfter, kBefore };

// The rows the last layer gives: of every token, or of each sequence's first or last alone. It then computes keys and
// values of all tokens and everything else of those rows.
enum class LastRows : std::uint8_t { kAll, kFirst, kLast };

struct StackShape {
  std::size_t layers = 0;
  std::size_t hidden = 0;
  std::size_t heads = 0;  // divide `hidden`
  std::size_t intermediate = 0;
  NormPlace norm = NormPlace::kAfter;
  kernels::Activation activation = kernels::Activation::kGeluErf;
  bool causal = false;  // a token sees itself and those before it
  LastRows last_rows = LastRows::kAll;

  [[nodiscard]] HeadShape head_shape() const { return {heads, hidden / heads}; }
  // Multiply-adds × 2 of all matrix products for one sequence of so many tokens: what benchmarks divide by.
  [[nodiscard]] double operations(std::size_t tokens) const;
};

// What a chunk may need at most.
struct BufferShape {
  std::size_t tokens = 0;  // rows of a chunk
  std::size_t hidden = 0;
  std::size_t attention = 0;  // heads * padded head width
  std::size_t intermediate = 0;
  std::size_t ffn_rows = 0;  // rows of the feed-forward part at a time
  std::size_t attention_floats = 0;
  bool normed = false;  // normalised rows beside the rows themselves

  [[nodiscard]] bool covers(const BufferShape& other) const;
};

struct LayerBuffers {
  BufferShape shape;
  Precision precision = Precision::kF32;
  kernels::AlignedBuffer hidden;     // [tokens, hidden]
  kernels::AlignedBuffer normed;     // [tokens, hidden], where NormPlace is kBefore
  kernels::AlignedBuffer last_rows;  // [tokens, hidden]: the rows the last layer gives
  kernels::AlignedBuffer projected;  // [tokens, 3 * attention]
  kernels::AlignedBuffer context;    // [tokens, attention]
  kernels::AlignedBuffer expanded;   // [ffn_rows, intermediate]
  kernels::AlignedBuffer scores;     // [attention_floats]
  RowBuffers narrow;                 // rows of up to max(hidden, attention)
  RowBuffers wide;                   // rows of up to intermediate
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> positions;
  std::vector<std::size_t> starts;   // first row of each sequence, and the end of the last
  Team* team = nullptr;              // whose helpers share the products of the running call; null: none

  [[nodiscard]] std::size_t size_bytes() const;
};

class LayerStack {
 public:
  virtual ~LayerStack() = default;
  LayerStack() = default;
  LayerStack(const LayerStack&) = delete;
  LayerStack& operator=(const LayerStack&) = delete;

  using ReadLayer = std::function<core::Result<LayerTensors>(std::size_t index)>;
  // Reads and packs all layers, one after the other. Errors: read_layer's; kInvalidArgument for tensors that cannot be packed.
  [[nodiscard]] static core::Result<std::unique_ptr<const LayerStack>> load(const StackShape& shape, Precision precision,
                                                                            const ReadLayer& read_layer);

  [[nodiscard]] virtual BufferShape buffer_shape(std::size_t tokens) const = 0;
  // Makes room for chunks of so many tokens; allocates nothing where there is room already.
  virtual void reserve(LayerBuffers& buffers, std::size_t tokens) const = 0;
  // Runs the sequences described by buffers.starts, whose embedded rows are in buffers.hidden. Returns the last layer's
  // rows, as StackShape::last_rows says.
  [[nodiscard]] virtual kernels::Matrix forward(LayerBuffers& buffers) const = 0;
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
};

}  // namespace scalestyle::nn
