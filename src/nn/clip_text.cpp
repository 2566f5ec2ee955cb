#include "nn/clip_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "nn/kernels/elementwise.hpp"

namespace scalestyle::nn {

using core::ErrorCode;
using kernels::Matrix;

namespace {

constexpr std::size_t kChunkTokens = 256;  // as for pictures

}  // namespace

ClipTextTower::ClipTextTower(const ClipConfig& config, Precision precision)
    : config_(config), shape_(config.text.stack_shape(true, LastRows::kLast)), precision_(precision) {}

core::Result<ClipTextTower> ClipTextTower::load(const SafetensorsFile& file, const ClipConfig& config, Precision precision) {
  const ClipTensors tensors{file, "text_model.", config.text};
  ClipTextTower tower(config, precision);
  CORE_CHECK(tower.load_embeddings(tensors));
  CORE_TRY(tower.stack_, tensors.stack(tower.shape_, precision));
  CORE_TRY(tower.head_, ClipHead::load(tensors, "final_layer_norm", "text_projection", config.dimension));
  return tower;
}

core::Status ClipTextTower::load_embeddings(const ClipTensors& tensors) {
  const std::array<std::uint64_t, 2> shape{config_.vocabulary, config_.text.hidden};
  const std::array<std::uint64_t, 2> position_shape{config_.max_tokens, config_.text.hidden};
  const std::string name = tensors.prefix + "embeddings.token_embedding.weight";
  CORE_TRY(const TensorView* const tensor, tensors.file.find(name, shape));
  if (tensor->type == TensorType::kF32) {
    CORE_TRY(words_, tensors.file.view_f32(name, shape));
  } else {
    CORE_TRY(converted_words_, tensors.file.read_f32(name, shape));
    words_ = converted_words_;
  }
  CORE_TRY(positions_, tensors.file.read_f32(tensors.prefix + "embeddings.position_embedding.weight", position_shape));
  return {};
}

core::Status ClipTextTower::cut(std::span<TokenSequence> texts) const {
  const auto outside = [this](std::int32_t id) { return id < 0 || static_cast<std::size_t>(id) >= config_.vocabulary; };
  for (std::size_t index = 0; index < texts.size(); ++index) {
    TokenSequence& ids = texts[index];
    if (ids.size() > config_.max_tokens) {
      return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} has {} tokens, the model takes up to {}", index,
                                                                 ids.size(), config_.max_tokens));
    }
    if (const auto bad = std::ranges::find_if(ids, outside); bad != ids.end()) {
      return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} has the token id {}, the vocabulary ends at {}",
                                                                 index, *bad, config_.vocabulary - 1));
    }
    const auto end = std::ranges::find(ids, config_.end_token);
    if (end == ids.end()) {
      return core::fail(ErrorCode::kInvalidArgument,
                        fmt::format("text {} has no end-of-text token, which is {}", index, config_.end_token));
    }
    ids = ids.first(static_cast<std::size_t>(end - ids.begin()) + 1);
  }
  return {};
}

std::size_t ClipTextTower::chunk(std::span<const TokenSequence> texts, std::size_t first) const {
  std::size_t tokens = texts[first].size();
  std::size_t end = first + 1;
  while (end < texts.size() && tokens + texts[end].size() <= kChunkTokens) tokens += texts[end++].size();
  return end - first;
}

void ClipTextTower::forward(std::span<const TokenSequence> texts, const Matrix& vectors, LayerBuffers& buffers) const {
  std::size_t tokens = 0;
  for (const TokenSequence& ids : texts) tokens += ids.size();
  stack_->reserve(buffers, std::max(tokens, kChunkTokens));
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
  const std::size_t hidden = config_.text.hidden;
  const kernels::EmbeddingTables tables{.word = {words_.data(), config_.vocabulary, hidden, hidden},
                                        .position = {positions_.data(), config_.max_tokens, hidden, hidden}};
  kernels::embedding_sum(tables, buffers.ids, buffers.positions, {buffers.hidden.as<float>(), tokens, hidden, hidden});
  head_.apply(stack_->forward(buffers), vectors);
}

double ClipTextTower::operations(std::size_t tokens) const {
  return shape_.operations(tokens) + 2 * static_cast<double>(config_.text.hidden * config_.dimension);
}

}  // namespace scalestyle::nn
