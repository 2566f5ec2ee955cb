#include "nn/clip_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "nn/clip_config.hpp"
#include "nn/clip_text.hpp"
#include "nn/clip_vision.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

using core::ErrorCode;
using kernels::Matrix;

namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

// Apart, because towers differ in width: pictures and texts in turn must not make the buffers anew.
struct ClipWorkspace::State {
  ClipVisionBuffers vision;
  LayerBuffers text;
  std::vector<TokenSequence> texts;
};

ClipWorkspace::ClipWorkspace() : state_(std::make_unique<State>()) {}
ClipWorkspace::~ClipWorkspace() = default;
ClipWorkspace::ClipWorkspace(ClipWorkspace&&) noexcept = default;
ClipWorkspace& ClipWorkspace::operator=(ClipWorkspace&&) noexcept = default;
std::size_t ClipWorkspace::size_bytes() const { return state_->vision.size_bytes() + state_->text.size_bytes(); }

struct ClipModel::Impl {
  [[nodiscard]] core::Status check_vectors(std::span<const float> vectors) const {
    if (all_finite(vectors)) return {};
    return core::fail(ErrorCode::kDataLoss,
                      fmt::format("{}: the model gives a vector that is not finite; its weights are damaged, fetch it again",
                                  file.path().string()));
  }

  SafetensorsFile file;
  ClipConfig config;
  Precision precision;
  std::string hash;
  ClipVisionTower vision;
  ClipTextTower text;
};

ClipModel::ClipModel(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
ClipModel::~ClipModel() = default;

core::Result<std::unique_ptr<const ClipModel>> ClipModel::load(const std::filesystem::path& model_dir,
                                                               const ClipOptions& options) {
  CORE_TRY(const ClipConfig config, read_clip_config(model_dir));
  CORE_TRY(SafetensorsFile file, SafetensorsFile::open(model_dir / "model.safetensors"));
  CORE_TRY(ClipVisionTower vision, ClipVisionTower::load(file, config, options.precision));
  CORE_TRY(ClipTextTower text, ClipTextTower::load(file, config, options.precision));
  std::string hash = options.weights_sha256.empty() ? file.sha256() : options.weights_sha256;
  // What packing has read is not needed again, the rows of the token table come back as words use them.
  file.release_pages();
  auto impl = std::make_unique<const Impl>(
      Impl{std::move(file), config, options.precision, std::move(hash), std::move(vision), std::move(text)});
  return std::unique_ptr<const ClipModel>(new ClipModel(std::move(impl)));
}

core::Status ClipModel::encode_images(std::span<const float> pixels, std::span<float> out, ClipWorkspace& workspace,
                                      Team* team) const {
  const std::size_t values = impl_->config.image_values();
  const std::size_t width = dimension();
  const std::size_t count = pixels.size() / values;
  if (pixels.size() != count * values || out.size() != count * width) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{} pixel values and room for {} floats were given; a picture has {} values and a vector {}",
                                  pixels.size(), out.size(), values, width));
  }
  if (!all_finite(pixels)) return core::fail(ErrorCode::kInvalidArgument, "a picture has a pixel that is not finite");
  ClipVisionBuffers& buffers = workspace.state_->vision;
  buffers.layers.team = team;
  const std::size_t chunk = impl_->vision.chunk(count);
  for (std::size_t first = 0; first < count; first += chunk) {
    const std::size_t pictures = std::min(chunk, count - first);
    impl_->vision.forward(pixels.subspan(first * values, pictures * values),
                          Matrix{out.data() + first * width, pictures, width, width}, buffers);
  }
  return impl_->check_vectors(out);
}

core::Status ClipModel::encode_texts(std::span<const TokenSequence> texts, std::span<float> out, ClipWorkspace& workspace,
                                     Team* team) const {
  const std::size_t width = dimension();
  if (out.size() != texts.size() * width) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("room for {} floats was given, {} texts of dimension {} need {}",
                                                               out.size(), texts.size(), width, texts.size() * width));
  }
  std::vector<TokenSequence>& cut = workspace.state_->texts;
  cut.assign(texts.begin(), texts.end());
  CORE_CHECK(impl_->text.cut(cut));
  LayerBuffers& buffers = workspace.state_->text;
  buffers.team = team;
  for (std::size_t first = 0; first < cut.size();) {
    const std::size_t count = impl_->text.chunk(cut, first);
    impl_->text.forward(std::span(cut).subspan(first, count), Matrix{out.data() + first * width, count, width, width}, buffers);
    first += count;
  }
  return impl_->check_vectors(out);
}

std::size_t ClipModel::dimension() const { return impl_->config.dimension; }
std::size_t ClipModel::image_size() const { return impl_->config.image_size; }
std::size_t ClipModel::max_tokens() const { return impl_->config.max_tokens; }
std::size_t ClipModel::vocabulary_size() const { return impl_->config.vocabulary; }
std::int32_t ClipModel::end_token() const { return impl_->config.end_token; }
Precision ClipModel::precision() const { return impl_->precision; }
const std::string& ClipModel::weights_hash() const { return impl_->hash; }
std::size_t ClipModel::weight_bytes() const { return impl_->vision.size_bytes() + impl_->text.size_bytes(); }
double ClipModel::image_operations() const { return impl_->vision.operations(); }
double ClipModel::text_operations(std::size_t tokens) const { return impl_->text.operations(tokens); }

}  // namespace scalestyle::nn
