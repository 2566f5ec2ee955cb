#include "nn/layer_stack.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "nn/kernels/attention.hpp"
#include "nn/kernels/gemm.hpp"
#include "nn/packed_product.hpp"

namespace scalestyle::nn {

using kernels::Matrix;

namespace {

// Attention sinks form in the first layers, and all later ones amplify an error made there.
constexpr std::size_t kFineLayers = 6;

// Queries, keys and values come of one product, except in a last layer that asks with a row a sequence only.
template <class Linear>
struct Layer {
  std::optional<Linear> query_key_value;
  std::optional<Linear> query;
  std::optional<Linear> key_value;
  Linear attention_output;
  LayerNorm attention_norm;
  Linear up;
  Linear down;
  LayerNorm output_norm;

  [[nodiscard]] std::size_t size_bytes() const {
    std::size_t total = attention_output.size_bytes() + up.size_bytes() + down.size_bytes();
    for (const auto* part : {&query_key_value, &query, &key_value}) total += *part ? (*part)->size_bytes() : 0;
    return total;
  }
};

template <class Linear>
core::Result<Layer<Linear>> pack_layer(LayerTensors tensors, bool query_apart) {
  Layer<Linear> layer;
  if (query_apart) {
    CORE_TRY(layer.query, Linear::pack(tensors.query));
    CORE_TRY(layer.key_value, Linear::pack(tensors.key_value));
  } else {
    CORE_TRY(layer.query_key_value, Linear::pack(stacked(std::move(tensors.query), tensors.key_value)));
  }
  CORE_TRY(layer.attention_output, Linear::pack(tensors.attention_output));
  CORE_TRY(layer.up, Linear::pack(tensors.up));
  CORE_TRY(layer.down, Linear::pack(tensors.down));
  layer.attention_norm = std::move(tensors.attention_norm);
  layer.output_norm = std::move(tensors.output_norm);
  return layer;
}

RowKind before(kernels::Activation activation) {
  switch (activation) {
    case kernels::Activation::kNone: return RowKind::kHidden;
    case kernels::Activation::kGeluErf: return RowKind::kBeforeGelu;
    case kernels::Activation::kQuickGelu: return RowKind::kBeforeQuickGelu;
  }
  return RowKind::kHidden;
}

template <class Linear>
class PackedStack final : public LayerStack {
 public:
  PackedStack(const StackShape& shape, Precision precision)
      : shape_(shape),
        attention_{.heads = shape.heads,
                   .head_width = shape.head_shape().padded_width(),
                   .first_row_only = false,
                   .causal = shape.causal},
        up_activation_(Linear::kGeluInPrepare ? kernels::Activation::kNone : shape.activation),
        precision_(precision) {}

  [[nodiscard]] core::Status load(const ReadLayer& read_layer) {
    layers_.reserve(shape_.layers);
    for (std::size_t index = 0; index < shape_.layers; ++index) {
      CORE_TRY(LayerTensors tensors, read_layer(index));
      tensors.down.fine = index < kFineLayers;
      const bool query_apart = shape_.last_rows != LastRows::kAll && index + 1 == shape_.layers;
      CORE_TRY(Layer<Linear> layer, pack_layer<Linear>(std::move(tensors), query_apart));
      layers_.push_back(std::move(layer));
    }
    return {};
  }

  [[nodiscard]] BufferShape buffer_shape(std::size_t tokens) const override {
    return {.tokens = tokens,
            .hidden = shape_.hidden,
            .attention = attention_width(),
            .intermediate = shape_.intermediate,
            .ffn_rows = std::min(tokens, ffn_rows()),
            .attention_floats = kernels::attention_workspace_floats(tokens, attention_),
            .normed = shape_.norm == NormPlace::kBefore};
  }

  void reserve(LayerBuffers& buffers, std::size_t tokens) const override {
    const BufferShape shape = buffer_shape(tokens);
    if (buffers.precision == precision_ && buffers.shape.covers(shape)) return;
    const auto floats = [](std::size_t count) { return kernels::AlignedBuffer(count * sizeof(float)); };
    buffers.hidden = floats(shape.tokens * shape.hidden);
    buffers.normed = shape.normed ? floats(shape.tokens * shape.hidden) : kernels::AlignedBuffer();
    buffers.last_rows = floats(shape.tokens * shape.hidden);
    buffers.projected = floats(shape.tokens * 3 * shape.attention);
    buffers.context = floats(shape.tokens * shape.attention);
    buffers.expanded = floats(shape.ffn_rows * shape.intermediate);
    buffers.scores = floats(shape.attention_floats);
    buffers.narrow = {};
    buffers.wide = {};
    Linear::reserve(buffers.narrow, shape.tokens, std::max(shape.hidden, shape.attention));
    Linear::reserve(buffers.wide, shape.ffn_rows, shape.intermediate);
    buffers.ids.reserve(shape.tokens);
    buffers.positions.reserve(shape.tokens);
    buffers.starts.reserve(shape.tokens + 1);
    buffers.shape = shape;
    buffers.precision = precision_;
  }

  [[nodiscard]] Matrix forward(LayerBuffers& buffers) const override {
    const std::size_t tokens = buffers.starts.back();
    const Matrix rows{buffers.hidden.as<float>(), tokens, shape_.hidden, shape_.hidden};
    for (std::size_t index = 0; index < layers_.size(); ++index) {
      const Layer<Linear>& layer = layers_[index];
      if (layer.query) return last_layer(layer, rows, buffers);
      attend(layer, rows, buffers);
      feed_forward(layer, rows, buffers);
    }
    return rows;
  }

  [[nodiscard]] std::size_t size_bytes() const override {
    std::size_t total = 0;
    for (const Layer<Linear>& layer : layers_) total += layer.size_bytes();
    return total;
  }

 private:
  [[nodiscard]] std::size_t attention_width() const { return attention_.heads * attention_.head_width; }
  [[nodiscard]] std::size_t ffn_rows() const { return kernels::preferred_row_block(shape_.hidden, shape_.intermediate); }

  // What the products of a part take: the rows, or the rows normalised beside them.
  [[nodiscard]] Matrix entering(const LayerNorm& norm, const Matrix& rows, const LayerBuffers& buffers) const {
    if (shape_.norm == NormPlace::kAfter) return rows;
    const Matrix normed{buffers.normed.as<float>(), rows.rows, rows.columns, rows.columns};
    norm.apply(rows, normed);
    return normed;
  }
  void leave(const LayerNorm& norm, const Matrix& rows) const {
    if (shape_.norm == NormPlace::kAfter) norm.apply(rows, rows);
  }

  void attend(const Layer<Linear>& layer, const Matrix& rows, LayerBuffers& buffers) const {
    const std::size_t width = attention_width();
    const Matrix projected{buffers.projected.as<float>(), rows.rows, 3 * width, 3 * width};
    const Matrix context{buffers.context.as<float>(), rows.rows, width, width};
    const Matrix input = entering(layer.attention_norm, rows, buffers);
    Linear::prepare(input, buffers.narrow, RowKind::kHidden);
    multiply(*layer.query_key_value, {input, buffers.narrow, buffers.team}, {}, projected);
    const std::span scores(buffers.scores.as<float>(), buffers.shape.attention_floats);
    for (std::size_t sequence = 0; sequence + 1 < buffers.starts.size(); ++sequence) {
      const std::size_t first = buffers.starts[sequence];
      const std::size_t count = buffers.starts[sequence + 1] - first;
      kernels::attention(projected.row_block(first, count), attention_, context.row_block(first, count), scores);
    }
    add_attention_output(layer, context, rows, buffers);
  }

  void add_attention_output(const Layer<Linear>& layer, const Matrix& context, const Matrix& rows,
                            LayerBuffers& buffers) const {
    Linear::prepare(context, buffers.narrow, RowKind::kHidden);
    multiply(layer.attention_output, {context, buffers.narrow, buffers.team}, {.residual = rows}, rows);
    leave(layer.attention_norm, rows);
  }

  void feed_forward(const Layer<Linear>& layer, const Matrix& rows, LayerBuffers& buffers) const {
    for (std::size_t first = 0; first < rows.rows; first += buffers.shape.ffn_rows) {
      const Matrix block = rows.row_block(first, std::min(buffers.shape.ffn_rows, rows.rows - first));
      const Matrix expanded{buffers.expanded.as<float>(), block.rows, shape_.intermediate, shape_.intermediate};
      const Matrix input = entering(layer.output_norm, block, buffers);
      Linear::prepare(input, buffers.narrow, RowKind::kHidden);
      multiply(layer.up, {input, buffers.narrow, buffers.team}, {.activation = up_activation_}, expanded);
      Linear::prepare(expanded, buffers.wide, before(shape_.activation));
      multiply(layer.down, {expanded, buffers.wide, buffers.team}, {.residual = block}, block);
      leave(layer.output_norm, block);
    }
  }

  // Keys and values of all tokens; everything else of one row a sequence.
  [[nodiscard]] Matrix last_layer(const Layer<Linear>& layer, const Matrix& rows, LayerBuffers& buffers) const {
    const std::size_t width = attention_width();
    const std::size_t sequences = buffers.starts.size() - 1;
    const Matrix key_value{buffers.projected.as<float>(), rows.rows, 2 * width, 2 * width};
    const Matrix query{key_value.row(rows.rows), sequences, width, width};  // behind keys and values: sequences <= tokens
    const Matrix context{buffers.context.as<float>(), sequences, width, width};
    const Matrix asking{buffers.last_rows.as<float>(), sequences, shape_.hidden, shape_.hidden};
    const Matrix all = entering(layer.attention_norm, rows, buffers);
    Linear::prepare(all, buffers.narrow, RowKind::kHidden);
    multiply(*layer.key_value, {all, buffers.narrow, buffers.team}, {}, key_value);
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
      const bool first = shape_.last_rows == LastRows::kFirst;
      const std::size_t row = first ? buffers.starts[sequence] : buffers.starts[sequence + 1] - 1;
      std::copy_n(rows.row(row), shape_.hidden, asking.row(sequence));
    }
    const Matrix input = entering(layer.attention_norm, asking, buffers);
    Linear::prepare(input, buffers.narrow, RowKind::kHidden);
    multiply(*layer.query, {input, buffers.narrow, buffers.team}, {}, query);
    kernels::AttentionShape shape = attention_;
    shape.first_row_only = true;  // of the queries, which is the sequence's only one
    if (shape_.last_rows == LastRows::kLast) shape.causal = false;  // the last token sees all
    const std::span scores(buffers.scores.as<float>(), buffers.shape.attention_floats);
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
      const std::size_t first = buffers.starts[sequence];
      kernels::attention(query.row_block(sequence, 1), key_value.row_block(first, buffers.starts[sequence + 1] - first),
                         shape, context.row_block(sequence, 1), scores);
    }
    add_attention_output(layer, context, asking, buffers);
    feed_forward(layer, asking, buffers);
    return asking;
  }

  StackShape shape_;
  kernels::AttentionShape attention_;
  kernels::Activation up_activation_;  // of the widening product; int8 applies it when it prepares the next
  Precision precision_;
  std::vector<Layer<Linear>> layers_;
};

template <class Linear>
core::Result<std::unique_ptr<const LayerStack>> load_stack(const StackShape& shape, Precision precision,
                                                           const LayerStack::ReadLayer& read_layer) {
  auto stack = std::make_unique<PackedStack<Linear>>(shape, precision);
  CORE_CHECK(stack->load(read_layer));
  return stack;
}

}  // namespace

double StackShape::operations(std::size_t tokens) const {
  const auto count = static_cast<double>(tokens);
  const auto width = static_cast<double>(hidden);
  const double key_value_row = 2 * 2 * width * width;
  const double other_row = 2 * (2 * width * width + 2 * width * static_cast<double>(intermediate));
  const double attention_row = 4 * count * width;
  const double asking = last_rows == LastRows::kAll ? count : 1;
  return static_cast<double>(layers - 1) * count * (key_value_row + other_row + attention_row) + count * key_value_row +
         asking * (other_row + attention_row);
}

bool BufferShape::covers(const BufferShape& other) const {
  return tokens >= other.tokens && hidden == other.hidden && attention == other.attention &&
         intermediate == other.intermediate && ffn_rows >= other.ffn_rows && attention_floats >= other.attention_floats &&
         (normed || !other.normed);
}

std::size_t LayerBuffers::size_bytes() const {
  std::size_t total = 0;
  for (const auto* buffer : {&hidden, &normed, &last_rows, &projected, &context, &expanded, &scores}) {
    total += buffer->size_bytes();
  }
  for (const RowBuffers* rows : {&narrow, &wide}) {
    if (rows->quantized) total += shape.tokens * rows->quantized->stride();
    if (rows->bf16) total += shape.tokens * rows->bf16->stride() * sizeof(std::uint16_t);
    total += rows->outliers.capacity() * sizeof(Outlier);
  }
  return total;
}

core::Result<std::unique_ptr<const LayerStack>> LayerStack::load(const StackShape& shape, Precision precision,
                                                                 const ReadLayer& read_layer) {
  switch (precision) {
    case Precision::kF32: return load_stack<LinearF32>(shape, precision, read_layer);
    case Precision::kBf16: return load_stack<LinearBf16>(shape, precision, read_layer);
    case Precision::kInt8: return load_stack<LinearInt8>(shape, precision, read_layer);
  }
  return core::fail(core::ErrorCode::kInternal, "unknown precision");
}

}  // namespace scalestyle::nn
