#pragma once
// The drawn picture of a sample article: a garment's shape in a colour and a pattern, as PNG.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::catalog {

struct SampleColour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

enum class SamplePattern : std::uint8_t {
  kPlain, kStriped, kPinstriped, kChecked, kDotted, kFloral, kMarled, kDenim, kColourBlock, kMotif
};

struct SamplePicture {
  static constexpr int kWidth = 256;
  static constexpr int kHeight = 320;

  std::string_view shape{};  // a name of sample_shapes.hpp
  SamplePattern pattern = SamplePattern::kPlain;
  SampleColour colour{};  // of the cloth
  SampleColour second{};   // of the pattern
  std::uint32_t seed = 0;  // places flowers and speckles
};

// kInvalidArgument for an unknown shape, kInternal when libpng fails.
[[nodiscard]] core::Result<std::string> draw_png(const SamplePicture& picture);

}  // namespace scalestyle::catalog
