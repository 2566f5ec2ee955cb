#pragma once
// Queries, filters and the judgement of answers, for the benchmarks of vector search.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "retrieval/quantized_vectors.hpp"
#include "retrieval/vector_scan.hpp"

namespace scalestyle::bench {

// A random share of the rows, one bit a row.
[[nodiscard]] inline std::vector<std::uint64_t> bitmap_of(std::size_t rows, double share) {
  std::mt19937 random(99);
  std::bernoulli_distribution chosen(share);
  std::vector<std::uint64_t> words((rows + 63) / 64, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    if (chosen(random)) words[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  return words;
}

// The share of the true hits that was found.
[[nodiscard]] inline double recall_of(std::span<const retrieval::VectorHit> hits, std::span<const retrieval::VectorHit> truth) {
  if (truth.empty()) return hits.empty() ? 1.0 : 0.0;
  std::size_t found = 0;
  for (const retrieval::VectorHit& hit : hits) found += static_cast<std::size_t>(std::ranges::count(truth, hit.row, &retrieval::VectorHit::row));
  return static_cast<double>(found) / static_cast<double>(truth.size());
}

// Queries that look like the collection: its own rows, disturbed, so that none is a perfect match.
[[nodiscard]] inline std::vector<float> queries_like(const retrieval::ExactVectors& exact, std::size_t count) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0F, 0.5F / std::sqrt(static_cast<float>(exact.dimension)));
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = exact.row(random() % exact.rows);
    double sum = 0;
    for (const float value : row) {
      values.push_back(value + normal(random));
      sum += static_cast<double>(values.back()) * static_cast<double>(values.back());
    }
    const auto length = static_cast<float>(std::sqrt(sum));
    for (std::size_t j = values.size() - exact.dimension; j < values.size(); ++j) values[j] /= length;
  }
  return values;
}

}  // namespace scalestyle::bench
