#include "nn/bert_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "nn/kernels/elementwise.hpp"

namespace scalestyle::nn {

using core::ErrorCode;
using kernels::Matrix;

namespace {

// Tokens that go through the layers together: enough to read each weight seldom, few enough for their rows to stay in
// the second-level cache. A longer text is a chunk of its own.
constexpr std::size_t kChunkTokens = 256;

StackShape stack_shape(const BertConfig& config, bool first_row_only) {
  return {.layers = config.layers,
          .hidden = config.hidden,
          .heads = config.heads,
          .intermediate = config.intermediate,
          .norm = NormPlace::kAfter,
          .activation = kernels::Activation::kGeluErf,
          .causal = false,
          .last_rows = first_row_only ? LastRows::kFirst : LastRows::kAll};
}

}  // namespace

BertWorkspace::BertWorkspace() : state_(std::make_unique<State>()) {}
BertWorkspace::~BertWorkspace() = default;
BertWorkspace::BertWorkspace(BertWorkspace&&) noexcept = default;
BertWorkspace& BertWorkspace::operator=(BertWorkspace&&) noexcept = default;
std::size_t BertWorkspace::size_bytes() const { return state_->buffers.size_bytes(); }

BertModel::BertModel(SafetensorsFile file, const BertConfig& config, const Options& options)
    : file_(std::move(file)),
      config_(config),
      precision_(options.precision),
      shape_(stack_shape(config, options.first_row_only)),
      hash_(options.weights_sha256.empty() ? file_.sha256() : options.weights_sha256) {}

core::Status BertModel::load_embeddings(const BertTensorReader& reader) {
  const std::array<std::uint64_t, 2> shape{config_.vocabulary, config_.hidden};
  const std::string name = reader.name("embeddings.word_embeddings.weight");
  CORE_TRY(const TensorView* const tensor, file_.find(name, shape));
  if (tensor->type == TensorType::kF32) {
    CORE_TRY(words_, file_.view_f32(name, shape));
  } else {
    CORE_TRY(converted_words_, file_.read_f32(name, shape));
    words_ = converted_words_;
  }
  CORE_TRY(positions_, reader.table("embeddings.position_embeddings.weight", config_.max_positions));
  CORE_TRY(token_types_, reader.table("embeddings.token_type_embeddings.weight", config_.token_types));
  CORE_TRY(embedding_norm_, reader.layer_norm("embeddings.LayerNorm"));
  return {};
}

core::Result<std::unique_ptr<const BertModel>> BertModel::load(const std::filesystem::path& model_dir,
                                                               const BertConfig& config, const Options& options) {
  CORE_TRY(SafetensorsFile file, SafetensorsFile::open(model_dir / "model.safetensors"));
  std::unique_ptr<BertModel> model(new BertModel(std::move(file), config, options));
  const BertTensorReader reader(model->file_, model->config_);
  CORE_CHECK(model->load_embeddings(reader));
  const auto read_layer = [&reader](std::size_t index) { return reader.layer(index); };
  CORE_TRY(model->stack_, LayerStack::load(model->shape_, options.precision, read_layer));
  // What packing has read is not needed again, the rows of the embedding table come back as words use them.
  model->file_.release_pages();
  return model;
}

core::Status BertModel::check(std::span<const TokenInput> texts) const {
  const auto outside = [this](std::int32_t id) { return id < 0 || static_cast<std::size_t>(id) >= config_.vocabulary; };
  for (std::size_t index = 0; index < texts.size(); ++index) {
    const TokenSequence ids = texts[index].ids;
    if (ids.empty() || ids.size() > config_.max_tokens()) {
      return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} has {} tokens, the model takes 1 to {}", index,
                                                                 ids.size(), config_.max_tokens()));
    }
    if (const auto bad = std::ranges::find_if(ids, outside); bad != ids.end()) {
      return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} has the token id {}, the vocabulary ends at {}",
                                                                 index, *bad, config_.vocabulary - 1));
    }
    if (texts[index].second_segment < ids.size() && config_.token_types < 2) {
      return core::fail(ErrorCode::kInvalidArgument,
                        fmt::format("text {} has a second segment, the model has one token type", index));
    }
  }
  return {};
}

void BertModel::embed(std::span<const TokenInput> texts, LayerBuffers& buffers) const {
  buffers.ids.clear();
  buffers.positions.clear();
  buffers.starts.assign(1, 0);
  for (const TokenInput& text : texts) {
    buffers.ids.insert(buffers.ids.end(), text.ids.begin(), text.ids.end());
    for (std::size_t position = 0; position < text.ids.size(); ++position) {
      buffers.positions.push_back(static_cast<std::int32_t>(config_.first_position + position));
    }
    buffers.starts.push_back(buffers.ids.size());
  }
  const std::size_t hidden = config_.hidden;
  const Matrix rows{buffers.hidden.as<float>(), buffers.ids.size(), hidden, hidden};
  const auto embed_rows = [&](std::size_t first, std::size_t end, std::size_t type) {
    if (first == end) return;
    const kernels::EmbeddingTables tables{.word = {words_.data(), config_.vocabulary, hidden, hidden},
                                          .position = {positions_.data(), config_.max_positions, hidden, hidden},
                                          .type_row = token_types_.data() + type * hidden};
    kernels::embedding_sum(tables, std::span(buffers.ids).subspan(first, end - first),
                           std::span(buffers.positions).subspan(first, end - first), rows.row_block(first, end - first));
  };
  for (std::size_t text = 0; text < texts.size(); ++text) {
    const std::size_t first = buffers.starts[text];
    const std::size_t second = first + std::min(texts[text].second_segment, texts[text].ids.size());
    embed_rows(first, second, 0);
    embed_rows(second, buffers.starts[text + 1], 1);
  }
  embedding_norm_.apply(rows, rows);
}

std::size_t BertModel::chunk_end(std::span<const TokenInput> texts, std::size_t first) const {
  std::size_t tokens = texts[first].ids.size();
  std::size_t end = first + 1;
  while (end < texts.size() && tokens + texts[end].ids.size() <= kChunkTokens) tokens += texts[end++].ids.size();
  return end;
}

Matrix BertModel::forward_chunk(std::span<const TokenInput> texts, LayerBuffers& buffers) const {
  std::size_t tokens = 0;
  for (const TokenInput& text : texts) tokens += text.ids.size();
  stack_->reserve(buffers, std::max(tokens, kChunkTokens));
  embed(texts, buffers);
  return stack_->forward(buffers);
}

}  // namespace scalestyle::nn
