#include "adapters/embedded/local_image_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "adapters/embedded/borrowed_team.hpp"
#include "adapters/embedded/workspace_pool.hpp"
#include "image/clip_preprocessing.hpp"
#include "image/decode.hpp"
#include "nn/clip_model.hpp"
#include "text/clip_tokenizer.hpp"

namespace scalestyle::adapters::embedded {

namespace {

// Pictures computed in one go: more share the weights' way from memory, their pixels wait in the cache of that thread.
constexpr std::size_t kPicturesAtATime = 8;

struct ImageWorkspace {
  nn::ClipWorkspace model;
  std::vector<float> pixels;
  std::vector<float> vectors;
};

std::unexpected<core::Error> too_late() {
  return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the pictures were embedded");
}

core::Status check_match(const LocalImageEncoder::Options& options, const nn::ClipModel& model,
                         const text::ClipTokenizer& tokenizer, const image::ClipPreprocessing& how) {
  const auto differ = [&options](std::string what) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{}: {}; they are not of one model", options.model_dir.string(), what));
  };
  if (tokenizer.size() > model.vocabulary_size()) {
    return differ(
        fmt::format("the tokenizer has {} pieces, the model's vocabulary {}", tokenizer.size(), model.vocabulary_size()));
  }
  if (tokenizer.end_token() != model.end_token()) {
    return differ(
        fmt::format("the tokenizer ends a text by token {}, the model by {}", tokenizer.end_token(), model.end_token()));
  }
  if (how.crop != model.image_size()) {
    return differ(fmt::format("pictures are prepared with {} pixels a side, the model reads {}", how.crop, model.image_size()));
  }
  return {};
}

}  // namespace

struct LocalImageEncoder::Parts {
  std::unique_ptr<const nn::ClipModel> model;
  text::ClipTokenizer tokenizer;
  image::ClipPreprocessing preprocessing;
  WorkspacePool<ImageWorkspace> workspaces;
};

core::Result<std::unique_ptr<LocalImageEncoder>> LocalImageEncoder::create(const Options& options, core::WorkerPool& pool,
                                                                           const core::Clock& clock) {
  const nn::ClipOptions model_options{.precision = options.precision, .weights_sha256 = options.weights_sha256};
  CORE_TRY(auto model, nn::ClipModel::load(options.model_dir, model_options));
  CORE_TRY(auto tokenizer, text::ClipTokenizer::load(options.model_dir));
  CORE_TRY(const auto preprocessing, image::read_clip_preprocessing(options.model_dir));
  CORE_CHECK(check_match(options, *model, tokenizer, preprocessing));
  ports::EncoderInfo info{.model = options.model_name,
                          .weights_hash = model->weights_hash(),
                          .precision = std::string(nn::to_string(model->precision())),
                          .dimension = model->dimension(),
                          .max_tokens = model->max_tokens()};
  std::unique_ptr<Parts> parts(new Parts{.model = std::move(model),
                                         .tokenizer = std::move(tokenizer),
                                         .preprocessing = preprocessing,
                                         .workspaces = WorkspacePool<ImageWorkspace>(pool.threads())});
  return std::unique_ptr<LocalImageEncoder>(new LocalImageEncoder(std::move(parts), std::move(info), pool, clock));
}

LocalImageEncoder::LocalImageEncoder(std::unique_ptr<Parts> parts, ports::EncoderInfo info, core::WorkerPool& pool,
                                     const core::Clock& clock)
    : parts_(std::move(parts)), info_(std::move(info)), pool_(pool), clock_(clock) {}

LocalImageEncoder::~LocalImageEncoder() = default;

std::size_t LocalImageEncoder::weight_bytes() const { return parts_->model->weight_bytes(); }

core::Status LocalImageEncoder::encode_piece(std::span<const ports::EncodedImage> images,
                                             std::span<core::Result<std::vector<float>>> results, core::Deadline deadline,
                                             nn::Team* team) {
  const std::size_t side = parts_->model->image_size();
  const std::size_t picture_values = 3 * side * side;
  const auto workspace = parts_->workspaces.borrow();
  for (std::size_t first = 0; first < images.size(); first += kPicturesAtATime) {
    const std::size_t count = std::min(kPicturesAtATime, images.size() - first);
    std::array<std::size_t, kPicturesAtATime> places{};
    std::size_t decoded = 0;
    workspace->pixels.resize(count * picture_values);
    for (std::size_t i = first; i < first + count; ++i) {
      if (deadline.expired(clock_)) return too_late();
      image::DecodeLimits limits;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.remaining(clock_));
      limits.max_time = std::min(limits.max_time, left + std::chrono::milliseconds(1));
      const auto bytes = std::as_bytes(std::span(images[i]->data(), images[i]->size()));
      const auto picture = image::decode(bytes, limits, image::short_side_to_decode(parts_->preprocessing));
      if (!picture) {
        if (deadline.expired(clock_)) return too_late();
        results[i] = std::unexpected(picture.error());
        continue;
      }
      CORE_CHECK(image::preprocess(*picture, parts_->preprocessing,
                                   std::span(workspace->pixels).subspan(decoded * picture_values, picture_values)));
      places[decoded++] = i;
    }
    if (decoded == 0) continue;
    if (deadline.expired(clock_)) return too_late();
    workspace->vectors.resize(decoded * info_.dimension);
    CORE_CHECK(parts_->model->encode_images(std::span(workspace->pixels).first(decoded * picture_values), workspace->vectors,
                                            workspace->model, team));
    for (std::size_t i = 0; i < decoded; ++i) {
      const auto vector = std::span(workspace->vectors).subspan(i * info_.dimension, info_.dimension);
      results[places[i]] = std::vector<float>(vector.begin(), vector.end());
    }
  }
  return {};
}

core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> LocalImageEncoder::encode_images(
    std::vector<ports::EncodedImage> images, core::Deadline deadline) {
  CORE_CO_CHECK(co_await pool_.schedule(deadline));
  std::vector<core::Result<std::vector<float>>> results(images.size());
  const std::size_t pieces = std::min(images.size(), pool_.queued() > 0 ? std::size_t{1} : pool_.threads());
  if (pieces == 1) {
    const BorrowedTeam team(pool_);
    CORE_CO_CHECK(encode_piece(images, results, deadline, team.get()));
    co_return results;
  }
  std::vector<core::Status> outcomes(pieces);
  pool_.parallel_for(pieces, [&](std::size_t piece) {
    const std::size_t begin = images.size() * piece / pieces;
    const std::size_t count = images.size() * (piece + 1) / pieces - begin;
    outcomes[piece] =
        encode_piece(std::span(images).subspan(begin, count), std::span(results).subspan(begin, count), deadline, nullptr);
  });
  for (core::Status& outcome : outcomes) CORE_CO_CHECK(std::move(outcome));
  co_return results;
}

core::Task<core::Result<ports::EmbeddingBatch>> LocalImageEncoder::encode_texts(std::vector<std::string> texts,
                                                                                core::Deadline deadline) {
  CORE_CO_CHECK(co_await pool_.schedule(deadline));
  ports::EmbeddingBatch batch{.dimension = info_.dimension, .values = {}, .tokens = 0};
  batch.values.resize(texts.size() * info_.dimension);
  std::vector<std::vector<std::int32_t>> ids;
  ids.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto tokens = parts_->tokenizer.encode(texts[i], info_.max_tokens);
    if (!tokens) {
      co_return core::fail(tokens.error().code, fmt::format("text {} of the batch: {}", i, tokens.error().message));
    }
    batch.tokens += tokens->size();
    ids.push_back(std::move(*tokens));
  }
  if (deadline.expired(clock_)) co_return too_late();
  const std::vector<nn::TokenSequence> sequences(ids.begin(), ids.end());
  const std::size_t pieces = std::min(texts.size(), pool_.queued() > 0 ? std::size_t{1} : pool_.threads());
  const auto encode = [&](std::size_t piece, nn::Team* team) {
    const std::size_t begin = texts.size() * piece / pieces;
    const std::size_t count = texts.size() * (piece + 1) / pieces - begin;
    const auto workspace = parts_->workspaces.borrow();
    return parts_->model->encode_texts(std::span(sequences).subspan(begin, count),
                                       std::span(batch.values).subspan(begin * info_.dimension, count * info_.dimension),
                                       workspace->model, team);
  };
  if (pieces == 1) {
    const BorrowedTeam team(pool_);
    CORE_CO_CHECK(encode(0, team.get()));
    co_return batch;
  }
  std::vector<core::Status> outcomes(pieces);
  pool_.parallel_for(pieces, [&](std::size_t piece) { outcomes[piece] = encode(piece, nullptr); });
  for (core::Status& outcome : outcomes) CORE_CO_CHECK(std::move(outcome));
  co_return batch;
}

}  // namespace scalestyle::adapters::embedded
