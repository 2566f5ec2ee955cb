#pragma once
// An ImageEncoder that decodes nothing: a "photo" is any bytes that begin with "photo", and its vector follows from the hash of
// model, precision and bytes, of unit length. Bytes that begin with "broken" are damaged, with "huge" too large, all others
// no picture. Completes on a pool. Counts its work and can be told to fail: for tests of what is written.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/worker_pool.hpp"
#include "ports/image_encoder.hpp"
#include "support/hashing_text_encoder.hpp"

namespace scalestyle::support {

class HashingImageEncoder final : public ports::ImageEncoder {
 public:
  explicit HashingImageEncoder(core::WorkerPool& pool, std::size_t dimension = 12, std::string precision = "f32")
      : pool_(pool), texts_(pool, dimension, precision) {
    info_ = texts_.info();
    info_.model = "hash-pictures";
    info_.weights_hash = std::string(64, 'c');
    info_.max_tokens = 77;
  }

  [[nodiscard]] const ports::EncoderInfo& info() const override { return info_; }

  // The vector of one picture, as encode_images() gives it.
  [[nodiscard]] std::vector<float> vector_of(const std::string& bytes) const { return texts_.vector_of("picture " + bytes); }

  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<ports::EncodedImage> images, core::Deadline deadline) override {
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    const auto before = images_encoded.fetch_add(static_cast<std::int64_t>(images.size()));
    if (fail_after_images >= 0 && before + static_cast<std::int64_t>(images.size()) > fail_after_images) {
      co_return core::fail(core::ErrorCode::kUnavailable, "the encoder was told to fail");
    }
    std::vector<core::Result<std::vector<float>>> results;
    for (const auto& image : images) results.push_back(encode_one(*image));
    co_return results;
  }

  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                             core::Deadline deadline) override {
    return texts_.encode(std::move(texts), deadline);
  }

  std::atomic<std::int64_t> images_encoded{0};
  std::atomic<std::int64_t> fail_after_images{-1};  // negative: never

 private:
  [[nodiscard]] core::Result<std::vector<float>> encode_one(const std::string& bytes) const {
    if (bytes.starts_with("photo")) return vector_of(bytes);
    if (bytes.starts_with("broken")) return core::fail(core::ErrorCode::kInvalidArgument, "damaged: the data end early");
    if (bytes.starts_with("huge")) return core::fail(core::ErrorCode::kResourceExhausted, "more pixels than the limit");
    return core::fail(core::ErrorCode::kUnsupported, "no JPEG, PNG or WebP\nfile");
  }

  core::WorkerPool& pool_;
  HashingTextEncoder texts_;
  ports::EncoderInfo info_;
};

}  // namespace scalestyle::support
