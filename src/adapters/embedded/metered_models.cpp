#include "adapters/embedded/metered_models.hpp"

#include <utility>

namespace scalestyle::adapters::embedded {

namespace {

// 0.25 ms (a short text) to 10 s (a language model's server that is slow).
const std::vector<double> kCallBuckets{0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

}  // namespace

ModelMeter::ModelMeter(telemetry::Metrics& metrics, const core::Clock& clock, std::string_view model) : clock_(clock) {
  const telemetry::Labels labels{{"model", std::string(model)}};
  seconds_ = metrics.histogram({"scalestyle_model_call_seconds", "Duration of calls of a model, waiting included.", labels}, kCallBuckets);
  items_ = metrics.counter({"scalestyle_model_items_total", "Texts, pairs or pictures that a model computed.", labels});
  tokens_ = metrics.counter({"scalestyle_model_tokens_total", "Tokens that a model computed.", labels});
  failures_ = metrics.counter({"scalestyle_model_failures_total", "Calls of a model that failed.", labels});
}

void ModelMeter::done(core::SteadyTime begun, std::size_t items, std::size_t tokens) const {
  seconds_.observe(std::chrono::duration<double>(now() - begun).count());
  items_.add(static_cast<double>(items));
  tokens_.add(static_cast<double>(tokens));
}

void ModelMeter::failed(core::SteadyTime begun, const core::Error& error) const {
  if (error.code == core::ErrorCode::kCancelled) return;
  seconds_.observe(std::chrono::duration<double>(now() - begun).count());
  failures_.add();
}

core::Task<core::Result<ports::EmbeddingBatch>> MeteredTextEncoder::encode(std::vector<std::string> texts, core::Deadline deadline) {
  const core::SteadyTime begun = meter_.now();
  const std::size_t count = texts.size();
  core::Result<ports::EmbeddingBatch> batch = co_await encoder_->encode(std::move(texts), deadline);
  if (batch) {
    meter_.done(begun, count, batch->tokens);
  } else {
    meter_.failed(begun, batch.error());
  }
  co_return batch;
}

core::Task<core::Result<ports::PairScores>> MeteredPairScorer::score(std::string query, std::vector<std::string> texts,
                                                                    core::Deadline deadline) {
  const core::SteadyTime begun = meter_.now();
  core::Result<ports::PairScores> scores = co_await scorer_->score(std::move(query), std::move(texts), deadline);
  if (scores) {
    meter_.done(begun, scores->pairs_computed, scores->tokens);
  } else {
    meter_.failed(begun, scores.error());
  }
  co_return scores;
}

core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> MeteredImageEncoder::encode_images(
    std::vector<ports::EncodedImage> images, core::Deadline deadline) {
  const core::SteadyTime begun = meter_.now();
  const std::size_t count = images.size();
  core::Result<std::vector<core::Result<std::vector<float>>>> vectors = co_await encoder_->encode_images(std::move(images), deadline);
  if (vectors) {
    meter_.done(begun, count, 0);
  } else {
    meter_.failed(begun, vectors.error());
  }
  co_return vectors;
}

core::Task<core::Result<ports::EmbeddingBatch>> MeteredImageEncoder::encode_texts(std::vector<std::string> texts,
                                                                                 core::Deadline deadline) {
  const core::SteadyTime begun = meter_.now();
  const std::size_t count = texts.size();
  core::Result<ports::EmbeddingBatch> batch = co_await encoder_->encode_texts(std::move(texts), deadline);
  if (batch) {
    meter_.done(begun, count, batch->tokens);
  } else {
    meter_.failed(begun, batch.error());
  }
  co_return batch;
}

}  // namespace scalestyle::adapters::embedded
