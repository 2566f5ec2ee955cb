#pragma once
// A text encoder that needs no model: equal texts give equal unit vectors, other texts other ones; as for a model with a
// vocabulary of small letters, capitals are no difference. Faults are set by the test; hold() keeps every later call waiting
// on the pool until release().

#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/worker_pool.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::support {

// FNV-1a over the text in small letters, then a multiplicative generator: deterministic on every machine.
inline std::vector<float> vector_of_text(const std::string& text, std::size_t dimension) {
  std::uint64_t state = 1469598103934665603ULL;
  for (const char c : text) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    state = (state ^ static_cast<unsigned char>(small)) * 1099511628211ULL;
  }
  std::vector<float> values(dimension);
  double squares = 0;
  for (float& value : values) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    value = static_cast<float>(state >> 40U) / static_cast<float>(1U << 24U) - 0.5F;
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) / std::sqrt(squares));
  return values;
}

class FakeTextEncoder final : public ports::TextEncoder {
 public:
  explicit FakeTextEncoder(core::WorkerPool& pool, std::size_t dimension = 8) : pool_(pool) {
    info_ = {"fake-encoder", "0123456789abcdef0123456789abcdef", "f32", dimension, 512};
  }

  [[nodiscard]] const ports::EncoderInfo& info() const override { return info_; }

  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts,
                                                                       core::Deadline deadline) override {
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    {
      std::unique_lock lock(mutex_);
      batches_.push_back(texts);
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
      --waiting_;
      if (fault_) co_return std::unexpected(*fault_);
    }
    ports::EmbeddingBatch batch;
    batch.dimension = info_.dimension;
    for (const std::string& text : texts) {
      const auto vector = vector_of_text(text, info_.dimension);
      batch.values.insert(batch.values.end(), vector.begin(), vector.end());
      batch.tokens += text.size();
    }
    co_return batch;
  }

  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Returns when `calls` calls of encode are being held.
  void wait_until_held(std::size_t calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= calls; });
  }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  [[nodiscard]] std::vector<std::vector<std::string>> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

 private:
  core::WorkerPool& pool_;
  ports::EncoderInfo info_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;                              // guarded by mutex_, as all below
  std::size_t waiting_ = 0;
  std::optional<core::Error> fault_;
  std::vector<std::vector<std::string>> batches_;
};

}  // namespace scalestyle::support
