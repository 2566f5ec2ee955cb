#pragma once
// Recall of a VectorIndex against the exact answer, and what its searches cost: whether an approximate engine, or an
// engine behind a network, may stand in for the exact scan.
//
// The exact answer is taken here by a plain scan in double precision, with no code of any index. An article counts as
// found when its exact score is not below that of the k-th exact neighbour, so that articles of equal texts, whose
// vectors are equal too, do not count against an engine that orders them otherwise.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "evaluation/metrics.hpp"
#include "ports/vector_index.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::evaluation {

struct VectorRecallOptions {
  std::vector<std::size_t> depths{10, 100};
  double eligible_share = 1;  // below 1: searches are restricted to this share of the rows, drawn anew for each query
  std::size_t resamples = 10'000;
  std::uint64_t seed = 20200923;
  core::Deadline deadline = core::Deadline::never();  // of all searches together

  [[nodiscard]] core::Status validate() const;
};

struct VectorRecall {
  VectorRecallOptions options;
  std::size_t queries = 0;
  std::size_t rows = 0;
  std::vector<Interval> recall{};    // one a depth
  std::vector<double> least{};       // the worst query's, one a depth
  bool claims_exact = true;          // what every answer said of itself
  double p50_ms = 0;                 // of one search, of the largest depth
  double p99_ms = 0;
};

// What is searched: the index with `generation` open in it, and the same generation's rows (of `articles`, in its order).
struct IndexedGeneration {
  ports::VectorIndex& index;
  core::GenerationId generation;
  const catalog::Catalog& articles;
  retrieval::ExactVectors vectors;
};

// One search a query, one after the other. Queries are unit vectors of the generation's dimension. Blocks.
// Errors: options, no query, the index's; kInternal when it gives an article that the generation lacks, one that is not
// eligible, or one twice.
[[nodiscard]] core::Result<VectorRecall> evaluate_vectors(const IndexedGeneration& indexed,
                                                          std::span<const std::vector<float>> queries,
                                                          const core::Clock& clock, const VectorRecallOptions& options);

// `count` of the rows as queries (all of them when there are no more), drawn by the seed.
[[nodiscard]] std::vector<std::vector<float>> sample_rows(const retrieval::ExactVectors& vectors, std::size_t count,
                                                          std::uint64_t seed);

[[nodiscard]] std::string to_text(const VectorRecall& recall);
[[nodiscard]] std::string to_json(const VectorRecall& recall);

}  // namespace scalestyle::evaluation
