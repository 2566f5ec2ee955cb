#pragma once
// A TextEncoder whose vectors follow from the hash of model, precision and text: deterministic, of unit length, unlike
// for unlike texts. Completes on a pool. Counts its work and can be told to fail: for tests of what is written.

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "core/worker_pool.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::support {

class HashingTextEncoder final : public ports::TextEncoder {
 public:
  explicit HashingTextEncoder(core::WorkerPool& pool, std::size_t dimension = 16, std::string precision = "f32")
      : pool_(pool),
        info_{.model = "hash-model", .weights_hash = std::string(64, 'a'), .precision = std::move(precision),
              .dimension = dimension, .max_tokens = 512} {}

  [[nodiscard]] const ports::EncoderInfo& info() const override { return info_; }

  // The vector of one text, as encode() gives it.
  [[nodiscard]] std::vector<float> vector_of(const std::string& text) const {
    std::vector<float> vector;
    double sum = 0;
    for (std::size_t i = 0; vector.size() < info_.dimension; ++i) {
      const auto digest = core::sha256(info_.model + info_.weights_hash + info_.precision + std::to_string(i) + text);
      for (std::size_t j = 0; j < digest.size() && vector.size() < info_.dimension; ++j) {
        vector.push_back(static_cast<float>(digest[j]) - 127.5F);
        sum += static_cast<double>(vector.back()) * static_cast<double>(vector.back());
      }
    }
    for (float& value : vector) value = static_cast<float>(static_cast<double>(value) / std::sqrt(sum));
    return vector;
  }

  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts,
                                                                       core::Deadline deadline) override {
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    const auto before = texts_encoded.fetch_add(static_cast<std::int64_t>(texts.size()));
    if (fail_after_texts >= 0 && before + static_cast<std::int64_t>(texts.size()) > fail_after_texts) {
      co_return core::fail(core::ErrorCode::kUnavailable, "the encoder was told to fail");
    }
    ports::EmbeddingBatch batch{.dimension = info_.dimension, .values = {}, .tokens = 0};
    for (const std::string& text : texts) {
      const auto vector = vector_of(text);
      batch.values.insert(batch.values.end(), vector.begin(), vector.end());
      batch.tokens += text.size() / 5 + 2;
    }
    co_return batch;
  }

  std::atomic<std::int64_t> texts_encoded{0};
  std::atomic<std::int64_t> fail_after_texts{-1};  // negative: never

 private:
  core::WorkerPool& pool_;
  ports::EncoderInfo info_;
};

}  // namespace scalestyle::support
