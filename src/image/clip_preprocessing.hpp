#pragma once
// From a picture to what CLIP's vision tower reads, equal to transformers' CLIPImageProcessor on Pillow: bicubic resize of
// the short side, centre crop, to [0, 1], minus mean, over deviation.
//
// Thread safety: free functions without state.

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>

#include "core/result.hpp"
#include "image/decode.hpp"

namespace scalestyle::image {

// Defaults: openai/clip-vit-base-patch32.
struct ClipPreprocessing {
  std::uint32_t resize_short_side = 224;
  std::uint32_t crop = 224;  // at most resize_short_side
  std::array<float, 3> mean{0.48145466F, 0.4578275F, 0.40821073F};
  std::array<float, 3> deviation{0.26862954F, 0.26130258F, 0.27577711F};
};

// From preprocessor_config.json of a model's folder; keys that it lacks have the defaults. Errors, naming file and key:
// kNotFound, kDataLoss (not what the key may hold), kUnsupported (a step left out, or another filter than bicubic).
[[nodiscard]] core::Result<ClipPreprocessing> read_clip_preprocessing(const std::filesystem::path& model_dir);

// What to pass to decode(): at twice the size and more, a JPEG's DCT scaling hardly shows in the result
// (docs/decisions/0019-picture-decoding.md has the measurement), and saves most of the work.
[[nodiscard]] constexpr std::uint32_t short_side_to_decode(const ClipPreprocessing& how) { return 2 * how.resize_short_side; }

// Into out, [3, crop, crop]. kInvalidArgument: an empty picture, pixels or `out` of another size than they should have.
[[nodiscard]] core::Status preprocess(const Picture& picture, const ClipPreprocessing& how, std::span<float> out);

}  // namespace scalestyle::image
