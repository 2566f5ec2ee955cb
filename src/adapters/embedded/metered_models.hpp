#pragma once
// A model of any kind, whose work is counted: calls and their duration, what was computed, and what failed. Each owns the model it
// counts. By `model` ("text", "pair", "first_pair", "picture"):
//   scalestyle_model_call_seconds       histogram: from the call to its outcome, waiting included
//   scalestyle_model_items_total        texts, pairs or pictures that came back; their rate is pairs/s of a reranker
//   scalestyle_model_tokens_total       tokens of texts and pairs, special ones included; their rate is tokens/s of an encoder
//   scalestyle_model_failures_total     calls that failed, those that their client left not counted
// Thread safety: as the ports.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "ports/image_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "ports/text_encoder.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::embedded {

class ModelMeter {
 public:
  ModelMeter(telemetry::Metrics& metrics, const core::Clock& clock, std::string_view model);

  [[nodiscard]] core::SteadyTime now() const { return clock_.steady_now(); }
  void done(core::SteadyTime begun, std::size_t items, std::size_t tokens) const;
  void failed(core::SteadyTime begun, const core::Error& error) const;

 private:
  const core::Clock& clock_;
  telemetry::Histogram seconds_;
  telemetry::Counter items_;
  telemetry::Counter tokens_;
  telemetry::Counter failures_;
};

class MeteredTextEncoder final : public ports::TextEncoder {
 public:
  MeteredTextEncoder(std::unique_ptr<ports::TextEncoder> encoder, telemetry::Metrics& metrics, const core::Clock& clock)
      : encoder_(std::move(encoder)), meter_(metrics, clock, "text") {}

  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_->info(); }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts,
                                                                       core::Deadline deadline) override;

 private:
  std::unique_ptr<ports::TextEncoder> encoder_;
  ModelMeter meter_;
};

class MeteredPairScorer final : public ports::PairScorer {
 public:
  MeteredPairScorer(std::unique_ptr<ports::PairScorer> scorer, telemetry::Metrics& metrics, const core::Clock& clock,
                    std::string_view model = "pair")
      : scorer_(std::move(scorer)), meter_(metrics, clock, model) {}

  [[nodiscard]] const ports::ScorerInfo& info() const override { return scorer_->info(); }
  [[nodiscard]] double tokens_per_second() const override { return scorer_->tokens_per_second(); }
  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override;

 private:
  std::unique_ptr<ports::PairScorer> scorer_;
  ModelMeter meter_;
};

class MeteredImageEncoder final : public ports::ImageEncoder {
 public:
  MeteredImageEncoder(std::unique_ptr<ports::ImageEncoder> encoder, telemetry::Metrics& metrics, const core::Clock& clock)
      : encoder_(std::move(encoder)), meter_(metrics, clock, "picture") {}

  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_->info(); }
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<ports::EncodedImage> images, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                             core::Deadline deadline) override;

 private:
  std::unique_ptr<ports::ImageEncoder> encoder_;
  ModelMeter meter_;
};

}  // namespace scalestyle::adapters::embedded
