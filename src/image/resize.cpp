#include "image/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "image/resize_rows.hpp"

namespace scalestyle::image {
namespace {

constexpr double kSupport = 2;  // pixels on each side, at no reduction

double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

// In double, operation by operation as Pillow does it: the rounding of a weight shows in the pixels.
Taps make_taps(std::uint32_t source, std::uint32_t target, Range wanted) {
  const double scale = static_cast<double>(source) / target;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kSupport * filter_scale;
  const double per_pixel = 1.0 / filter_scale;
  Taps taps;
  taps.stride = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(wanted.size() * taps.stride);
  std::vector<double> weights(taps.stride);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double centre = (static_cast<double>(wanted.from + i) + 0.5) * scale;
    const auto first = static_cast<int>(std::max(centre - support + 0.5, 0.0));
    const auto end = static_cast<int>(std::min(centre + support + 0.5, static_cast<double>(source)));
    const auto count = static_cast<std::size_t>(end - first);
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      weights[k] = bicubic((static_cast<int>(k) + first - centre + 0.5) * per_pixel);
      sum += weights[k];
    }
    for (std::size_t k = 0; k < count; ++k) {
      const double weight = (sum != 0 ? weights[k] / sum : weights[k]) * (1 << kFractionBits);
      taps.weights[i * taps.stride + k] = static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    taps.first.push_back(static_cast<std::uint32_t>(first));
    taps.count.push_back(static_cast<std::uint32_t>(count));
  }
  return taps;
}

// ---- passes

// A rectangle of a picture under way; a view.
struct Area {
  const std::uint8_t* pixels = nullptr;
  std::size_t row_bytes = 0;
  std::uint32_t left = 0;  // where the first pixel lies
  std::uint32_t top = 0;
  [[nodiscard]] const std::uint8_t* at(std::uint32_t x, std::uint32_t y) const {
    return pixels + (y - top) * row_bytes + std::size_t{x - left} * 3;
  }
};

using Pixels = std::vector<std::uint8_t>;

Pixels copy(const Area& from, Range columns, Range rows) {
  Pixels out(rows.size() * columns.size() * 3);
  std::uint8_t* to = out.data();
  for (std::uint32_t y = rows.from; y < rows.end; ++y) to = std::copy_n(from.at(columns.from, y), columns.size() * 3, to);
  return out;
}

// Each of `rows`, resampled.
Pixels across(const Area& from, const Taps& taps, Range rows) {
  const RowKernels kernels = fastest_row_kernels();
  const std::size_t row_bytes = taps.first.size() * 3;
  Pixels out(rows.size() * row_bytes);
  std::uint8_t* to = out.data();
  for (std::uint32_t y = rows.from; y < rows.end; ++y, to += row_bytes) {
    kernels.across(from.at(from.left, y), from.left, taps, to);
  }
  return out;
}

// Each of `columns`, resampled.
Pixels down(const Area& from, const Taps& taps, Range columns) {
  const RowKernels kernels = fastest_row_kernels();
  const std::size_t row_bytes = columns.size() * 3;
  Pixels out(taps.first.size() * row_bytes);
  std::vector<std::int32_t> sums(row_bytes);
  for (std::size_t i = 0; i < taps.first.size(); ++i) {
    std::fill(sums.begin(), sums.end(), kHalf);
    std::uint32_t y = taps.first[i];
    for (const std::int32_t weight : taps.of(i)) kernels.add(from.at(columns.from, y++), weight, sums);
    std::transform(sums.begin(), sums.end(), out.begin() + static_cast<std::ptrdiff_t>(i * row_bytes), to_pixel);
  }
  return out;
}

// What is cut at 0 and 255 between the passes shows which came first. Pillow 13 takes the columns first where the
// height shrinks by more than twice what the width does.
bool columns_first(const Picture& picture, const ResizeWindow& window) {
  const std::int64_t shorter = std::int64_t{picture.height} - window.full_height;
  const std::int64_t narrower = std::int64_t{picture.width} - window.full_width;
  return shorter > 0 && shorter > 2 * narrower;
}

}  // namespace

std::vector<std::uint8_t> resize_bicubic(const Picture& picture, const ResizeWindow& window) {
  const Area whole{picture.rgb.data(), std::size_t{picture.width} * 3, 0, 0};
  const Range columns{window.left, window.left + window.width};
  const Range rows{window.top, window.top + window.height};
  const bool scales_width = window.full_width != picture.width;
  const bool scales_height = window.full_height != picture.height;
  if (!scales_width && !scales_height) return copy(whole, columns, rows);
  const Taps across_taps = make_taps(picture.width, window.full_width, columns);
  const Taps down_taps = make_taps(picture.height, window.full_height, rows);
  if (!scales_height) return across(whole, across_taps, rows);
  if (!scales_width) return down(whole, down_taps, columns);
  if (columns_first(picture, window)) {
    const Range needed = across_taps.source();
    const Pixels low = down(whole, down_taps, needed);
    return across({low.data(), needed.size() * 3, needed.from, 0}, across_taps, {0, window.height});
  }
  const Range needed = down_taps.source();
  const Pixels narrow = across(whole, across_taps, needed);
  return down({narrow.data(), std::size_t{window.width} * 3, 0, needed.from}, down_taps, {0, window.width});
}

}  // namespace scalestyle::image
