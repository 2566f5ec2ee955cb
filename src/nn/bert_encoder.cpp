#include "nn/bert_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nn/bert_config.hpp"
#include "nn/bert_model.hpp"
#include "nn/kernels/elementwise.hpp"

namespace scalestyle::nn {

using core::ErrorCode;
using kernels::Matrix;

namespace {

void pool_mean(const Matrix& rows, std::span<const std::size_t> starts, const Matrix& out) {
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

}  // namespace

std::string_view to_string(Pooling pooling) { return pooling == Pooling::kCls ? "cls" : "mean"; }

BertEncoder::BertEncoder(std::unique_ptr<const BertModel> model, Pooling pooling, bool normalize)
    : model_(std::move(model)), pooling_(pooling), normalize_(normalize) {}
BertEncoder::~BertEncoder() = default;

core::Result<std::unique_ptr<const BertEncoder>> BertEncoder::load(const std::filesystem::path& model_dir,
                                                                   const EncoderOptions& options) {
  CORE_TRY(const BertConfig config, read_bert_config(model_dir));
  if (config.type != BertType::kBert) {
    return core::fail(ErrorCode::kUnsupported, fmt::format("{}: model_type must be \"bert\" for an encoder of texts",
                                                           (model_dir / "config.json").string()));
  }
  CORE_TRY(const std::optional<Pooling> found_pooling, read_pooling(model_dir));
  const std::optional<Pooling> pooling = options.pooling ? options.pooling : found_pooling;
  if (!pooling) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{}: no pooling was given and there is no 1_Pooling/config.json", model_dir.string()),
                      "pooling");
  }
  CORE_TRY(auto model, BertModel::load(model_dir, config,
                                       {.precision = options.precision,
                                        .first_row_only = *pooling == Pooling::kCls,
                                        .weights_sha256 = options.weights_sha256}));
  return std::unique_ptr<const BertEncoder>(new BertEncoder(std::move(model), *pooling, options.normalize));
}

core::Status BertEncoder::encode(std::span<const TokenSequence> texts, std::span<float> out, Workspace& workspace,
                                 Team* team) const {
  const std::size_t width = dimension();
  if (out.size() != texts.size() * width) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("room for {} floats was given, {} texts of dimension {} need {}",
                                                               out.size(), texts.size(), width, texts.size() * width));
  }
  std::vector<TokenInput>& inputs = workspace.state_->inputs;
  inputs.clear();
  for (const TokenSequence& ids : texts) inputs.push_back({.ids = ids});
  CORE_CHECK(model_->check(inputs));
  LayerBuffers& buffers = workspace.state_->buffers;
  model_->forward(inputs, buffers, team, [&](std::size_t first, const Matrix& rows) {
    const Matrix vectors{out.data() + first * width, buffers.starts.size() - 1, width, width};
    if (pooling_ == Pooling::kMean) {
      pool_mean(rows, buffers.starts, vectors);
    } else {
      std::copy_n(rows.data, vectors.rows * width, vectors.data);
    }
    if (normalize_) kernels::l2_normalize(vectors);
  });
  return {};
}

std::size_t BertEncoder::dimension() const { return model_->config().hidden; }
std::size_t BertEncoder::max_tokens() const { return model_->config().max_tokens(); }
std::size_t BertEncoder::vocabulary_size() const { return model_->config().vocabulary; }
Precision BertEncoder::precision() const { return model_->precision(); }
Pooling BertEncoder::pooling() const { return pooling_; }
const std::string& BertEncoder::weights_hash() const { return model_->weights_hash(); }
std::size_t BertEncoder::weight_bytes() const { return model_->weight_bytes(); }
double BertEncoder::operations(std::size_t tokens) const { return model_->operations(tokens); }

}  // namespace scalestyle::nn
