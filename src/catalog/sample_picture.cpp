#include "catalog/sample_picture.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "catalog/sample_canvas.hpp"
#include "catalog/sample_shapes.hpp"

namespace scalestyle::catalog {
namespace {

constexpr int kWidth = SamplePicture::kWidth;
constexpr int kHeight = SamplePicture::kHeight;
constexpr std::size_t kPixels = std::size_t{kWidth} * kHeight;

struct Rgb {
  double red = 0;
  double green = 0;
  double blue = 0;
};

Rgb to_rgb(SampleColour colour) {
  return {static_cast<double>(colour.red), static_cast<double>(colour.green), static_cast<double>(colour.blue)};
}
Rgb mix(const Rgb& a, const Rgb& b, double t) {
  return {a.red + (b.red - a.red) * t, a.green + (b.green - a.green) * t, a.blue + (b.blue - a.blue) * t};
}
double brightness(const Rgb& colour) { return 0.3 * colour.red + 0.59 * colour.green + 0.11 * colour.blue; }

constexpr Rgb kBlack{24, 22, 26};
constexpr Rgb kWhite{250, 249, 246};
constexpr Rgb kGold{214, 184, 112};

// A seam must be seen on black cloth too, so there it is lighter than the cloth.
Rgb seam_colour(const Rgb& cloth) { return brightness(cloth) < 60 ? mix(cloth, kWhite, 0.30) : mix(cloth, kBlack, 0.38); }
Rgb outline_colour(const Rgb& fill_colour) {
  return brightness(fill_colour) < 60 ? mix(fill_colour, kBlack, 0.6) : mix(fill_colour, kBlack, 0.55);
}

std::uint32_t scramble(std::uint32_t x, std::uint32_t y, std::uint32_t seed) {
  std::uint32_t value = x * 0x9E3779B1U ^ y * 0x85EBCA77U ^ seed * 0xC2B2AE3DU;
  value = (value ^ (value >> 15)) * 0x2C1B3C6DU;
  value = (value ^ (value >> 12)) * 0x297A2D39U;
  return value ^ (value >> 15);
}
// 0…1
double noise(int x, int y, std::uint32_t seed) {
  return static_cast<double>(scramble(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), seed) >> 8) / 16777216.0;
}

// 1 inside a band of `width` that repeats every `period`, with soft edges.
double band(double position, double period, double width) {
  const double phase = position - std::floor(position / period) * period;
  return std::clamp(std::min(phase, width - phase) + 0.5, 0.0, 1.0);
}

// A five-petalled flower about (cx, cy): 0 outside, 1 on petals, 2 in the heart.
double flower(double dx, double dy, double radius) {
  constexpr std::array<Point, 5> kPetals = {Point{0, -1}, {0.951, -0.309}, {0.588, 0.809}, {-0.588, 0.809}, {-0.951, -0.309}};
  if (std::sqrt(dx * dx + dy * dy) < radius * 0.38) return 2;
  double nearest = 1e9;
  for (const Point petal : kPetals) {
    const double px = dx - petal.x * radius * 0.62;
    const double py = dy - petal.y * radius * 0.62;
    nearest = std::min(nearest, std::sqrt(px * px + py * py));
  }
  return std::clamp(radius * 0.44 - nearest + 0.5, 0.0, 1.0);
}

Rgb floral(const Rgb& cloth, const Rgb& second, double x, double y, std::uint32_t seed) {
  constexpr double kCell = 30;
  Rgb colour = cloth;
  const int column = static_cast<int>(std::floor(x / kCell));
  const int row = static_cast<int>(std::floor(y / kCell));
  for (int r = row - 1; r <= row + 1; ++r) {
    for (int c = column - 1; c <= column + 1; ++c) {
      const double cx = (c + 0.2 + 0.6 * noise(c + 50, r + 50, seed)) * kCell;
      const double cy = (r + 0.2 + 0.6 * noise(c + 150, r + 150, seed)) * kCell;
      const double radius = 7.5 + 4.5 * noise(c + 250, r + 250, seed);
      const double covered = flower(x - cx, y - cy, radius);
      if (covered > 1.5) {
        colour = kGold;
      } else if (covered > 0) {
        colour = mix(colour, second, covered);
      }
      const double lx = x - cx - 13;
      const double ly = y - cy - 10;  // a leaf beside each flower
      const double leaf = std::clamp(4.0 - std::sqrt(lx * lx * 0.5 + (ly - lx * 0.5) * (ly - lx * 0.5) * 2.5) + 0.5, 0.0, 1.0);
      colour = mix(colour, mix(second, Rgb{70, 120, 80}, 0.7), leaf * 0.8);
    }
  }
  return colour;
}

Rgb dotted(const Rgb& cloth, const Rgb& second, double x, double y) {
  constexpr double kCell = 17;
  const double row = std::floor(y / kCell);
  const double shift = row - 2 * std::floor(row / 2) < 0.5 ? 0.0 : kCell / 2;
  const double dx = x + shift - (std::floor((x + shift) / kCell) + 0.5) * kCell;
  const double dy = y - (row + 0.5) * kCell;
  return mix(cloth, second, std::clamp(4.2 - std::sqrt(dx * dx + dy * dy) + 0.5, 0.0, 1.0));
}

Rgb motif(const Rgb& cloth, const Rgb& second, double x, double y) {
  const double dx = x - 128;
  const double dy = y - 148;
  const double sun = std::clamp(25 - std::sqrt(dx * dx + dy * dy) + 0.5, 0.0, 1.0);
  const double waves = dy > 2 ? band(dy + 0.12 * dx * dx / 12, 9, 4) : 0;
  return mix(cloth, second, std::clamp(sun - waves * sun, 0.0, 1.0));
}

Rgb cloth_at(const SamplePicture& picture, const Rgb& cloth, const Rgb& second, int px, int py) {
  const double x = px + 0.5;
  const double y = py + 0.5;
  switch (picture.pattern) {
    case SamplePattern::kPlain: return cloth;
    case SamplePattern::kStriped: return mix(cloth, second, band(y, 20, 9));
    case SamplePattern::kPinstriped: return mix(cloth, second, 0.7 * band(x, 11, 1.6));
    case SamplePattern::kChecked: return mix(mix(cloth, second, 0.5 * band(x, 26, 12)), second, 0.5 * band(y, 26, 12));
    case SamplePattern::kDotted: return dotted(cloth, second, x, y);
    case SamplePattern::kFloral: return floral(cloth, second, x, y, picture.seed);
    case SamplePattern::kMarled: return mix(cloth, second, 0.45 * noise(px / 3 + py / 2, py, picture.seed));
    case SamplePattern::kDenim:
      return mix(mix(cloth, kWhite, 0.16 * band(x + y, 4, 2)), kWhite,
                 0.16 * std::clamp(1 - std::abs(std::abs(x - 128) - 26) / 16, 0.0, 1.0) * std::clamp((y - 90) / 60, 0.0, 1.0));
    case SamplePattern::kColourBlock: return mix(cloth, second, std::clamp(y - 150 + 0.5, 0.0, 1.0));
    case SamplePattern::kMotif: return motif(cloth, second, x, y);
  }
  return cloth;
}

class Painter {
 public:
  explicit Painter(const SamplePicture& picture)
      : picture_(picture), cloth_(to_rgb(picture.colour)), second_(to_rgb(picture.second)), pixels_(kPixels) {}

  std::vector<std::uint8_t> paint(std::span<const ShapeLayer> layers) {
    paint_background(layers);
    for (const ShapeLayer& layer : layers) paint_layer(layer);
    std::vector<std::uint8_t> bytes(kPixels * 3);
    for (std::size_t i = 0; i < kPixels; ++i) {
      const std::array<double, 3> channels = {pixels_[i].red, pixels_[i].green, pixels_[i].blue};
      for (std::size_t c = 0; c < 3; ++c) bytes[3 * i + c] = static_cast<std::uint8_t>(std::clamp(channels[c], 0.0, 255.0) + 0.5);
    }
    return bytes;
  }

 private:
  static bool is_line(Paint paint) { return paint == Paint::kStrap || paint == Paint::kSeam || paint == Paint::kStitch; }

  static std::vector<Polyline> outlines(const ShapeLayer& layer) {
    std::vector<Polyline> lines = parse_path(layer.path);
    if (layer.form == Form::kWhole) return lines;
    std::vector<Polyline> all;
    for (const Polyline& line : lines) {
      Polyline other = mirrored(line, kWidth / 2);
      all.push_back(line);
      if (layer.form == Form::kHalf && !is_line(layer.paint)) {  // the halves of a line meet in the middle anyway
        all.back().insert(all.back().end(), other.begin(), other.end());
      } else {
        all.push_back(std::move(other));
      }
    }
    return all;
  }

  void paint_background(std::span<const ShapeLayer> layers) {
    for (int y = 0; y < kHeight; ++y) {
      const Rgb tone = mix(Rgb{248, 247, 244}, Rgb{232, 229, 224}, static_cast<double>(y) / kHeight);
      std::fill_n(pixels_.begin() + static_cast<std::ptrdiff_t>(y) * kWidth, kWidth, tone);
    }
    Mask shadow(kPixels);
    for (const ShapeLayer& layer : layers) {
      if (is_line(layer.paint)) continue;
      for (Polyline line : outlines(layer)) {
        for (Point& point : line) point = {point.x + 4, point.y + 7};
        fill(shadow, kWidth, kHeight, line);
      }
    }
    for (int pass = 0; pass < 2; ++pass) {
      blur(shadow, 1, kWidth, kHeight, kWidth);
      blur(shadow, kWidth, kHeight, kWidth, 1);
    }
    lay(shadow, [](int, int) { return Rgb{150, 144, 140}; }, 0.45);
  }

  // Box blur along lines of `length` pixels that are `step` apart; lines begin `line_step` apart.
  static void blur(Mask& mask, int step, int lines, int length, int line_step) {
    constexpr int kRadius = 5;
    std::vector<float> line(static_cast<std::size_t>(length));
    for (int l = 0; l < lines; ++l) {
      const auto at = [&](int i) -> float& {
        return mask[static_cast<std::size_t>(l) * static_cast<std::size_t>(line_step) + static_cast<std::size_t>(i) * static_cast<std::size_t>(step)];
      };
      for (int i = 0; i < length; ++i) {
        float sum = 0;
        for (int k = -kRadius; k <= kRadius; ++k) sum += at(std::clamp(i + k, 0, length - 1));
        line[static_cast<std::size_t>(i)] = sum / (2 * kRadius + 1);
      }
      for (int i = 0; i < length; ++i) at(i) = line[static_cast<std::size_t>(i)];
    }
  }

  template <class ColourAt>
  void lay(const Mask& mask, ColourAt&& colour_at, double opacity) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const std::size_t i = static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x);
        if (mask[i] > 0) pixels_[i] = mix(pixels_[i], colour_at(x, y), static_cast<double>(mask[i]) * opacity);
      }
    }
  }

  // Light from the upper left, and soft folds.
  [[nodiscard]] static Rgb lit(const Rgb& colour, int x, int y) {
    const double side = (x - 108.0) / 128.0;
    const double fold = std::abs(x / 22.0 + y / 90.0 - 2 * std::floor((x / 22.0 + y / 90.0) / 2) - 1);
    const double light = 1.05 - 0.13 * side * side - 0.0003 * y - 0.035 * fold;
    return {colour.red * light, colour.green * light, colour.blue * light};
  }

  [[nodiscard]] Rgb fill_colour(Paint paint, int x, int y) const {
    switch (paint) {
      case Paint::kShade: return mix(cloth_, kBlack, brightness(cloth_) < 60 ? 0.5 : 0.25);
      case Paint::kTint: return mix(cloth_at(picture_, cloth_, second_, x, y), kWhite, brightness(cloth_) > 200 ? 0.5 : 0.13);
      case Paint::kWhite: return kWhite;
      case Paint::kDark: return kBlack;
      case Paint::kMetal: return kGold;
      default: return cloth_at(picture_, cloth_, second_, x, y);
    }
  }

  void paint_layer(const ShapeLayer& layer) {
    Mask mask(kPixels);
    Mask edge(kPixels);
    for (const Polyline& line : outlines(layer)) {
      if (layer.paint == Paint::kSeam || layer.paint == Paint::kStitch) {
        stroke(mask, kWidth, kHeight, line, 1.3);
      } else if (layer.paint == Paint::kStrap) {
        stroke(mask, kWidth, kHeight, line, 8);
        stroke(edge, kWidth, kHeight, line, 10.5);
      } else {
        fill(mask, kWidth, kHeight, line);
        stroke(edge, kWidth, kHeight, line, 1.8);
        stroke(edge, kWidth, kHeight, {line.back(), line.front()}, 1.8);
      }
    }
    if (layer.paint == Paint::kSeam) return lay(mask, [&](int, int) { return seam_colour(cloth_); }, 0.75);
    if (layer.paint == Paint::kStitch) {
      const Rgb thread = mix(cloth_, brightness(cloth_) > 190 ? kBlack : kWhite, 0.5);
      return lay(mask, [&](int, int) { return thread; }, 0.85);
    }
    const auto draw_cloth = [&] { lay(mask, [&](int x, int y) { return lit(fill_colour(layer.paint, x, y), x, y); }, 1); };
    const auto draw_edge = [&] {
      const Rgb base = layer.paint == Paint::kWhite ? Rgb{150, 148, 146} : layer.paint == Paint::kMetal ? kGold : cloth_;
      lay(edge, [&](int, int) { return outline_colour(base); }, 0.9);
    };
    if (layer.paint == Paint::kStrap) {
      draw_edge();
      draw_cloth();
    } else {
      draw_cloth();
      draw_edge();
    }
  }

  const SamplePicture& picture_;
  Rgb cloth_;
  Rgb second_;
  std::vector<Rgb> pixels_;
};

}  // namespace

core::Result<std::string> draw_png(const SamplePicture& picture) {
  const std::span<const ShapeLayer> layers = find_shape(picture.shape);
  if (layers.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("there is no shape \"{}\"", picture.shape));
  }
  const std::vector<std::uint8_t> pixels = Painter(picture).paint(layers);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = kWidth;
  image.height = kHeight;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string png(size, '\0');
  if (png_image_write_to_memory(&image, png.data(), &size, 0, pixels.data(), 0, nullptr) == 0) {
    return core::fail(core::ErrorCode::kInternal, fmt::format("libpng could not write the picture: {}", image.message));
  }
  png.resize(size);
  return png;
}

}  // namespace scalestyle::catalog
