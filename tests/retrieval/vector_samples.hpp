#pragma once
// Made-up collections of vectors for the retrieval tests, and the brute-force answers they are judged by.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "nn/kernels/scan.hpp"
#include "retrieval/quantized_vectors.hpp"
#include "retrieval/vector_scan.hpp"

namespace scalestyle::retrieval {

// Unit vectors around a few centres that share a large common component, as text embeddings do.
inline std::vector<float> clustered_vectors(std::size_t rows, std::size_t dimension, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> common(dimension);
  for (float& value : common) value = normal(random);
  std::vector<std::vector<float>> centres(1 + rows / 50, std::vector<float>(dimension));
  for (auto& centre : centres) {
    for (std::size_t j = 0; j < dimension; ++j) centre[j] = common[j] + 0.6F * normal(random);
  }
  std::vector<float> values(rows * dimension);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto& centre = centres[random() % centres.size()];
    double sum = 0;
    for (std::size_t j = 0; j < dimension; ++j) {
      const float value = centre[j] + 0.4F * normal(random);
      values[row * dimension + j] = value;
      sum += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto length = static_cast<float>(std::sqrt(sum));
    for (std::size_t j = 0; j < dimension; ++j) values[row * dimension + j] /= length;
  }
  return values;
}

// Both forms of a collection, owning their bytes.
struct SampleCollection {
  std::vector<float> values;
  std::vector<std::byte> bytes;
  ExactVectors exact;
  QuantizedVectors quantized;

  SampleCollection(std::vector<float> rows, std::size_t dimension) : values(std::move(rows)) {
    exact = {values.size() / dimension, dimension, values};
    bytes = encode_quantized_vectors(exact).value();
    quantized = open_quantized_vectors(bytes, "sample", VectorCheck::kFull).value();
  }
  SampleCollection(const SampleCollection&) = delete;
  SampleCollection& operator=(const SampleCollection&) = delete;
};

inline bool is_eligible(std::span<const std::uint64_t> bitmap, std::size_t row) {
  return bitmap.empty() || (bitmap[row / 64] >> (row % 64) & 1U) != 0;
}

inline std::vector<VectorHit> brute_force(const ExactVectors& exact, const VectorQuery& query) {
  std::vector<VectorHit> hits;
  for (std::size_t row = 0; row < exact.rows; ++row) {
    if (!is_eligible(query.eligible, row)) continue;
    const float score = nn::kernels::dot_f32(query.vector.data(), exact.row(row).data(), exact.dimension);
    hits.push_back({static_cast<std::uint32_t>(row), score});
  }
  std::ranges::sort(hits, [](const VectorHit& a, const VectorHit& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  });
  if (hits.size() > query.k) hits.resize(query.k);
  return hits;
}

inline std::vector<std::uint64_t> random_bitmap(std::size_t rows, double share, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution chosen(share);
  std::vector<std::uint64_t> words((rows + 63) / 64, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    if (chosen(random)) words[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  return words;
}

}  // namespace scalestyle::retrieval
