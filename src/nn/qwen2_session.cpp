#include "nn/qwen2_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "nn/kernels/attention.hpp"
#include "nn/kernels/elementwise.hpp"
#include "nn/portable_math.hpp"

namespace scalestyle::nn {

using core::ErrorCode;
using kernels::AlignedBuffer;
using kernels::ConstMatrix;
using kernels::Matrix;

namespace {

// Rows that go through a layer together: enough to read each weight seldom, few enough for a step to be short.
constexpr std::size_t kBatchRows = 96;

std::size_t batch_rows(std::size_t max_context) { return std::min(kBatchRows, max_context); }

core::Status check_context(const Qwen2Config& config, std::size_t max_context) {
  if (max_context > 0 && max_context <= config.max_positions) return {};
  return core::fail(ErrorCode::kInvalidArgument, fmt::format("a context of {} tokens; the model takes 1 to {}", max_context,
                                                             config.max_positions), "max_context");
}

// Sizes of a session's buffers in floats, in the order of its members.
std::array<std::size_t, 11> buffer_floats(const Qwen2Config& config, std::size_t max_context) {
  const std::size_t rows = batch_rows(max_context);
  return {config.layers * config.key_value_width() * 2 * max_context,
          rows * config.hidden,
          rows * config.hidden,
          rows * config.hidden,
          rows * config.key_value_width(),
          rows * config.key_value_width(),
          rows * config.intermediate,
          rows * config.intermediate,
          rows * config.head_width(),
          config.heads * max_context,
          config.vocabulary};
}

template <class Body>
void share(Team* team, std::size_t chunks, const Body& body) {
  if (team != nullptr) return team->run(chunks, body);
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) body(chunk);
}

Matrix matrix(const AlignedBuffer& buffer, std::size_t first_row, std::size_t rows, std::size_t columns) {
  return {buffer.as<float>() + first_row * columns, rows, columns, columns};
}

// out = linear(rows) + residual.
void multiply(const WeightOnlyLinear& linear, const ConstMatrix& rows, const Matrix& out, const ConstMatrix& residual,
              Team* team) {
  share(team, linear.panels(), [&](std::size_t panel) { linear.apply_panel(rows, panel, out, residual); });
}

}  // namespace

Qwen2Session::Qwen2Session(const Qwen2Model& model, std::size_t max_context)
    : model_(model), config_(model.config()), max_context_(max_context) {
  const auto sizes = buffer_floats(config_, max_context);
  const std::array<AlignedBuffer*, sizes.size()> buffers = {&kept_, &hidden_, &normed_, &queries_, &keys_,  &values_,
                                                            &gate_, &up_,     &turns_,  &scores_,  &logits_};
  for (std::size_t index = 0; index < sizes.size(); ++index) *buffers[index] = AlignedBuffer(sizes[index] * sizeof(float));
  // Frequencies, and the angles made of them, are rounded to f32 as the reference does.
  const double log_theta = portable_log(config_.rope_theta);
  for (std::size_t index = 0; index < config_.head_width() / 2; ++index) {
    const double exponent = 2 * static_cast<double>(index) / static_cast<double>(config_.head_width());
    inverse_frequencies_.push_back(static_cast<float>(portable_exp(-exponent * log_theta)));
  }
  pending_.reserve(max_context);
}

core::Result<std::unique_ptr<Qwen2Session>> Qwen2Session::create(const Qwen2Model& model, std::size_t max_context) {
  CORE_CHECK(check_context(model.config(), max_context));
  return std::unique_ptr<Qwen2Session>(new Qwen2Session(model, max_context));
}

std::size_t Qwen2Session::size_bytes(const Qwen2Config& config, std::size_t max_context) {
  std::size_t floats = 0;
  for (const std::size_t size : buffer_floats(config, max_context)) floats += size;
  return floats * sizeof(float);
}

core::Status Qwen2Session::begin(std::span<const std::int32_t> tokens) {
  if (!pending_.empty()) return core::fail(ErrorCode::kFailedPrecondition, "earlier tokens are not all computed");
  if (tokens.empty()) return core::fail(ErrorCode::kInvalidArgument, "there is no token to go on from");
  if (tokens.size() > max_context_ - length_) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} tokens after {} are more than the context of {}",
                                                               tokens.size(), length_, max_context_));
  }
  for (const std::int32_t id : tokens) {
    if (id >= 0 && static_cast<std::size_t>(id) < config_.vocabulary) continue;
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("token id {} is outside the vocabulary of {}", id, config_.vocabulary));
  }
  pending_.assign(tokens.begin(), tokens.end());
  batch_first_ = 0;
  layer_ = 0;
  return {};
}

bool Qwen2Session::step(Team* team) {
  assert(!pending_.empty());
  if (layer_ == config_.layers) {
    head_step(team);
    length_ += batch_rows_;
    pending_.clear();
    return true;
  }
  if (layer_ == 0) enter_batch();
  layer_step(team);
  ++layer_;
  if (layer_ < config_.layers || is_last_batch()) return false;
  length_ += batch_rows_;
  batch_first_ += batch_rows_;
  layer_ = 0;
  return false;
}

core::Status Qwen2Session::prefill(std::span<const std::int32_t> tokens, Team* team) {
  CORE_CHECK(begin(tokens));
  while (!step(team)) {
  }
  return {};
}

void Qwen2Session::reset() {
  pending_.clear();
  length_ = 0;
}

// The batch's embeddings, and by how much its heads are turned.
void Qwen2Session::enter_batch() {
  batch_rows_ = std::min(batch_rows(max_context_), pending_.size() - batch_first_);
  const std::size_t half = inverse_frequencies_.size();
  for (std::size_t row = 0; row < batch_rows_; ++row) {
    model_.embed(pending_[batch_first_ + row], {hidden_.as<float>() + row * config_.hidden, config_.hidden});
    float* const cosines = turns_.as<float>() + row * 2 * half;
    const auto position = static_cast<float>(length_ + row);
    for (std::size_t index = 0; index < half; ++index) {
      const auto turn = portable_sine_cosine(static_cast<double>(position * inverse_frequencies_[index]));
      cosines[index] = static_cast<float>(turn.cosine);
      cosines[half + index] = static_cast<float>(turn.sine);
    }
  }
}

// Rotary position embedding of `count` heads of one row, the two halves of a head being the pairs' coordinates.
// Source: Su et al., arXiv 2104.09864.
void Qwen2Session::rotate(float* heads, std::size_t count, std::size_t row) const {
  const std::size_t half = inverse_frequencies_.size();
  const float* const cosines = turns_.as<float>() + row * 2 * half;
  const float* const sines = cosines + half;
  for (std::size_t head = 0; head < count; ++head) {
    float* const first = heads + head * 2 * half;
    float* const second = first + half;
    for (std::size_t index = 0; index < half; ++index) {
      const float x = first[index];
      const float y = second[index];
      first[index] = x * cosines[index] - y * sines[index];
      second[index] = y * cosines[index] + x * sines[index];
    }
  }
}

float* Qwen2Session::kept(std::size_t layer, std::size_t head, bool values) const {
  const std::size_t block = max_context_ * config_.head_width();
  return kept_.as<float>() + ((layer * config_.key_value_heads + head) * 2 + (values ? 1 : 0)) * block;
}

void Qwen2Session::keep_keys_values(std::size_t layer, std::size_t rows) {
  const std::size_t width = config_.head_width();
  for (std::size_t row = 0; row < rows; ++row) {
    float* const keys = keys_.as<float>() + row * config_.key_value_width();
    rotate(keys, config_.key_value_heads, row);
    const float* const values = values_.as<float>() + row * config_.key_value_width();
    for (std::size_t head = 0; head < config_.key_value_heads; ++head) {
      const std::size_t at = (length_ + row) * width;
      std::copy_n(keys + head * width, width, kept(layer, head, false) + at);
      std::copy_n(values + head * width, width, kept(layer, head, true) + at);
    }
  }
}

// Grouped-query attention: neighbouring heads share keys and values. Source: Ainslie et al., arXiv 2305.13245.
void Qwen2Session::attend(std::size_t layer, std::size_t first_row, std::size_t rows, Team* team) {
  const std::size_t width = config_.head_width();
  for (std::size_t row = first_row; row < first_row + rows; ++row) {
    rotate(queries_.as<float>() + row * config_.hidden, config_.heads, row);
  }
  const Matrix queries = matrix(queries_, first_row, rows, config_.hidden);
  const Matrix context = matrix(normed_, first_row, rows, config_.hidden);
  const std::size_t sharing = config_.heads / config_.key_value_heads;
  share(team, config_.heads, [&](std::size_t head) {
    const kernels::CachedKeysValues keys_values{.keys = kept(layer, head / sharing, false),
                                                .values = kept(layer, head / sharing, true),
                                                .first_position = length_ + first_row};
    const std::size_t column = head * width;
    kernels::cached_attention({queries.data + column, rows, width, queries.stride}, keys_values,
                              {context.data + column, rows, width, context.stride},
                              {scores_.as<float>() + head * max_context_, max_context_});
  });
}

// What follows attention: its output projection and the gated feed-forward network, each added to the hidden rows.
void Qwen2Session::mix(const Qwen2Layer& layer, std::size_t first_row, std::size_t rows, Team* team) {
  const Matrix hidden = matrix(hidden_, first_row, rows, config_.hidden);
  const Matrix normed = matrix(normed_, first_row, rows, config_.hidden);
  multiply(layer.attention_output, normed, hidden, hidden, team);
  kernels::rms_norm(hidden, layer.mlp_norm, config_.rms_norm_epsilon, normed);
  const Matrix gate = matrix(gate_, 0, rows, config_.intermediate);
  const Matrix up = matrix(up_, 0, rows, config_.intermediate);
  share(team, layer.gate.panels(), [&](std::size_t panel) {
    layer.gate.apply_panel(normed, panel, gate);
    layer.up.apply_panel(normed, panel, up);
    const std::size_t column = panel * kernels::kPanelColumns;
    const std::size_t columns = std::min(kernels::kPanelColumns, config_.intermediate - column);
    kernels::silu_multiply({gate.data + column, rows, columns, gate.stride}, {up.data + column, rows, columns, up.stride});
  });
  multiply(layer.down, gate, hidden, hidden, team);
}

void Qwen2Session::layer_step(Team* team) {
  const Qwen2Layer& layer = model_.layers()[layer_];
  const std::size_t rows = batch_rows_;
  const Matrix normed = matrix(normed_, 0, rows, config_.hidden);
  kernels::rms_norm(matrix(hidden_, 0, rows, config_.hidden), layer.attention_norm, config_.rms_norm_epsilon, normed);
  const std::array<const WeightOnlyLinear*, 3> linears = {&layer.query, &layer.key, &layer.value};
  const std::array<Matrix, 3> outs = {matrix(queries_, 0, rows, config_.hidden),
                                      matrix(keys_, 0, rows, config_.key_value_width()),
                                      matrix(values_, 0, rows, config_.key_value_width())};
  const std::size_t query_panels = layer.query.panels();
  const std::size_t key_panels = layer.key.panels();
  share(team, query_panels + 2 * key_panels, [&](std::size_t chunk) {
    const std::size_t which = chunk < query_panels ? 0 : 1 + (chunk - query_panels) / key_panels;
    const std::size_t panel = which == 0 ? chunk : (chunk - query_panels) % key_panels;
    linears[which]->apply_panel(normed, panel, outs[which]);
  });
  keep_keys_values(layer_, rows);
  // After the last layer only the text's last row is looked at; of the rows before it the keys and values are enough.
  const bool last_layer = layer_ + 1 == config_.layers;
  if (last_layer && !is_last_batch()) return;
  const std::size_t first_row = last_layer ? rows - 1 : 0;
  attend(layer_, first_row, rows - first_row, team);
  mix(layer, first_row, rows - first_row, team);
}

void Qwen2Session::head_step(Team* team) {
  const std::size_t row = batch_rows_ - 1;
  const Matrix normed = matrix(normed_, row, 1, config_.hidden);
  kernels::rms_norm(matrix(hidden_, row, 1, config_.hidden), model_.final_norm(), config_.rms_norm_epsilon, normed);
  multiply(model_.head(), normed, matrix(logits_, 0, 1, config_.vocabulary), {}, team);
}

core::Result<Qwen2MemoryNeed> qwen2_memory_need(const std::filesystem::path& model_dir, Precision precision,
                                                std::size_t max_context) {
  CORE_TRY(const Qwen2Config config, read_qwen2_config(model_dir));
  CORE_CHECK(check_context(config, max_context));
  return Qwen2MemoryNeed{.weight_bytes = Qwen2Model::weight_bytes(config, precision),
                         .session_bytes = Qwen2Session::size_bytes(config, max_context)};
}

}  // namespace scalestyle::nn
