#pragma once
// A scorer and an image encoder for many callers at once: a few are computed at a time, in the order they come; the rest wait, up
// to so many tokens or pictures, above which they are refused. Who goes away or whose deadline passes while it waits is not
// computed. Calls are not put together as those of BatchingTextEncoder are: the work of one fills every thread.
// Thread safety: as the ports. Must outlive every call.

#include <cstddef>
#include <string>
#include <vector>

#include "adapters/embedded/turn_queue.hpp"
#include "ports/image_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::embedded {

class QueuedPairScorer final : public ports::PairScorer {
 public:
  struct Options {
    std::size_t running = 2;             // calls at a time
    std::size_t queue_tokens = 65'536;   // waiting, estimated
  };

  QueuedPairScorer(ports::PairScorer& scorer, Options options, core::WorkerPool& pool, const core::Clock& clock, telemetry::Metrics& metrics);

  [[nodiscard]] const ports::ScorerInfo& info() const override { return scorer_.info(); }
  [[nodiscard]] double tokens_per_second() const override { return scorer_.tokens_per_second(); }
  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override;
  [[nodiscard]] std::size_t waiting_tokens() const { return turns_.waiting_weight(); }

 private:
  ports::PairScorer& scorer_;
  const core::Clock& clock_;
  TurnQueue turns_;
  telemetry::Counter refused_;
};

class QueuedImageEncoder final : public ports::ImageEncoder {
 public:
  struct Options {
    std::size_t running = 2;        // calls at a time
    std::size_t queue_items = 256;  // pictures and texts waiting
  };

  QueuedImageEncoder(ports::ImageEncoder& encoder, Options options, core::WorkerPool& pool, const core::Clock& clock, telemetry::Metrics& metrics);

  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_.info(); }
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<ports::EncodedImage> images, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                             core::Deadline deadline) override;
  [[nodiscard]] std::size_t waiting_items() const { return turns_.waiting_weight(); }

 private:
  [[nodiscard]] core::Task<core::Result<TurnQueue::Turn>> turn(core::Deadline deadline, std::size_t items);

  ports::ImageEncoder& encoder_;
  TurnQueue turns_;
  telemetry::Counter refused_;
};

}  // namespace scalestyle::adapters::embedded
