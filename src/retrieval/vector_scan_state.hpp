#pragma once
// What a VectorScanJob keeps: the queries, what each part of the rows collected, and the steps between. Private to
// vector_scan.cpp (merging, rescoring) and vector_scan_pass.cpp (the pass over the int8 rows).

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "nn/kernels/scan.hpp"
#include "retrieval/candidate_collector.hpp"
#include "retrieval/query_planes.hpp"
#include "retrieval/vector_scan.hpp"

namespace scalestyle::retrieval {

inline constexpr std::size_t kBlockRows = 64;  // one word of a bitmap
static_assert(kBlockRows == nn::kernels::kIntervalRows);

struct VectorScanJob::State {
  struct Query {
    VectorQuery input;
    QueryPlanes planes;
    std::size_t group = 0;       // which ScanQueries
    std::size_t first_slot = 0;  // and where in it
    std::atomic<float> shared_threshold{-std::numeric_limits<float>::infinity()};
    std::vector<ScanCandidate> candidates;  // in the order of their rows, as all that follows
    std::vector<std::uint32_t> rows;        // to rescore, in this round
    std::vector<float> scores;              // their scores
    std::vector<VectorHit> hits;
  };
  struct Part {
    std::size_t first_block = 0;
    std::size_t last_block = 0;
    std::vector<CandidateCollector> collectors;  // one a query
    std::size_t rows_estimated = 0;
    std::array<std::uint32_t, kBlockRows> rows{};  // picked one by one, not yet estimated
    std::size_t row_count = 0;
    std::array<std::int32_t, nn::kernels::kMaxScanQueries * kBlockRows> dots{};
    nn::kernels::Intervals intervals{};
  };

  // One f32 product: queries[query].scores[slot] is to be the score of `row`.
  struct Product {
    std::uint32_t row;
    std::uint32_t slot;
    std::size_t query;
  };

  QuantizedVectors quantized;
  ExactVectors exact;
  std::size_t query_count = 0;
  std::size_t part_count = 0;
  std::size_t plane_count = 1;
  std::array<Query, kMaxBatchQueries> queries;
  std::vector<nn::kernels::ScanQueries> groups;
  std::vector<std::int8_t> codes;
  std::vector<Part> parts;
  std::vector<std::uint64_t> eligible;  // rows that any query wants, when every query has a bitmap
  std::vector<Product> products;             // of a round of rescoring, by blocks of rows
  std::vector<std::size_t> product_places;  // where a block's products begin, then end
  std::size_t rows_rescored = 0;

  core::Status prepare_queries();
  void unite_bitmaps();
  void split_blocks();

  void scan(Part& part);
  void scan_block(Part& part, std::size_t block, std::uint64_t wanted);
  void scan_picked_rows(Part& part);
  void estimate(Part& part, std::size_t query, std::size_t count, std::span<const std::uint32_t> picked,
                std::size_t first_row);
  void collect(Part& part, std::size_t query, std::uint64_t reaching, std::span<const std::uint32_t> picked,
               std::size_t first_row);

  void merge(std::size_t query);
  void choose_first(Query& query);
  void choose_rest(Query& query);
  void rescore(const ParallelFor& parallel_for);
  void list_products();
  void compute(std::size_t first, std::size_t last);
  void keep_scores(Query& query);
  void finish(Query& query);
};

}  // namespace scalestyle::retrieval
