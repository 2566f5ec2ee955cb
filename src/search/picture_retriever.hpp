#pragma once
// PictureRetriever: a picture, words about pictures, or both, to the nearest photos of articles.
//
// What is looked for is one point of the pictures' space: image_weight · picture + text_weight · text − less_like, where each
// is a unit vector; the sum is made one too. A score is its cosine with a photo.
//
// A retrieval runs beside its caller: begin() hands it to the pool, finish() waits for it. It ends at its deadline whatever the
// ports do. Dropping what begin() gave cancels it.
//
// Thread safety: every method may be called from any thread. Must outlive every retrieval; the pool's and the timers'
// threads end before it goes.

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/image_encoder.hpp"
#include "ports/vector_index.hpp"
#include "search/dense_retriever.hpp"
#include "search/eligible_search.hpp"
#include "search/picture_encoder.hpp"
#include "search/snapshot_holder.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

struct PictureQuery {
  double image_weight = 0;                    // 0: no picture; else one of the next two is there
  ports::EncodedImage image{};
  std::string image_hash{};                   // SHA-256 of `image`
  std::optional<catalog::ArticleId> article{};  // whose photo is the picture
  double text_weight = 0;                     // 0: no text
  std::string text{};
  std::string less_like{};                    // empty: nothing
  std::shared_ptr<const ServingGeneration> generation;
  std::size_t k = 0;
  std::shared_ptr<const catalog::Filter> filter{};
  std::shared_ptr<const catalog::Bitmap> eligible{};  // rows of the generation's catalogue; null: every row
  core::Deadline deadline = core::Deadline::never();
  std::shared_ptr<core::TaskContext> context{};  // of the request; null: none
};

struct PictureHits {
  ports::VectorHits hits;
  PictureEncoder::Vector vector;      // what was looked for; not null
  std::chrono::nanoseconds embed{0};  // waiting included
  std::chrono::nanoseconds search{0};
  core::SteadyTime ended{};
};

// `is_request_fault`: its picture cannot be read (field "image"), its article has no photo (kNotFound, "article"), or less_like
// leaves nothing of what it asks for (kInvalidArgument, "less_like").
struct PictureFailure : DenseFailure {
  bool is_request_fault = false;
  core::SteadyTime ended{};
};

using PictureOutcome = std::expected<PictureHits, PictureFailure>;

class PictureRetriever {
 public:
  struct Ports {
    ports::ImageEncoder& encoder;
    ports::VectorIndex& index;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
  };

  PictureRetriever(Ports ports, std::size_t cache_bytes, telemetry::Metrics& metrics);
  PictureRetriever(const PictureRetriever&) = delete;
  PictureRetriever& operator=(const PictureRetriever&) = delete;

  struct Pending;
  using PendingRetrieval = std::shared_ptr<Pending>;

  [[nodiscard]] PendingRetrieval begin(PictureQuery query);
  // Resumes on the thread that completed it, or on the one that cancelled (kCancelled). Errors besides those of PictureFailure:
  // of PictureEncoder and VectorIndex; kFailedPrecondition with the generation's picture_refusal().
  [[nodiscard]] core::Task<PictureOutcome> finish(PendingRetrieval pending);

  // The nearest photos to what an earlier retrieval looked for; of `query` only what is beside the picture and words is read.
  [[nodiscard]] core::Task<core::Result<ports::VectorHits>> search_again(PictureEncoder::Vector vector, PictureQuery query);

  [[nodiscard]] VectorCache::Statistics cache_statistics() const { return encoder_.statistics(); }

 private:
  using VectorOutcome = PictureEncoder::Outcome;

  [[nodiscard]] core::Task<PictureOutcome> retrieve(PictureQuery query, core::SteadyTime began);
  [[nodiscard]] core::Task<VectorOutcome> point_of(const PictureQuery& query);
  [[nodiscard]] core::Task<VectorOutcome> picture_of(const PictureQuery& query);
  [[nodiscard]] core::Task<core::Status> to_worker(core::Deadline deadline);

  Ports use_;
  EligibleEngine engine_;
  PictureEncoder encoder_;
};

}  // namespace scalestyle::search
