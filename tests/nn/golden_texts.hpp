#pragma once
// Golden texts of sentence encoders: token ids and the reference's f32 vectors, from a .jsonl file.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace scalestyle::nn {

struct GoldenEmbedding {
  std::vector<std::int32_t> ids;
  std::vector<float> embedding;
};

// Throws when a line cannot be read.
[[nodiscard]] std::vector<GoldenEmbedding> read_golden_embeddings(const std::filesystem::path& path);

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0;
  double length_a = 0;
  double length_b = 0;
  for (std::size_t index = 0; index < a.size(); ++index) {
    product += static_cast<double>(a[index]) * static_cast<double>(b[index]);
    length_a += static_cast<double>(a[index]) * static_cast<double>(a[index]);
    length_b += static_cast<double>(b[index]) * static_cast<double>(b[index]);
  }
  return product / std::sqrt(length_a * length_b);
}

}  // namespace scalestyle::nn
