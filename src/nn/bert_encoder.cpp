#include "nn/bert_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/files.hpp"
#include "nn/bert_config.hpp"
#include "nn/bert_stack.hpp"
#include "nn/bert_weights.hpp"
#include "nn/kernels/elementwise.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

using core::ErrorCode;
using kernels::Matrix;

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20U;

// Tokens that go through the layers together: enough to read each weight seldom, few enough for their rows to stay in
// the second-level cache. A longer text is a chunk of its own.
constexpr std::size_t kChunkTokens = 256;

constexpr std::array<std::string_view, 3> kPrecisionNames = {"f32", "bf16", "int8"};

}  // namespace

std::string_view to_string(Precision precision) { return kPrecisionNames[static_cast<std::size_t>(precision)]; }
std::string_view to_string(Pooling pooling) { return pooling == Pooling::kCls ? "cls" : "mean"; }

core::Result<Precision> parse_precision(std::string_view name) {
  for (std::size_t index = 0; index < kPrecisionNames.size(); ++index) {
    if (kPrecisionNames[index] == name) return static_cast<Precision>(index);
  }
  return core::fail(ErrorCode::kInvalidArgument, fmt::format("unknown precision \"{}\": f32, bf16 or int8", name), "precision");
}

struct BertEncoder::Workspace::State {
  BertBuffers buffers;
};

BertEncoder::Workspace::Workspace() : state_(std::make_unique<State>()) {}
BertEncoder::Workspace::~Workspace() = default;
BertEncoder::Workspace::Workspace(Workspace&&) noexcept = default;
BertEncoder::Workspace& BertEncoder::Workspace::operator=(Workspace&&) noexcept = default;
std::size_t BertEncoder::Workspace::size_bytes() const { return state_->buffers.size_bytes(); }

struct BertEncoder::Impl {
  explicit Impl(SafetensorsFile mapped) : file(std::move(mapped)) {}

  [[nodiscard]] core::Status load(const EncoderOptions& options);
  [[nodiscard]] core::Status load_embeddings(const BertTensorReader& reader);
  [[nodiscard]] core::Status check(std::span<const TokenSequence> texts, std::size_t out_size) const;
  void encode_chunk(std::span<const TokenSequence> texts, float* out, BertBuffers& buffers) const;
  void embed(std::span<const TokenSequence> texts, BertBuffers& buffers) const;
  void pool_mean(const Matrix& rows, std::span<const std::size_t> starts, const Matrix& out) const;

  SafetensorsFile file;
  BertConfig config;
  Precision precision = Precision::kInt8;
  Pooling pooling = Pooling::kCls;
  bool normalize = true;
  std::string hash;
  std::span<const float> words;     // in the mapped file, or in converted_words
  std::vector<float> converted_words;
  std::vector<float> positions;
  std::vector<float> token_types;
  LayerNormTensors embedding_norm;
  std::unique_ptr<const BertStack> stack;
};

core::Status BertEncoder::Impl::load_embeddings(const BertTensorReader& reader) {
  const std::array<std::uint64_t, 2> shape{config.vocabulary, config.hidden};
  const std::string name = reader.name("embeddings.word_embeddings.weight");
  CORE_TRY(const TensorView* const tensor, file.find(name, shape));
  if (tensor->type == TensorType::kF32) {
    CORE_TRY(words, file.view_f32(name, shape));
  } else {
    CORE_TRY(converted_words, file.read_f32(name, shape));
    words = converted_words;
  }
  CORE_TRY(positions, reader.table("embeddings.position_embeddings.weight", config.max_positions));
  CORE_TRY(token_types, reader.table("embeddings.token_type_embeddings.weight", config.token_types));
  CORE_TRY(embedding_norm, reader.layer_norm("embeddings.LayerNorm"));
  return {};
}

core::Status BertEncoder::Impl::load(const EncoderOptions& options) {
  precision = options.precision;
  normalize = options.normalize;
  hash = options.weights_sha256.empty() ? file.sha256() : options.weights_sha256;
  const BertTensorReader reader(file, config);
  CORE_CHECK(load_embeddings(reader));
  CORE_TRY(stack, BertStack::load(reader, config, precision, pooling == Pooling::kCls));
  // What packing has read is not needed again, the rows of the embedding table come back as words use them.
  file.release_pages();
  return {};
}

core::Status BertEncoder::Impl::check(std::span<const TokenSequence> texts, std::size_t out_size) const {
  if (out_size != texts.size() * config.hidden) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("room for {} floats was given, {} texts of dimension {} need {}",
                                                               out_size, texts.size(), config.hidden,
                                                               texts.size() * config.hidden));
  }
  for (std::size_t index = 0; index < texts.size(); ++index) {
    const TokenSequence ids = texts[index];
    if (ids.empty() || ids.size() > config.max_positions) {
      return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} has {} tokens, the model takes 1 to {}", index,
                                                                 ids.size(), config.max_positions));
    }
    const auto outside = [this](std::int32_t id) { return id < 0 || static_cast<std::size_t>(id) >= config.vocabulary; };
    if (const auto bad = std::ranges::find_if(ids, outside); bad != ids.end()) {
      return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} has the token id {}, the vocabulary ends at {}",
                                                                 index, *bad, config.vocabulary - 1));
    }
  }
  return {};
}

void BertEncoder::Impl::embed(std::span<const TokenSequence> texts, BertBuffers& buffers) const {
  buffers.ids.clear();
  buffers.positions.clear();
  buffers.starts.assign(1, 0);
  for (const TokenSequence& ids : texts) {
    buffers.ids.insert(buffers.ids.end(), ids.begin(), ids.end());
    for (std::size_t position = 0; position < ids.size(); ++position) {
      buffers.positions.push_back(static_cast<std::int32_t>(position));
    }
    buffers.starts.push_back(buffers.ids.size());
  }
  const std::size_t hidden = config.hidden;
  const kernels::EmbeddingTables tables{.word = {words.data(), config.vocabulary, hidden, hidden},
                                        .position = {positions.data(), config.max_positions, hidden, hidden},
                                        .type_row = token_types.data()};
  const Matrix rows{buffers.hidden.as<float>(), buffers.ids.size(), hidden, hidden};
  kernels::embedding_sum(tables, buffers.ids, buffers.positions, rows);
  kernels::layer_norm(rows, {embedding_norm.gamma, embedding_norm.beta, config.layer_norm_epsilon}, rows);
}

void BertEncoder::Impl::pool_mean(const Matrix& rows, std::span<const std::size_t> starts, const Matrix& out) const {
  for (std::size_t text = 0; text < out.rows; ++text) {
    float* const sum = out.row(text);
    std::fill_n(sum, out.columns, 0.0F);
    for (std::size_t row = starts[text]; row < starts[text + 1]; ++row) {
      for (std::size_t column = 0; column < out.columns; ++column) sum[column] += rows.row(row)[column];
    }
    const auto count = static_cast<float>(starts[text + 1] - starts[text]);
    for (std::size_t column = 0; column < out.columns; ++column) sum[column] /= count;
  }
}

void BertEncoder::Impl::encode_chunk(std::span<const TokenSequence> texts, float* out, BertBuffers& buffers) const {
  embed(texts, buffers);
  const Matrix rows = stack->forward(buffers);
  const Matrix vectors{out, texts.size(), config.hidden, config.hidden};
  if (pooling == Pooling::kMean) {
    pool_mean(rows, buffers.starts, vectors);
  } else {
    std::copy_n(rows.data, texts.size() * config.hidden, out);
  }
  if (normalize) kernels::l2_normalize(vectors);
}

BertEncoder::BertEncoder(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
BertEncoder::~BertEncoder() = default;

core::Result<std::unique_ptr<const BertEncoder>> BertEncoder::load(const std::filesystem::path& model_dir,
                                                                   const EncoderOptions& options) {
  const std::filesystem::path config_path = model_dir / "config.json";
  CORE_TRY(const std::string config_text, core::read_text_file(config_path, kMaxConfigBytes));
  CORE_TRY(const BertConfig config, parse_bert_config(config_text, config_path.string()));
  CORE_TRY(const std::optional<Pooling> found_pooling, read_pooling(model_dir));
  const std::optional<Pooling> pooling = options.pooling ? options.pooling : found_pooling;
  if (!pooling) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{}: no pooling was given and there is no 1_Pooling/config.json", model_dir.string()),
                      "pooling");
  }
  CORE_TRY(SafetensorsFile file, SafetensorsFile::open(model_dir / "model.safetensors"));
  auto impl = std::make_unique<Impl>(std::move(file));
  impl->config = config;
  impl->pooling = *pooling;
  CORE_CHECK(impl->load(options));
  return std::unique_ptr<const BertEncoder>(new BertEncoder(std::move(impl)));
}

core::Status BertEncoder::encode(std::span<const TokenSequence> texts, std::span<float> out, Workspace& workspace,
                                 Team* team) const {
  CORE_CHECK(impl_->check(texts, out.size()));
  BertBuffers& buffers = workspace.state_->buffers;
  buffers.team = team;
  for (std::size_t first = 0; first < texts.size();) {
    std::size_t tokens = texts[first].size();
    std::size_t end = first + 1;
    while (end < texts.size() && tokens + texts[end].size() <= kChunkTokens) tokens += texts[end++].size();
    const BufferShape shape = impl_->stack->buffer_shape(std::max(tokens, kChunkTokens));
    if (buffers.precision != impl_->precision || !buffers.shape.covers(shape)) impl_->stack->reserve(buffers, shape);
    impl_->encode_chunk(texts.subspan(first, end - first), out.data() + first * impl_->config.hidden, buffers);
    first = end;
  }
  return {};
}

std::size_t BertEncoder::dimension() const { return impl_->config.hidden; }
std::size_t BertEncoder::max_tokens() const { return impl_->config.max_positions; }
std::size_t BertEncoder::vocabulary_size() const { return impl_->config.vocabulary; }
Precision BertEncoder::precision() const { return impl_->precision; }
Pooling BertEncoder::pooling() const { return impl_->pooling; }
const std::string& BertEncoder::weights_hash() const { return impl_->hash; }
std::size_t BertEncoder::weight_bytes() const { return impl_->stack->size_bytes(); }

double BertEncoder::operations(std::size_t tokens) const {
  const auto count = static_cast<double>(tokens);
  const auto hidden = static_cast<double>(impl_->config.hidden);
  const auto intermediate = static_cast<double>(impl_->config.intermediate);
  const auto layers = static_cast<double>(impl_->config.layers);
  const double key_value_row = 2 * 2 * hidden * hidden;
  const double other_row = 2 * (2 * hidden * hidden + 2 * hidden * intermediate);
  const double attention_row = 4 * count * hidden;
  const double last_rows = impl_->pooling == Pooling::kCls ? 1 : count;
  return (layers - 1) * count * (key_value_row + other_row + attention_row) + count * key_value_row +
         last_rows * (other_row + attention_row);
}

}  // namespace scalestyle::nn
