#pragma once
// Exact nearest rows by inner product: one pass over the int8 form for a whole batch of queries, then f32 rescoring of
// the few rows that can matter. The answer is that of a brute-force f32 scan, always: a row is left out only when the
// upper bound of its score (int8 estimate + bound of both quantisation errors, by Cauchy–Schwarz) is below k scores
// that other rows are proven to have. The order is (score descending, row ascending), so it does not depend on the
// number of parts, on threads, or on batch mates.
//
// The work is cut into `parts` that the caller's threads share (this module starts none):
//   VectorScanJob job;                                   // reusable scratch: keep one a thread, or a few in a pool
//   CORE_CHECK(job.begin(quantized, exact, queries, parts));
//   job.run([&](std::size_t count, const auto& body) { pool.parallel_for(count, body); });
//   job.hits(0) …
// or, on one thread, begin(…, 1) and run().

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "core/result.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::retrieval {

struct VectorQuery {
  std::span<const float> vector;              // dimension values, finite
  std::span<const std::uint64_t> eligible{};  // bit r % 64 of word r / 64 is row r; empty: every row. Bits past the
                                              // last row are ignored
  std::size_t k = 100;                        // at most this many hits; all eligible rows when there are fewer
};

struct VectorHit {
  std::uint32_t row = 0;
  float score = 0;  // f32 inner product as nn::kernels::dot_f32 defines it: the same bits on every processor

  friend bool operator==(const VectorHit&, const VectorHit&) = default;
};

struct VectorScanWork {
  std::size_t rows_estimated = 0;   // int8 products, over all queries
  std::size_t rows_collected = 0;   // rows that passed the running threshold
  std::size_t rows_rescored = 0;    // f32 products
};

inline constexpr std::size_t kMaxBatchQueries = 64;
inline constexpr std::size_t kMaxScanParts = 64;

// Calls body(0) … body(count − 1), each once, and returns when all are done; core::WorkerPool::parallel_for is one.
using ParallelFor = std::function<void(std::size_t count, const std::function<void(std::size_t)>& body)>;

// Thread safety: a job belongs to one thread at a time; run() calls `parallel_for` with bodies that may run at the same
// time on any thread. Memory is kept from search to search; the inner loops allocate nothing unless unusually many rows
// tie.
class VectorScanJob {
 public:
  VectorScanJob();
  ~VectorScanJob();
  VectorScanJob(VectorScanJob&&) noexcept;
  VectorScanJob& operator=(VectorScanJob&&) noexcept;

  // Takes the inputs of a search; what they view must live until run() returned. Errors, all kInvalidArgument: no query
  // or more than kMaxBatchQueries, parts not in 1 … kMaxScanParts, shapes of the two forms or of a query that differ, a
  // query with a value that is not finite or above 1e6, k = 0, a bitmap with the wrong number of words.
  [[nodiscard]] core::Status begin(const QuantizedVectors& quantized, const ExactVectors& exact,
                                   std::span<const VectorQuery> queries, std::size_t parts);

  // Hands out work only where it is worth a thread's wake-up: once for the scan, and for rescoring when it is long.
  void run(const ParallelFor& parallel_for);
  void run();  // on this thread alone

  // The answer to one query after run(), best first; valid until the next begin().
  [[nodiscard]] std::span<const VectorHit> hits(std::size_t query) const;
  [[nodiscard]] VectorScanWork work() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scalestyle::retrieval
