#include "nn/clip_vision.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "nn/packed_product.hpp"

namespace scalestyle::nn {

using kernels::Matrix;

namespace {

// Pictures that go through the layers together: enough tokens to read each weight seldom, few enough for their rows to
// stay in the second-level cache.
constexpr std::size_t kChunkTokens = 256;

core::Result<std::variant<LinearF32, LinearBf16, LinearInt8>> pack(const LinearTensors& tensors, Precision precision) {
  switch (precision) {
    case Precision::kF32: return LinearF32::pack(tensors);
    case Precision::kBf16: return LinearBf16::pack(tensors);
    case Precision::kInt8: return LinearInt8::pack(tensors);
  }
  return core::fail(core::ErrorCode::kInternal, "unknown precision");
}

// Row p of `patches` is patch p: channels, lines and columns in the order of the patch embedding's weights.
void cut_into_patches(std::span<const float> pixels, std::size_t image_size, std::size_t patch_size, const Matrix& patches) {
  const std::size_t across = image_size / patch_size;
  for (std::size_t patch = 0; patch < patches.rows; ++patch) {
    const std::size_t top = patch / across * patch_size;
    const std::size_t left = patch % across * patch_size;
    float* to = patches.row(patch);
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t line = 0; line < patch_size; ++line, to += patch_size) {
        std::copy_n(pixels.data() + (channel * image_size + top + line) * image_size + left, patch_size, to);
      }
    }
  }
}

}  // namespace

std::size_t ClipVisionBuffers::size_bytes() const {
  std::size_t total = layers.size_bytes() + patches.size_bytes();
  if (prepared.quantized) total += patch_rows * prepared.quantized->stride();
  if (prepared.bf16) total += patch_rows * prepared.bf16->stride() * sizeof(std::uint16_t);
  return total + prepared.outliers.capacity() * sizeof(Outlier);
}

ClipVisionTower::ClipVisionTower(const ClipConfig& config, Precision precision)
    : config_(config), shape_(config.vision.stack_shape(false, LastRows::kFirst)), precision_(precision) {}

core::Result<ClipVisionTower> ClipVisionTower::load(const SafetensorsFile& file, const ClipConfig& config,
                                                    Precision precision) {
  const ClipTensors tensors{file, "vision_model.", config.vision};
  ClipVisionTower tower(config, precision);
  CORE_CHECK(tower.load_embeddings(tensors));
  CORE_CHECK(tower.load_patch_embedding(tensors));
  CORE_TRY(tower.stack_, tensors.stack(tower.shape_, precision));
  CORE_TRY(tower.head_, ClipHead::load(tensors, "post_layernorm", "visual_projection", config.dimension));
  return tower;
}

core::Status ClipVisionTower::load_embeddings(const ClipTensors& tensors) {
  const std::size_t hidden = config_.vision.hidden;
  const std::array<std::uint64_t, 1> class_shape{hidden};
  const std::array<std::uint64_t, 2> position_shape{config_.patches() + 1, hidden};
  CORE_TRY(class_row_, tensors.file.read_f32(tensors.prefix + "embeddings.class_embedding", class_shape));
  CORE_TRY(const std::vector<float> positions,
           tensors.file.read_f32(tensors.prefix + "embeddings.position_embedding.weight", position_shape));
  std::transform(class_row_.begin(), class_row_.end(), positions.begin(), class_row_.begin(), std::plus<>());
  positions_.assign(positions.begin() + static_cast<std::ptrdiff_t>(hidden), positions.end());
  CORE_TRY(embedding_norm_, tensors.layer_norm("pre_layrnorm"));  // the hub's spelling
  return {};
}

core::Status ClipVisionTower::load_patch_embedding(const ClipTensors& tensors) {
  const std::size_t size = config_.patch_size;
  const std::size_t hidden = config_.vision.hidden;
  LinearTensors linear{.out = hidden, .in = config_.patch_values(), .weight = {}, .bias = {}};
  // Plain patches (a photo's background) are one value 3 * size² times: rounding errors of the weights do not average out.
  linear.fine = true;
  const std::array<std::uint64_t, 4> shape{hidden, 3, size, size};
  CORE_TRY(linear.weight, tensors.file.read_f32(tensors.prefix + "embeddings.patch_embedding.weight", shape));
  CORE_TRY(patch_embedding_, pack(linear, precision_));
  return {};
}

std::size_t ClipVisionTower::chunk(std::size_t pictures) const {
  const std::size_t most = std::max<std::size_t>(kChunkTokens / (config_.patches() + 1), 1);
  const std::size_t chunks = (pictures + most - 1) / most;
  return chunks == 0 ? 0 : (pictures + chunks - 1) / chunks;
}

void ClipVisionTower::reserve(ClipVisionBuffers& buffers, std::size_t pictures) const {
  stack_->reserve(buffers.layers, std::max(pictures * (config_.patches() + 1), kChunkTokens));
  const bool ready = buffers.precision == precision_ && buffers.patch_rows == config_.patches() &&
                     buffers.patch_values == config_.patch_values();
  if (ready) return;
  buffers.patches = kernels::AlignedBuffer(config_.image_values() * sizeof(float));
  buffers.prepared = {};
  std::visit(
      [&]<class Linear>(const Linear& /*product*/) {
        Linear::reserve(buffers.prepared, config_.patches(), config_.patch_values());
      },
      patch_embedding_);
  buffers.patch_rows = config_.patches();
  buffers.patch_values = config_.patch_values();
  buffers.precision = precision_;
}

void ClipVisionTower::embed(std::span<const float> pixels, const Matrix& rows, ClipVisionBuffers& buffers) const {
  const std::size_t hidden = config_.vision.hidden;
  const Matrix patches{buffers.patches.as<float>(), config_.patches(), config_.patch_values(), config_.patch_values()};
  cut_into_patches(pixels, config_.image_size, config_.patch_size, patches);
  std::copy_n(class_row_.data(), hidden, rows.data);
  const LinearCall with_positions{.residual = {positions_.data(), patches.rows, hidden, hidden}};
  std::visit(
      [&]<class Linear>(const Linear& product) {
        Linear::prepare(patches, buffers.prepared, RowKind::kHidden);
        multiply(product, {patches, buffers.prepared, buffers.layers.team}, with_positions, rows.row_block(1, patches.rows));
      },
      patch_embedding_);
}

void ClipVisionTower::forward(std::span<const float> pixels, const Matrix& vectors, ClipVisionBuffers& buffers) const {
  reserve(buffers, vectors.rows);
  const std::size_t hidden = config_.vision.hidden;
  const std::size_t tokens = config_.patches() + 1;
  const Matrix rows{buffers.layers.hidden.as<float>(), vectors.rows * tokens, hidden, hidden};
  buffers.layers.starts.assign(1, 0);
  for (std::size_t picture = 0; picture < vectors.rows; ++picture) {
    embed(pixels.subspan(picture * config_.image_values(), config_.image_values()), rows.row_block(picture * tokens, tokens),
          buffers);
    buffers.layers.starts.push_back((picture + 1) * tokens);
  }
  embedding_norm_.apply(rows, rows);
  head_.apply(stack_->forward(buffers.layers), vectors);
}

std::size_t ClipVisionTower::size_bytes() const {
  return stack_->size_bytes() + head_.size_bytes() +
         std::visit([](const auto& product) { return product.size_bytes(); }, patch_embedding_);
}

double ClipVisionTower::operations() const {
  const auto hidden = static_cast<double>(config_.vision.hidden);
  return 2 * static_cast<double>(config_.patches() * config_.patch_values()) * hidden +
         shape_.operations(config_.patches() + 1) + 2 * hidden * static_cast<double>(config_.dimension);
}

}  // namespace scalestyle::nn
