#pragma once
// An image encoder that needs no model: a picture is its bytes, which have the vector that the same text has
// (vector_of_text). Bytes that end with "damaged", "no picture" or "too large" are what
// they say. Faults are set by the test; the gate
// keeps later calls waiting.

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/worker_pool.hpp"
#include "ports/image_encoder.hpp"
#include "support/fake_gate.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::support {

class FakeImageEncoder final : public ports::ImageEncoder {
 public:
  explicit FakeImageEncoder(core::WorkerPool& pool, std::size_t dimension = 8) : pool_(pool) {
    info_ = {"fake-image-encoder", "abcdef0123456789abcdef0123456789", "f32", dimension, 77};
  }

  [[nodiscard]] const ports::EncoderInfo& info() const override { return info_; }

  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<ports::EncodedImage> images, core::Deadline deadline) override {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& image : images) images_.push_back(*image);
    }
    co_await gate_.pass();
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    if (const auto fault = current_fault()) co_return std::unexpected(*fault);
    std::vector<core::Result<std::vector<float>>> results;
    for (const auto& image : images) results.push_back(vector_of(*image));
    co_return results;
  }

  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                              core::Deadline deadline) override {
    {
      const std::lock_guard lock(mutex_);
      texts_.insert(texts_.end(), texts.begin(), texts.end());
    }
    co_await gate_.pass();
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    if (const auto fault = current_fault()) co_return std::unexpected(*fault);
    ports::EmbeddingBatch batch;
    batch.dimension = info_.dimension;
    for (const std::string& text : texts) {
      const auto vector = vector_of_text(text, info_.dimension);
      batch.values.insert(batch.values.end(), vector.begin(), vector.end());
    }
    co_return batch;
  }

  [[nodiscard]] FakeGate& gate() { return gate_; }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  // All that was to be encoded so far.
  [[nodiscard]] std::vector<std::string> images() const {
    const std::lock_guard lock(mutex_);
    return images_;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  [[nodiscard]] core::Result<std::vector<float>> vector_of(const std::string& bytes) const {
    if (bytes.ends_with("damaged")) return core::fail(core::ErrorCode::kInvalidArgument, "the picture is damaged");
    if (bytes.ends_with("no picture")) return core::fail(core::ErrorCode::kUnsupported, "neither JPEG, PNG nor WebP");
    if (bytes.ends_with("too large")) return core::fail(core::ErrorCode::kResourceExhausted, "the picture has too many pixels");
    return vector_of_text(bytes, info_.dimension);
  }
  [[nodiscard]] std::optional<core::Error> current_fault() const {
    const std::lock_guard lock(mutex_);
    return fault_;
  }

  core::WorkerPool& pool_;
  ports::EncoderInfo info_;
  FakeGate gate_;
  mutable std::mutex mutex_;
  std::optional<core::Error> fault_;  // guarded by mutex_, as below
  std::vector<std::string> images_;
  std::vector<std::string> texts_;
};

}  // namespace scalestyle::support
