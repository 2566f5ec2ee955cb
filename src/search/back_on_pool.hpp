#pragma once
// Models of another server complete on the thread of its connections; what follows is computing, which must not hold that
// thread up. These give the same answers on the compute pool. Where the pool takes no more, they come on the thread they came on.
//
// Thread safety: as the models behind them, which they must not outlive.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "ports/image_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::search {

// What `task` gives, on the pool.
template <class T>
core::Task<T> back_on_pool(core::Task<T> task, core::WorkerPool& pool) {
  T value = co_await std::move(task);
  static_cast<void>(co_await pool.schedule(core::Deadline::never()));
  co_return std::move(value);
}

class PooledTextEncoder final : public ports::TextEncoder {
 public:
  PooledTextEncoder(ports::TextEncoder& encoder, core::WorkerPool& pool) : encoder_(encoder), pool_(pool) {}
  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_.info(); }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts, core::Deadline deadline) override {
    return back_on_pool(encoder_.encode(std::move(texts), deadline), pool_);
  }

 private:
  ports::TextEncoder& encoder_;
  core::WorkerPool& pool_;
};

class PooledPairScorer final : public ports::PairScorer {
 public:
  PooledPairScorer(ports::PairScorer& scorer, core::WorkerPool& pool) : scorer_(scorer), pool_(pool) {}
  [[nodiscard]] const ports::ScorerInfo& info() const override { return scorer_.info(); }
  [[nodiscard]] double tokens_per_second() const override { return scorer_.tokens_per_second(); }
  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override {
    return back_on_pool(scorer_.score(std::move(query), std::move(texts), deadline), pool_);
  }

 private:
  ports::PairScorer& scorer_;
  core::WorkerPool& pool_;
};

class PooledImageEncoder final : public ports::ImageEncoder {
 public:
  PooledImageEncoder(ports::ImageEncoder& encoder, core::WorkerPool& pool) : encoder_(encoder), pool_(pool) {}
  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_.info(); }
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<ports::EncodedImage> images, core::Deadline deadline) override {
    return back_on_pool(encoder_.encode_images(std::move(images), deadline), pool_);
  }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                             core::Deadline deadline) override {
    return back_on_pool(encoder_.encode_texts(std::move(texts), deadline), pool_);
  }

 private:
  ports::ImageEncoder& encoder_;
  core::WorkerPool& pool_;
};

}  // namespace scalestyle::search
