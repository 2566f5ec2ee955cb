#pragma once
// Cross-encoders of true shapes with random weights, as model folders: what can be timed without the real weights. One
// token a word ("w0", "w1", …). The embedding table has 30,522 rows in either shape: its size costs memory, not time.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::bench {

struct CrossEncoderShape {
  std::string_view name;
  bool xlm_roberta = false;
  std::size_t layers = 0;
  std::size_t hidden = 0;
  std::size_t heads = 0;
  std::size_t intermediate = 0;
};
inline constexpr CrossEncoderShape kMiniLmL6{"MiniLM-L6", false, 6, 384, 12, 1536};
inline constexpr CrossEncoderShape kRerankerBase{"bge-reranker-base", true, 12, 768, 12, 3072};

// Weights are normal with a deviation of `gain` over the root of their inputs. The same arguments write the same bytes.
[[nodiscard]] core::Status write_random_cross_encoder(const std::filesystem::path& folder, const CrossEncoderShape& shape,
                                                      float gain);

// The real layers of a BERT sentence encoder with a random head on them, as a cross-encoder's folder: realistic activations
// (attention sinks and all) for comparing precisions. `seed` chooses the head.
[[nodiscard]] core::Status write_random_head(const std::filesystem::path& folder, const std::filesystem::path& encoder_dir,
                                             std::size_t seed);

// A text of so many words, the same for the same seed.
[[nodiscard]] std::string random_words(std::size_t words, std::size_t seed);

}  // namespace scalestyle::bench
