#include "nn/bert_stack.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace scalestyle::nn {

using kernels::Matrix;

namespace {

// Attention sinks form in the first layers, and all later ones amplify an error made there.
constexpr std::size_t kFineLayers = 6;

struct NormWeights {
  std::vector<float> gamma;
  std::vector<float> beta;
  float epsilon = 0;

  NormWeights() = default;
  NormWeights(LayerNormTensors tensors, float given_epsilon)
      : gamma(std::move(tensors.gamma)), beta(std::move(tensors.beta)), epsilon(given_epsilon) {}
  void apply(const Matrix& rows) const { kernels::layer_norm(rows, {gamma, beta, epsilon}, rows); }
};

// Queries, keys and values come of one product, except in a last layer that asks with first rows only.
template <class Linear>
struct Layer {
  std::optional<Linear> query_key_value;
  std::optional<Linear> query;
  std::optional<Linear> key_value;
  Linear attention_output;
  NormWeights attention_norm;
  Linear up;
  Linear down;
  NormWeights output_norm;

  [[nodiscard]] std::size_t size_bytes() const {
    std::size_t total = attention_output.size_bytes() + up.size_bytes() + down.size_bytes();
    for (const auto* part : {&query_key_value, &query, &key_value}) total += *part ? (*part)->size_bytes() : 0;
    return total;
  }
};

struct Operand {
  const Matrix& values;
  const RowBuffers& prepared;
  Team* team;
};

// Chunks small enough that leader and helper end within a few microseconds of each other.
constexpr std::size_t kChunksPerProduct = 8;

// A panel is computed by one thread, and in the same way whichever that is.
template <class Linear>
void multiply(const Linear& linear, const Operand& rows, const LinearCall& call, const Matrix& out) {
  if (rows.team == nullptr) return linear.apply(rows.values, rows.prepared, call, out);
  const std::size_t width = std::max<std::size_t>(linear.panels() / kChunksPerProduct, 1);
  rows.team->run((linear.panels() + width - 1) / width, [&](std::size_t chunk) {
    LinearCall part = call;
    part.panels = {.first = chunk * width, .count = width};
    linear.apply(rows.values, rows.prepared, part, out);
  });
}

template <class Linear>
core::Result<Layer<Linear>> pack_layer(BertLayerTensors tensors, float epsilon, bool first_row_only) {
  Layer<Linear> layer;
  if (first_row_only) {
    CORE_TRY(layer.query, Linear::pack(tensors.query));
    CORE_TRY(layer.key_value, Linear::pack(tensors.key_value));
  } else {
    LinearTensors joined = std::move(tensors.query);
    joined.out += tensors.key_value.out;
    joined.weight.insert(joined.weight.end(), tensors.key_value.weight.begin(), tensors.key_value.weight.end());
    joined.bias.insert(joined.bias.end(), tensors.key_value.bias.begin(), tensors.key_value.bias.end());
    CORE_TRY(layer.query_key_value, Linear::pack(joined));
  }
  CORE_TRY(layer.attention_output, Linear::pack(tensors.attention_output));
  CORE_TRY(layer.up, Linear::pack(tensors.up));
  CORE_TRY(layer.down, Linear::pack(tensors.down));
  layer.attention_norm = {std::move(tensors.attention_norm), epsilon};
  layer.output_norm = {std::move(tensors.output_norm), epsilon};
  return layer;
}

template <class Linear>
class PackedStack final : public BertStack {
 public:
  PackedStack(const BertConfig& config, std::size_t padded_head_width, bool first_row_only, Precision precision)
      : config_(config),
        attention_{.heads = config.heads, .head_width = padded_head_width, .first_row_only = false, .causal = false},
        first_row_only_(first_row_only),
        precision_(precision) {}

  [[nodiscard]] core::Status load(const BertTensorReader& reader) {
    layers_.reserve(config_.layers);
    for (std::size_t index = 0; index < config_.layers; ++index) {
      CORE_TRY(BertLayerTensors tensors, reader.layer(index));
      tensors.down.fine = index < kFineLayers;
      const bool last_for_first_rows = first_row_only_ && index + 1 == config_.layers;
      CORE_TRY(Layer<Linear> layer, pack_layer<Linear>(std::move(tensors), config_.layer_norm_epsilon, last_for_first_rows));
      layers_.push_back(std::move(layer));
    }
    return {};
  }

  [[nodiscard]] BufferShape buffer_shape(std::size_t tokens) const override {
    return {.tokens = tokens,
            .hidden = config_.hidden,
            .attention = attention_width(),
            .intermediate = config_.intermediate,
            .ffn_rows = std::min(tokens, ffn_rows()),
            .attention_floats = kernels::attention_workspace_floats(tokens, attention_)};
  }

  void reserve(BertBuffers& buffers, const BufferShape& shape) const override {
    const auto floats = [](std::size_t count) { return kernels::AlignedBuffer(count * sizeof(float)); };
    buffers.hidden = floats(shape.tokens * shape.hidden);
    buffers.first_rows = floats(shape.tokens * shape.hidden);
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

  [[nodiscard]] Matrix forward(BertBuffers& buffers) const override {
    const std::size_t tokens = buffers.starts.back();
    const Matrix rows{buffers.hidden.as<float>(), tokens, config_.hidden, config_.hidden};
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
  [[nodiscard]] std::size_t ffn_rows() const {
    return kernels::preferred_row_block(config_.hidden, config_.intermediate);
  }

  void attend(const Layer<Linear>& layer, const Matrix& rows, BertBuffers& buffers) const {
    const std::size_t width = attention_width();
    const Matrix projected{buffers.projected.as<float>(), rows.rows, 3 * width, 3 * width};
    const Matrix context{buffers.context.as<float>(), rows.rows, width, width};
    Linear::prepare(rows, buffers.narrow, RowKind::kHidden);
    multiply(*layer.query_key_value, {rows, buffers.narrow, buffers.team}, {}, projected);
    const std::span scores(buffers.scores.as<float>(), buffers.shape.attention_floats);
    for (std::size_t text = 0; text + 1 < buffers.starts.size(); ++text) {
      const std::size_t first = buffers.starts[text];
      const std::size_t count = buffers.starts[text + 1] - first;
      kernels::attention(projected.row_block(first, count), attention_, context.row_block(first, count), scores);
    }
    add_attention_output(layer, context, rows, buffers);
  }

  void add_attention_output(const Layer<Linear>& layer, const Matrix& context, const Matrix& rows,
                            BertBuffers& buffers) const {
    Linear::prepare(context, buffers.narrow, RowKind::kHidden);
    multiply(layer.attention_output, {context, buffers.narrow, buffers.team}, {.gelu = false, .residual = rows}, rows);
    layer.attention_norm.apply(rows);
  }

  void feed_forward(const Layer<Linear>& layer, const Matrix& rows, BertBuffers& buffers) const {
    for (std::size_t first = 0; first < rows.rows; first += buffers.shape.ffn_rows) {
      const Matrix block = rows.row_block(first, std::min(buffers.shape.ffn_rows, rows.rows - first));
      const Matrix expanded{buffers.expanded.as<float>(), block.rows, config_.intermediate, config_.intermediate};
      Linear::prepare(block, buffers.narrow, RowKind::kHidden);
      multiply(layer.up, {block, buffers.narrow, buffers.team}, {.gelu = !Linear::kGeluInPrepare, .residual = {}}, expanded);
      Linear::prepare(expanded, buffers.wide, RowKind::kBeforeGelu);
      multiply(layer.down, {expanded, buffers.wide, buffers.team}, {.gelu = false, .residual = block}, block);
      layer.output_norm.apply(block);
    }
  }

  // Keys and values of all tokens; everything else of the first rows alone.
  [[nodiscard]] Matrix last_layer(const Layer<Linear>& layer, const Matrix& rows, BertBuffers& buffers) const {
    const std::size_t width = attention_width();
    const std::size_t texts = buffers.starts.size() - 1;
    const Matrix key_value{buffers.projected.as<float>(), rows.rows, 2 * width, 2 * width};
    const Matrix query{key_value.row(rows.rows), texts, width, width};  // behind keys and values: texts <= tokens
    const Matrix context{buffers.context.as<float>(), texts, width, width};
    const Matrix first_rows{buffers.first_rows.as<float>(), texts, config_.hidden, config_.hidden};
    Linear::prepare(rows, buffers.narrow, RowKind::kHidden);
    multiply(*layer.key_value, {rows, buffers.narrow, buffers.team}, {}, key_value);
    for (std::size_t text = 0; text < texts; ++text) {
      std::copy_n(rows.row(buffers.starts[text]), config_.hidden, first_rows.row(text));
    }
    Linear::prepare(first_rows, buffers.narrow, RowKind::kHidden);
    multiply(*layer.query, {first_rows, buffers.narrow, buffers.team}, {}, query);
    kernels::AttentionShape shape = attention_;
    shape.first_row_only = true;
    const std::span scores(buffers.scores.as<float>(), buffers.shape.attention_floats);
    for (std::size_t text = 0; text < texts; ++text) {
      const std::size_t first = buffers.starts[text];
      kernels::attention(query.row_block(text, 1), key_value.row_block(first, buffers.starts[text + 1] - first), shape,
                         context.row_block(text, 1), scores);
    }
    add_attention_output(layer, context, first_rows, buffers);
    feed_forward(layer, first_rows, buffers);
    return first_rows;
  }

  BertConfig config_;
  kernels::AttentionShape attention_;
  bool first_row_only_;
  Precision precision_;
  std::vector<Layer<Linear>> layers_;
};

template <class Linear>
core::Result<std::unique_ptr<const BertStack>> load_stack(const BertTensorReader& reader, const BertConfig& config,
                                                          Precision precision, bool first_row_only) {
  auto stack = std::make_unique<PackedStack<Linear>>(config, reader.padded_head_width(), first_row_only, precision);
  CORE_CHECK(stack->load(reader));
  return stack;
}

}  // namespace

bool BufferShape::covers(const BufferShape& other) const {
  return tokens >= other.tokens && hidden == other.hidden && attention == other.attention &&
         intermediate == other.intermediate && ffn_rows >= other.ffn_rows && attention_floats >= other.attention_floats;
}

std::size_t BertBuffers::size_bytes() const {
  std::size_t total = 0;
  for (const auto* buffer : {&hidden, &first_rows, &projected, &context, &expanded, &scores}) total += buffer->size_bytes();
  for (const RowBuffers* rows : {&narrow, &wide}) {
    if (rows->quantized) total += shape.tokens * rows->quantized->stride();
    if (rows->bf16) total += shape.tokens * rows->bf16->stride() * sizeof(std::uint16_t);
    total += rows->outliers.capacity() * sizeof(Outlier);
  }
  return total;
}

core::Result<std::unique_ptr<const BertStack>> BertStack::load(const BertTensorReader& reader, const BertConfig& config,
                                                               Precision precision, bool first_row_only) {
  switch (precision) {
    case Precision::kF32: return load_stack<LinearF32>(reader, config, precision, first_row_only);
    case Precision::kBf16: return load_stack<LinearBf16>(reader, config, precision, first_row_only);
    case Precision::kInt8: return load_stack<LinearInt8>(reader, config, precision, first_row_only);
  }
  return core::fail(core::ErrorCode::kInternal, "unknown precision");
}

}  // namespace scalestyle::nn
