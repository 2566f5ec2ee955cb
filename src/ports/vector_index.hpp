#pragma once
// VectorIndex: the nearest articles to query vectors, inside an eligible set. Embedded: exact int8 scan with f32
// rescore over mapped files. Distributed: one collection a generation in an external engine.
// One index serves one collection of a generation's vectors: those of the articles' texts, or those of their photos
// (GenerationInfo::image_encoder), which some articles do not have: these are never found.

#include <cstddef>
#include <memory>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"
#include "catalog/filters.hpp"
#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::ports {

struct VectorQuery {
  std::vector<float> vector;  // unit length, the index's dimension
  std::size_t k = 0;          // hits wanted, 1 … 16,384
  // What may be found: `eligible` (one bit a row of the generation's catalogue; null: every row). `filter` is for engines
  // that take no bitmap: all that typed filters can say of the same set, so that every eligible row passes it; not always
  // only they do (null: it can say nothing). The caller leaves out what such an engine gives beyond `eligible`.
  std::shared_ptr<const catalog::Filter> filter;
  std::shared_ptr<const catalog::Bitmap> eligible;
};

struct VectorHit {
  catalog::ArticleId article_id;
  float score = 0;  // inner product with the query; cosine, since both are unit vectors
};

struct VectorHits {
  std::vector<VectorHit> hits;  // best first; equal scores by article id ascending
  bool exact = true;            // false when the engine's search is approximate, or went by `filter` alone
  std::size_t rows_scanned = 0;   // work done
  std::size_t rows_rescored = 0;
};

// Thread safety: every method may be called from any thread, concurrently.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  // Makes `generation` searchable; several may be open while a server switches. Opening one twice is no error. A
  // generation without vectors of photos opens in an index of photos too; its searches fail.
  // Errors: kNotFound, kDataLoss (damaged files, named), kUnavailable, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Status> open(core::GenerationId generation, core::Deadline deadline) = 0;

  // Frees what open() took; searches in progress keep it until they end. An unknown generation is ignored.
  virtual void close(const core::GenerationId& generation) = 0;

  // One result a query, in order. A batch may share one pass over the data; its results equal those of single calls.
  // Errors, for the whole batch: kFailedPrecondition (generation not open, or without such vectors), kInvalidArgument
  // (dimension, k), kDeadlineExceeded, kCancelled, kResourceExhausted, kUnavailable.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<VectorHits>>> search(core::GenerationId generation,
                                                                                 std::vector<VectorQuery> queries,
                                                                                 core::Deadline deadline) = 0;

  // The vector of one article, of unit length: what a search for articles like it asks with.
  // Errors: kNotFound (the article has none), and those of search().
  [[nodiscard]] virtual core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId generation,
                                                                               catalog::ArticleId article,
                                                                               core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
