#pragma once
// PictureEncoder: pictures, and words in their space, to unit vectors; each made once while it is remembered.
//
// A picture is known by the SHA-256 of its bytes, words by themselves. Vectors are kept (VectorCache); of many who want the same
// one at once, one makes it (SingleFlight). What is wrong with a picture is not kept, but told to all who wait for it.
//
// Thread safety: every method may be called from any thread. Must outlive every call; the pool's threads end before it goes.

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/image_encoder.hpp"
#include "search/single_flight.hpp"
#include "search/vector_cache.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class PictureEncoder {
 public:
  using Vector = VectorCache::Vector;

  struct Failure {
    core::Error error{};
    bool is_request_fault = false;  // the picture cannot be read, as ImageEncoder says of one; field "image"
  };
  using Outcome = std::expected<Vector, Failure>;

  struct Ports {
    ports::ImageEncoder& encoder;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
  };

  PictureEncoder(Ports ports, std::size_t cache_bytes, telemetry::Metrics& metrics);
  PictureEncoder(const PictureEncoder&) = delete;
  PictureEncoder& operator=(const PictureEncoder&) = delete;

  // `hash` is the SHA-256 of `image`, which is not null. Resumes on a worker, on the encoder's thread or on the timers'
  // (kDeadlineExceeded). Errors besides: those of the encoder; kInternal when it breaks its promise.
  [[nodiscard]] core::Task<Outcome> encode_picture(ports::EncodedImage image, std::string hash, core::Deadline deadline);

  // The same for words.
  [[nodiscard]] core::Task<Outcome> encode_text(std::string text, core::Deadline deadline);

  [[nodiscard]] VectorCache::Statistics statistics() const { return cache_.statistics(); }

 private:
  struct Wanted {
    std::string key;
    ports::EncodedImage image{};  // null: the text is wanted
    std::string text{};
  };
  [[nodiscard]] core::Task<Outcome> encode(Wanted wanted, core::Deadline deadline);
  [[nodiscard]] core::Task<Outcome> make(Wanted wanted, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> make_picture(ports::EncodedImage image,
                                                                                                    core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> make_text(std::string text, core::Deadline deadline);
  [[nodiscard]] Outcome checked(std::vector<float> values) const;

  Ports use_;
  VectorCache cache_;
  SingleFlight<Outcome> flights_;
  telemetry::Counter found_;
  telemetry::Counter made_;
  telemetry::Counter shared_;
};

}  // namespace scalestyle::search
