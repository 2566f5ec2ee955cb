#include "nn/cross_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "nn/bert_model.hpp"
#include "nn/linear.hpp"
#include "nn/portable_math.hpp"

namespace scalestyle::nn {

using core::ErrorCode;
using kernels::Matrix;

float calibrated_score(float logit) {
  return std::max(static_cast<float>(portable_sigmoid(static_cast<double>(logit))), std::numeric_limits<float>::min());
}

struct CrossEncoder::Impl {
  [[nodiscard]] core::Status load_head(const SafetensorsFile& file);
  void apply_head(const Matrix& first_rows, LayerBuffers& buffers, float* logits) const;

  std::unique_ptr<const BertModel> model;
  ScoreActivation activation = ScoreActivation::kSigmoid;
  LinearF32 dense;   // hidden to hidden
  LinearF32 output;  // hidden to one
};

core::Status CrossEncoder::Impl::load_head(const SafetensorsFile& file) {
  const BertTensorReader reader(file, model->config());
  const bool bert = model->config().type == BertType::kBert;
  const std::size_t hidden = model->config().hidden;
  CORE_TRY(const LinearTensors inner, bert ? reader.linear(reader.name("pooler.dense"), hidden, hidden)
                                           : reader.linear("classifier.dense", hidden, hidden));
  CORE_TRY(const LinearTensors outer, reader.linear(bert ? "classifier" : "classifier.out_proj", 1, hidden));
  CORE_TRY(dense, LinearF32::pack(inner));
  CORE_TRY(output, LinearF32::pack(outer));
  return {};
}

void CrossEncoder::Impl::apply_head(const Matrix& first_rows, LayerBuffers& buffers, float* logits) const {
  // The layers are done with this buffer, and it has room for a row a token.
  const Matrix pooled{buffers.context.as<float>(), first_rows.rows, first_rows.columns, first_rows.columns};
  dense.apply(first_rows, {}, {}, pooled);
  for (std::size_t row = 0; row < pooled.rows; ++row) {
    float* const values = pooled.row(row);
    std::transform(values, values + pooled.columns, values,
                   [](float value) { return static_cast<float>(portable_tanh(static_cast<double>(value))); });
  }
  output.apply(pooled, {}, {}, Matrix{logits, pooled.rows, 1, 1});
}

CrossEncoder::CrossEncoder(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
CrossEncoder::~CrossEncoder() = default;

core::Result<std::unique_ptr<const CrossEncoder>> CrossEncoder::load(const std::filesystem::path& model_dir,
                                                                     const CrossEncoderOptions& options) {
  CORE_TRY(const BertConfig config, read_bert_config(model_dir));
  auto impl = std::make_unique<Impl>();
  CORE_TRY(impl->activation, read_score_activation(model_dir));
  CORE_TRY(impl->model, BertModel::load(model_dir, config,
                                        {.precision = options.precision,
                                         .first_row_only = true,
                                         .weights_sha256 = options.weights_sha256}));
  CORE_CHECK(impl->load_head(impl->model->file()));
  return std::unique_ptr<const CrossEncoder>(new CrossEncoder(std::move(impl)));
}

core::Status CrossEncoder::score(std::span<const TokenInput> pairs, std::span<float> logits, Workspace& workspace,
                                 Team* team) const {
  if (logits.size() != pairs.size()) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("room for {} logits was given for {} pairs", logits.size(), pairs.size()));
  }
  CORE_CHECK(impl_->model->check(pairs));
  LayerBuffers& buffers = workspace.state_->buffers;
  impl_->model->forward(pairs, buffers, team, [&](std::size_t first, const Matrix& rows) {
    impl_->apply_head(rows, buffers, logits.data() + first);
  });
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) {
    return core::fail(ErrorCode::kDataLoss,
                      fmt::format("{}: the model gives a score that is not a number; its weights are damaged",
                                  impl_->model->file().path().string()));
  }
  return {};
}

BertType CrossEncoder::type() const { return impl_->model->config().type; }
ScoreActivation CrossEncoder::activation() const { return impl_->activation; }
std::size_t CrossEncoder::max_tokens() const { return impl_->model->config().max_tokens(); }
std::size_t CrossEncoder::vocabulary_size() const { return impl_->model->config().vocabulary; }
Precision CrossEncoder::precision() const { return impl_->model->precision(); }
const std::string& CrossEncoder::weights_hash() const { return impl_->model->weights_hash(); }
std::size_t CrossEncoder::weight_bytes() const { return impl_->model->weight_bytes(); }
double CrossEncoder::operations(std::size_t tokens) const { return impl_->model->operations(tokens); }

}  // namespace scalestyle::nn
