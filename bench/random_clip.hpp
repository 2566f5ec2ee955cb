#pragma once
// A CLIP of true shape with random weights, as a model folder that can be served: what can be timed without the real
// weights. Its tokenizer gives a token a letter. Scales are chosen so that activations look like a trained network's: branches that add to the residual
// stream without drowning it, attention that prefers some tokens, sparse feed-forward rows, and two channels of the
// residual stream that are far larger than the others in every token.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::bench {

struct ClipTowerShape {
  std::size_t layers = 12;
  std::size_t hidden = 0;
  std::size_t heads = 0;
  std::size_t intermediate = 0;
};

struct ClipShape {
  ClipTowerShape vision{.hidden = 768, .heads = 12, .intermediate = 3072};
  ClipTowerShape text{.hidden = 512, .heads = 8, .intermediate = 2048};
  std::size_t image_size = 224;
  std::size_t patch_size = 32;
  std::size_t max_tokens = 77;
  std::size_t vocabulary = 49408;
  std::size_t dimension = 512;
};
inline constexpr ClipShape kVitB32{};

// The same arguments write the same bytes; 605 MB for ViT-B/32. `folder` must exist.
[[nodiscard]] core::Status write_random_clip(const std::filesystem::path& folder, const ClipShape& shape, std::uint64_t seed);

// Preprocessed pictures [count, 3, size, size] like a shop's: a few coloured, textured areas before white.
[[nodiscard]] std::vector<float> random_pictures(std::size_t count, std::size_t size, std::uint64_t seed);

// Texts of so many tokens, start and end (the vocabulary's last two ids) among them.
[[nodiscard]] std::vector<std::vector<std::int32_t>> random_token_texts(std::size_t count, std::size_t tokens,
                                                                        std::size_t vocabulary, std::uint64_t seed);

}  // namespace scalestyle::bench
