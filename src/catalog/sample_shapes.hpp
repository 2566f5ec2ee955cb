#pragma once
// Garments as layers of paths on a canvas of 256 × 320, the middle at x = 128.

#include <cstdint>
#include <span>
#include <string_view>

namespace scalestyle::catalog {

enum class Form : std::uint8_t {
  kWhole,  // as written
  kHalf,   // the left half, from the middle line at the top to the middle line at the bottom; closed by its reflection
  kPair,   // as written, and reflected
};

enum class Paint : std::uint8_t {
  kCloth,   // filled with colour and pattern, outlined
  kShade,   // filled with a darker tone of the colour, outlined
  kTint,    // filled with a lighter tone of the colour, outlined
  kWhite,   // filled near white, outlined: soles, labels
  kDark,    // filled near black, outlined: lenses, heels
  kMetal,   // filled pale gold, outlined
  kStrap,   // a broad stroke of the colour, outlined
  kSeam,    // a thin line darker than the colour
  kStitch,  // a thin line lighter than the colour
};

struct ShapeLayer {
  Paint paint;
  Form form;
  std::string_view path;
};

// The layers from back to front; empty for an unknown name.
[[nodiscard]] std::span<const ShapeLayer> find_shape(std::string_view name);
[[nodiscard]] std::span<const std::string_view> all_shape_names();

}  // namespace scalestyle::catalog
